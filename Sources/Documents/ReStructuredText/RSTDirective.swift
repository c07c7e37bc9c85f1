/// A directive: its name, what stands behind it, its options, and where its content is.
struct RSTDirective {
    /// The name of a directive and what follows `::` on its line.
    struct Head {
        /// The name, in lower case.
        let name: String
        /// What stands behind it; nil when nothing does.
        let rest: ArraySlice<UInt8>?

        /// Reads what stands behind `.. `; nil when it is no directive.
        init?(_ text: ArraySlice<UInt8>) {
            var end = text.startIndex
            while end < text.endIndex, end - text.startIndex < 100 {
                let byte = text[end]
                if byte == 0x3A, end + 1 < text.endIndex, text[end + 1] == 0x3A { break }
                switch byte {
                case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2B, 0x2D, 0x2E, 0x3A, 0x5F: end += 1
                // A space before the colons is allowed.
                case 0x20 where text[(end + 1)...].starts(with: "::".utf8): end += 1
                default: return nil
                }
            }
            guard end > text.startIndex, text[end...].starts(with: "::".utf8),
                end + 2 == text.endIndex || text[end + 2] == 0x20
            else { return nil }
            name = WhiteSpace.collapsed(String(decoding: text[..<end], as: UTF8.self)).lowercased()
            let rest = text[(end + 2)...].drop { $0 == 0x20 }
            self.rest = rest.isEmpty ? nil : rest
        }
    }

    /// Its name, in lower case.
    let name: String
    /// The lines of its argument.
    var arguments: [String]
    /// Its options, by their names.
    private(set) var options: [String: String] = [:]
    /// The lines of its content.
    private(set) var content: Range<Int>
    /// The column that its body stands at.
    let column: Int

    /// All of its argument on one line.
    var argument: String { arguments.joined(separator: " ") }

    /// Reads the argument and the options of a directive.
    ///
    /// - Parameters:
    ///   - head: Its name.
    ///   - body: The lines below the one it stands on.
    ///   - isLong: Whether the argument may go on in those lines.
    init(_ head: Head, _ lines: [MarkupLine], body: Range<Int>, isLong: Bool) {
        name = head.name
        column = MarkupLine.leastIndent(lines[body])
        arguments = head.rest.map { [String(decoding: $0, as: UTF8.self)] } ?? []
        var index = body.lowerBound
        while isLong, index < body.upperBound, !lines[index].isBlank,
            RSTMarker.field(lines[index].content) == nil
        {
            arguments.append(lines[index].text)
            index += 1
        }
        var name = ""
        while index < body.upperBound, !lines[index].isBlank {
            let line = lines[index]
            if line.indent == column, let field = RSTMarker.field(line.content) {
                name = field.name.lowercased()
                options[name] = String(
                    decoding: line.content.dropFirst(field.length).drop { $0 == 0x20 },
                    as: UTF8.self)
            } else if !name.isEmpty, line.indent > column {
                options[name, default: ""] += "\n" + line.text
            } else {
                break
            }
            index += 1
        }
        content = index..<body.upperBound
        while let first = content.first, lines[first].isBlank {
            content = (first + 1)..<content.upperBound
        }
        while let last = content.last, lines[last].isBlank { content = content.lowerBound..<last }
    }

    /// Takes a line before the content as content.
    mutating func extendContent(from index: Int) { content = index..<content.upperBound }
}
