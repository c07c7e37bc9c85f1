/// The words of a document: they tell whether a hyphen at the end of a line belongs to a word.
final class PDFWords {
    private var known: Set<String> = []
    /// How many words were put together again.
    private(set) var joined = 0

    private static let limit = 500_000

    /// Takes the words of all lines, those apart that a line may part.
    init(_ columns: [[PDFLine]]) {
        for line in columns.joined() where known.count < Self.limit {
            let words = line.text.lowercased().split(separator: " ")
            for word in words.dropLast(line.text.hasSuffix("-") ? 1 : 0) {
                known.insert(Self.bare(word))
            }
        }
    }

    private static func bare(_ word: some StringProtocol) -> String {
        String(word.lowercased().filter { $0.isLetter || $0 == "-" })
    }

    /// Lines as running text: what a hyphen parts at the end of a line is one word again.
    func join(_ lines: [String]) -> String {
        var result = ""
        for line in lines {
            let line = WhiteSpace.collapsed(line)
            guard !result.isEmpty else {
                result = line
                continue
            }
            switch hyphen(result, line) {
            case .none: result += " " + line
            case .kept: result += line
            case .dropped:
                result.unicodeScalars.removeLast()
                result += line
                joined += 1
            }
        }
        return result
    }

    private enum Hyphen { case none, kept, dropped }

    private func hyphen(_ above: String, _ below: String) -> Hyphen {
        guard let mark = above.unicodeScalars.last,
            mark == "-" || mark == "\u{2010}" || mark == "\u{AD}"
        else { return .none }
        let before = above.unicodeScalars.dropLast()
        guard let last = before.last, last.properties.isAlphabetic,
            let first = below.unicodeScalars.first
        else { return .none }
        // "pre- and postwar", and ranges of capitals such as "ISO-" "8601".
        guard first.properties.isLowercase else {
            return first.properties.isAlphabetic ? .kept : .none
        }
        let start =
            before.split(whereSeparator: WhiteSpace.isSpace).last.map { String(Substring($0)) }
            ?? ""
        let end =
            below.unicodeScalars.split(whereSeparator: WhiteSpace.isSpace).first
            .map { String(Substring($0)) } ?? ""
        if ["and", "or", "und", "oder", "bzw.", "et", "ou", "to"].contains(end) { return .none }
        let whole = Self.bare(start + end)
        if known.contains(whole) { return .dropped }
        return known.contains(Self.bare(start + "-" + end)) || start.contains("-")
            ? .kept : .dropped
    }
}
