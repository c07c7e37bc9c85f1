/// Classifies single lines of AsciiDoc.
enum AsciiDocLine {
    /// The delimiter line above and below a block.
    enum Delimiter: Equatable {
        case listing, literal, example, sidebar, quote, open, pass, comment
        /// A backquote fence, with the language after it.
        case fence(String)
        /// A table, with the character that separates its cells.
        case table(UInt8)
    }

    /// Parses a block delimiter; nil for any other line.
    static func delimiter(_ line: ArraySlice<UInt8>) -> Delimiter? {
        guard let first = line.first, line.count >= 2 else { return nil }
        if line.elementsEqual("--".utf8) { return .open }
        if line.starts(with: "```".utf8), line.dropFirst(3).first != UInt8(ascii: "`") {
            let language = line.dropFirst(3)
            guard !language.contains(UInt8(ascii: "`")) else { return nil }
            return .fence(String(decoding: language.prefix { $0 != 0x2C }, as: UTF8.self))
        }
        let rest = line.dropFirst()
        if rest.count >= 3, rest.allSatisfy({ $0 == UInt8(ascii: "=") }),
            "|,:!".utf8.contains(first)
        {
            return .table(first)
        }
        guard line.count >= 4, line.allSatisfy({ $0 == first }) else { return nil }
        switch first {
        case UInt8(ascii: "-"): return .listing
        case UInt8(ascii: "."): return .literal
        case UInt8(ascii: "="): return .example
        case UInt8(ascii: "*"): return .sidebar
        case UInt8(ascii: "_"): return .quote
        case UInt8(ascii: "+"): return .pass
        case UInt8(ascii: "/"): return .comment
        default: return nil
        }
    }

    /// Returns the level and the text of a heading; level 0 is the document's title.
    static func heading(_ line: ArraySlice<UInt8>) -> (level: Int, text: ArraySlice<UInt8>)? {
        guard let mark = line.first, mark == UInt8(ascii: "=") || mark == UInt8(ascii: "#") else {
            return nil
        }
        let marks = line.prefix { $0 == mark }
        let text = line[marks.endIndex...]
        guard marks.count <= 6, let space = text.first, space <= 0x20 else { return nil }
        var title = text.drop { $0 <= 0x20 }
        // Closing marks may follow the text.
        if title.suffix(marks.count + 1).elementsEqual([0x20] + marks) {
            title = title.dropLast(marks.count + 1)
        }
        return title.isEmpty ? nil : (marks.count - 1, title)
    }

    /// Returns the level of a heading from its underline; nil if the line is not an underline.
    static func underline(_ line: ArraySlice<UInt8>, of title: ArraySlice<UInt8>) -> Int? {
        guard let mark = line.first, line.count >= 2, line.allSatisfy({ $0 == mark }),
            let level = "=-~^+".utf8.firstIndex(of: mark),
            title.contains(where: { ($0 | 0x20) >= 0x61 && ($0 | 0x20) <= 0x7A || $0 >= 0x80 }),
            title.first.map({ $0 > 0x20 && $0 != UInt8(ascii: ".") }) ?? false,
            abs(MarkupLine.width(title) - line.count) <= 1
        else { return nil }
        return "=-~^+".utf8.distance(from: "=-~^+".utf8.startIndex, to: level)
    }

    /// Returns the text between the brackets of an attribute line.
    static func attributes(_ line: ArraySlice<UInt8>) -> String? {
        guard line.first == UInt8(ascii: "["), line.last == UInt8(ascii: "]"), line.count >= 2,
            line.dropFirst().first.map({ $0 > 0x20 }) ?? false
        else { return nil }
        return String(decoding: line.dropFirst().dropLast(), as: UTF8.self)
    }

    /// Returns the text of a block title line, `.Title`.
    static func title(_ line: ArraySlice<UInt8>) -> String? {
        guard line.first == UInt8(ascii: "."), let second = line.dropFirst().first,
            second > 0x20, second != UInt8(ascii: ".")
        else { return nil }
        return String(decoding: line.dropFirst(), as: UTF8.self)
    }

    /// Returns the parts of a block macro: `name::target[text]`.
    static func macro(
        _ line: ArraySlice<UInt8>
    ) -> (name: String, target: String, text: String)? {
        let name = line.prefix { (0x61...0x7A).contains($0) || $0 == 0x5F }
        let rest = line[name.endIndex...]
        guard !name.isEmpty, rest.starts(with: "::".utf8), line.last == UInt8(ascii: "]"),
            let open = rest.firstIndex(of: UInt8(ascii: "[")),
            rest.dropFirst(2).first.map({ $0 > 0x20 }) ?? false
        else { return nil }
        return (
            String(decoding: name, as: UTF8.self),
            String(decoding: rest[(rest.startIndex + 2)..<open], as: UTF8.self),
            String(decoding: rest[(open + 1)...].dropLast(), as: UTF8.self)
        )
    }

    static func isComment(_ line: ArraySlice<UInt8>) -> Bool {
        line.starts(with: "//".utf8) && !line.starts(with: "///".utf8)
    }

    /// Whether a line is a thematic break or a page break.
    static func isBreak(_ line: ArraySlice<UInt8>) -> Bool {
        ["'''", "<<<", "---", "***", "- - -", "* * *"].contains { line.elementsEqual($0.utf8) }
    }

    /// The marker of a list item.
    enum Item: Equatable {
        /// A bullet, such as `**`.
        case bullet(String)
        /// A marker such as `..`, which stands for the list's next number.
        case numbered(String)
        /// An explicit number or letter, such as `4.` or `iv)`.
        case given(String)
        /// A callout number, such as `<1>`.
        case callout(String)
        /// A term, with the separator between it and its definition.
        case term(String, separator: String)
    }

    /// Returns the list item that a line begins, and its text.
    static func item(_ line: ArraySlice<UInt8>) -> (item: Item, text: ArraySlice<UInt8>)? {
        let content = line.drop { $0 == 0x20 || $0 == 0x09 }
        guard let first = content.first else { return nil }
        let word = content.prefix { $0 > 0x20 }
        let text = content[word.endIndex...].drop { $0 <= 0x20 }
        let marker = String(decoding: word.prefix(20), as: UTF8.self)
        if !text.isEmpty, word.count <= 12 {
            let isUniform = word.allSatisfy { $0 == first }
            switch first {
            case UInt8(ascii: "*"): if isUniform { return (.bullet(marker), text) }
            case UInt8(ascii: "-"): if word.count == 1 { return (.bullet(marker), text) }
            case UInt8(ascii: "."):
                if isUniform, word.count <= 5 { return (.numbered(marker), text) }
            case UInt8(ascii: "<"):
                let number = word.dropFirst().dropLast()
                if word.last == UInt8(ascii: ">"), !number.isEmpty,
                    number.allSatisfy({ (0x30...0x39).contains($0) || $0 == 0x2E })
                {
                    return (.callout(marker), text)
                }
            default:
                if isEnumerator(word) { return (.given(marker), text) }
            }
        }
        return term(content)
    }

    private static func isEnumerator(_ word: ArraySlice<UInt8>) -> Bool {
        let value = word.dropLast()
        guard !value.isEmpty else { return false }
        if word.last == UInt8(ascii: ".") {
            return value.allSatisfy { (0x30...0x39).contains($0) }
                || value.count == 1 && value.allSatisfy { (0x61...0x7A).contains($0 | 0x20) }
        }
        return word.last == UInt8(ascii: ")") && value.allSatisfy { "ivxIVX".utf8.contains($0) }
    }

    /// Matches a term before `::`, `:::`, `::::` or `;;`, followed by white space or the end of the line.
    private static func term(
        _ content: ArraySlice<UInt8>
    ) -> (item: Item, text: ArraySlice<UInt8>)? {
        var index = content.startIndex + 1
        while index + 1 < content.endIndex {
            let byte = content[index]
            guard byte == 0x3A || byte == 0x3B, content[index + 1] == byte else {
                index += 1
                continue
            }
            let marks = content[index...].prefix { $0 == byte }
            let after = marks.endIndex
            if marks.count <= (byte == 0x3A ? 4 : 2),
                after == content.endIndex || content[after] <= 0x20
            {
                return (
                    .term(
                        String(decoding: content[..<index], as: UTF8.self),
                        separator: String(decoding: marks, as: UTF8.self)),
                    content[after...].drop { $0 <= 0x20 }
                )
            }
            index = after
        }
        return nil
    }
}
