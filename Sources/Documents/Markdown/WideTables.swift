/// Tables with rows that are wider than their header, whose cells the parser would drop.
enum WideTables {
    /// Wider tables than this nobody writes, and each column costs in every row.
    private static let columnLimit = 200

    /// A text whose tables have as many columns in their header as in their widest row.
    static func mended(_ text: String) -> String {
        guard text.utf8.contains(UInt8(ascii: "|")) else { return text }
        var lines = text.utf8.split(separator: 0x0A, omittingEmptySubsequences: false)
            .map { Array($0) }
        var isChanged = false
        var fence: (mark: UInt8, count: Int)?
        var index = 0
        while index < lines.count {
            defer { index += 1 }
            if let run = fenceRun(lines[index]) {
                if let open = fence {
                    if run.mark == open.mark, run.count >= open.count { fence = nil }
                } else {
                    fence = run
                }
                continue
            }
            // What is indented may be code, which stays as it is.
            guard fence == nil, index > 0, isDelimiter(lines[index]),
                !lines[index].starts(with: "    ".utf8),
                case let columns = self.columns(lines[index]),
                columns == self.columns(lines[index - 1])
            else { continue }
            var end = index + 1
            var widest = columns
            while end < lines.count, lines[end].contains(where: { $0 > 0x20 }),
                fenceRun(lines[end]) == nil
            {
                widest = max(widest, self.columns(lines[end]))
                end += 1
            }
            if widest > columns, widest <= columnLimit {
                widen(&lines[index - 1], by: widest - columns, cell: " |")
                widen(&lines[index], by: widest - columns, cell: "---|")
                isChanged = true
            }
            index = end - 1
        }
        guard isChanged else { return text }
        return String(decoding: Array(lines.joined(separator: [0x0A])), as: UTF8.self)
    }

    private static func widen(_ line: inout [UInt8], by count: Int, cell: String) {
        while let last = line.last, last <= 0x20 { line.removeLast() }
        if line.last != UInt8(ascii: "|") { line.append(UInt8(ascii: "|")) }
        for _ in 0..<count { line += Array(cell.utf8) }
    }

    private static func fenceRun(_ line: [UInt8]) -> (mark: UInt8, count: Int)? {
        let content = line.drop { $0 == 0x20 }
        guard let mark = content.first, mark == UInt8(ascii: "`") || mark == UInt8(ascii: "~")
        else {
            return nil
        }
        let count = content.prefix { $0 == mark }.count
        return count >= 3 ? (mark, count) : nil
    }

    private static func isDelimiter(_ line: [UInt8]) -> Bool {
        line.contains(UInt8(ascii: "-")) && line.contains(UInt8(ascii: "|"))
            && line.allSatisfy { "|-: \t\r".utf8.contains($0) }
    }

    /// The cells that a line has as a row: bars part them, but for those behind a backslash and at the ends.
    private static func columns(_ line: [UInt8]) -> Int {
        var bars = 0
        var isEscaped = false
        let content = line.drop { $0 <= 0x20 }
        var last: UInt8 = 0
        for byte in content {
            if byte == UInt8(ascii: "|"), !isEscaped { bars += 1 }
            if byte > 0x20 { last = isEscaped ? 0 : byte }
            isEscaped = byte == UInt8(ascii: "\\") && !isEscaped
        }
        let bar = UInt8(ascii: "|")
        return bars + 1 - (content.first == bar ? 1 : 0) - (last == bar ? 1 : 0)
    }
}
