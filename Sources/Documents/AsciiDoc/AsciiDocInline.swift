/// Parses AsciiDoc's inline markup in linear time.
struct AsciiDocInline {
    /// Parsed text, and what was found in it.
    struct Result {
        var text = LinkedText()
        /// The texts of the footnotes, each with its number in front.
        var footnotes: [LinkedText] = []
        /// How many images the text has.
        var images = 0
        /// The identifier of the first inline anchor.
        var id: String?
    }

    let bytes: [UInt8]
    var at = 0
    var output: [UInt8] = []
    var result = Result()
    var footnotes: Int
    let depth: Int
    let titles: [String: String]
    /// The lengths of closing marks, by index: the parser drops these marks.
    private var closings: [Int: Int] = [:]
    /// For each mark, the index where its open markup ends.
    private var open: [UInt8: Int] = [:]
    /// The marks for which the rest of the text has no closing mark.
    private var unended: Set<[UInt8]> = []
    /// Where the last search for the end of a target stopped.
    var targetEnd = 0
    var hasBracket = true
    var isBalanced = true

    private static let depthLimit = 4

    /// Parses text; its footnotes continue the numbering of `footnotes`.
    ///
    /// - Parameter titles: Section titles by identifier, shown for cross references without text.
    static func text(
        _ source: String, footnotes: inout Int, titles: [String: String] = [:]
    ) -> Result {
        guard source.utf8.contains(where: { special.contains($0) }) else {
            return Result(text: LinkedText(source))
        }
        return text(source, footnotes: &footnotes, titles: titles, depth: 0)
    }

    private static let special = Set("*_`#^~+:<(['\"\\|/".utf8)

    static func text(
        _ source: String, footnotes: inout Int, titles: [String: String], depth: Int
    ) -> Result {
        guard depth < depthLimit else { return Result(text: LinkedText(source)) }
        var parser = AsciiDocInline(
            Array(source.utf8), footnotes: footnotes, titles: titles, depth: depth)
        parser.read()
        footnotes = parser.footnotes
        parser.result.text.text = String(decoding: parser.output, as: UTF8.self)
        return parser.result
    }

    private init(_ bytes: [UInt8], footnotes: Int, titles: [String: String], depth: Int) {
        self.bytes = bytes
        self.titles = titles
        self.footnotes = footnotes
        self.depth = depth
    }

    private mutating func read() {
        while at < bytes.count {
            if let length = closings[at] {
                at += length
                continue
            }
            let start = at
            switch bytes[at] {
            case UInt8(ascii: "\\"): readEscape()
            case UInt8(ascii: "+"): readPassthrough()
            case UInt8(ascii: "*"), UInt8(ascii: "_"), UInt8(ascii: "`"), UInt8(ascii: "#"):
                readMark(isPaired: true)
            case UInt8(ascii: "^"), UInt8(ascii: "~"): readMark(isPaired: false)
            case UInt8(ascii: "<"): readReference()
            case UInt8(ascii: "("): readIndexTerm()
            case UInt8(ascii: "["): readBrackets()
            case UInt8(ascii: "\""), UInt8(ascii: "'"): readQuote()
            case UInt8(ascii: ":"): readMacro()
            default: break
            }
            if at == start {
                output.append(bytes[at])
                at += 1
            }
        }
    }

    func byte(_ index: Int) -> UInt8? { index < bytes.count ? bytes[index] : nil }

    func has(_ text: String, at index: Int) -> Bool {
        bytes[index...].starts(with: text.utf8)
    }

    static func isWord(_ byte: UInt8?) -> Bool {
        guard let byte else { return false }
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x5F: return true
        default: return byte >= 0x80
        }
    }

    private static func isSpace(_ byte: UInt8?) -> Bool { byte.map { $0 <= 0x20 } ?? true }

    // MARK: - Marks

    private mutating func readEscape() {
        guard let next = byte(at + 1),
            Self.special.contains(next) || next == UInt8(ascii: "{")
                || Self.isWord(next) && isMacroName(at + 1)
        else { return }
        output.append(next)
        at += 2
        // A backslash escapes a doubled mark as a whole.
        if next == byte(at), "*_`#".utf8.contains(next) {
            output.append(next)
            at += 1
        }
    }

    /// Whether a macro name and a colon begin at an index.
    private func isMacroName(_ start: Int) -> Bool {
        var end = start
        while end < bytes.count, end - start < 12, Self.isWord(bytes[end]) { end += 1 }
        return byte(end) == UInt8(ascii: ":")
            && Self.macros.contains(String(decoding: bytes[start..<end], as: UTF8.self))
    }

    /// Parses text between plus signs, which is copied verbatim.
    private mutating func readPassthrough() {
        for length in [3, 2, 1] {
            let mark = [UInt8](repeating: UInt8(ascii: "+"), count: length)
            guard starts(with: mark, at: at) else { continue }
            let isFree = length > 1
            guard
                isFree || !Self.isWord(at > 0 ? bytes[at - 1] : nil) && !Self.isSpace(byte(at + 1)),
                let end = end(of: mark, from: at + length, isFree: isFree)
            else { continue }
            output += bytes[(at + length)..<end]
            at = end + length
            return
        }
        // A plus sign at the end of a line is a hard line break.
        if Self.isSpace(byte(at + 1)), at > 0, bytes[at - 1] == 0x20,
            byte(at + 1) == nil || byte(at + 1) == 0x0A
        {
            at += 1
        }
    }

    private func starts(with mark: [UInt8], at index: Int) -> Bool {
        index + mark.count <= bytes.count && bytes[index..<(index + mark.count)].elementsEqual(mark)
    }

    /// Drops a mark and the mark that closes it.
    private mutating func readMark(isPaired: Bool) {
        let mark = bytes[at]
        guard open[mark].map({ at > $0 }) ?? true else { return }
        let isDouble = isPaired && byte(at + 1) == mark
        let length = isDouble ? 2 : 1
        let isFree = isDouble || !isPaired
        let before = at > 0 ? bytes[at - 1] : nil
        if !isFree {
            guard !Self.isWord(before), before != UInt8(ascii: ":"), before != UInt8(ascii: ";"),
                before != UInt8(ascii: "}") || mark != UInt8(ascii: "#"),
                !Self.isSpace(byte(at + 1))
            else { return }
        }
        let pattern = [UInt8](repeating: mark, count: length)
        guard let end = end(of: pattern, from: at + length, isFree: isFree) else { return }
        // Superscript and subscript text has no spaces.
        if !isPaired, bytes[at..<end].contains(where: { $0 <= 0x20 }) { return }
        closings[end] = length
        open[mark] = end
        at += length
    }

    private mutating func end(of mark: [UInt8], from start: Int, isFree: Bool) -> Int? {
        guard !unended.contains(mark) else { return nil }
        var index = start + 1
        while index + mark.count <= bytes.count {
            if bytes[index] == mark[0], starts(with: mark, at: index), closings[index] == nil,
                isFree
                    || !Self.isSpace(bytes[index - 1]) && !Self.isWord(byte(index + mark.count))
            {
                return index
            }
            index += 1
        }
        unended.insert(mark)
        return nil
    }

    /// Parses typographic quotation marks: `` "`text`" ``.
    private mutating func readQuote() {
        guard byte(at + 1) == UInt8(ascii: "`"), !Self.isSpace(byte(at + 2)) else { return }
        let mark = [UInt8(ascii: "`"), bytes[at]]
        guard let end = end(of: mark, from: at + 2, isFree: true) else { return }
        output.append(bytes[at])
        closings[end] = 1
        at += 2
    }

    // MARK: - References and anchors

    private mutating func readReference() {
        if has("<<", at: at), let end = end(of: [0x3E, 0x3E], from: at + 2, isFree: true) {
            let content = bytes[(at + 2)..<end]
            let comma = content.firstIndex(of: UInt8(ascii: ","))
            let target = String(decoding: content[..<(comma ?? end)], as: UTF8.self)
            let text = comma.map { String(decoding: content[($0 + 1)...], as: UTF8.self) }
            at = end + 2
            addReference(target, text: text)
        } else if has("<http://", at: at) || has("<https://", at: at) {
            // The main loop parses the URL itself.
            at += 1
        }
    }

    mutating func addReference(_ target: String, text: String?) {
        let target = WhiteSpace.collapsed(target)
        if let text, !WhiteSpace.collapsed(text).isEmpty {
            add(text)
        } else {
            let name = String(Substring(target.utf8.drop { $0 == UInt8(ascii: "#") }))
            output += (titles[name] ?? name).utf8
        }
        let file = target.utf8.prefix { $0 != UInt8(ascii: "#") }
        if file.contains(UInt8(ascii: ".")), !file.isEmpty {
            result.text.links.append(target)
        }
    }

    /// Parses a text inside markup, which may contain markup of its own, and adds it to the output.
    mutating func add(_ source: String) {
        let inner = Self.text(
            source, footnotes: &footnotes, titles: titles, depth: depth + 1)
        output += inner.text.text.utf8
        result.text.links += inner.text.links
        result.footnotes += inner.footnotes
        result.images += inner.images
    }

    private mutating func readIndexTerm() {
        if has("(((", at: at), let end = end(of: [0x29, 0x29, 0x29], from: at + 3, isFree: true) {
            at = end + 3
        } else if has("((", at: at), let end = end(of: [0x29, 0x29], from: at + 2, isFree: true) {
            output += bytes[(at + 2)..<end]
            at = end + 2
        }
    }

    private mutating func readBrackets() {
        if has("[[", at: at), Self.isWord(byte(at + 2)),
            let end = end(of: [0x5D, 0x5D], from: at + 2, isFree: true)
        {
            let id = bytes[(at + 2)..<end].prefix { $0 != UInt8(ascii: ",") }
            result.id = result.id ?? String(decoding: id, as: UTF8.self)
            at = end + 2
            return
        }
        // Roles and identifiers of marked text: [.role]#text#.
        guard let first = byte(at + 1), "#.".utf8.contains(first) || Self.isWord(first) else {
            return
        }
        var end = at + 1
        while end < bytes.count, end - at < 100, bytes[end] != 0x5D, bytes[end] > 0x20 { end += 1 }
        guard byte(end) == 0x5D, let mark = byte(end + 1), "#*_`".utf8.contains(mark),
            !Self.isSpace(byte(end + 2))
        else { return }
        at = end + 1
    }

    /// The names of the macros that the parser recognizes.
    static let macros: Set<String> = [
        "http", "https", "ftp", "irc", "link", "mailto", "xref", "image", "icon", "footnote",
        "footnoteref", "kbd", "btn", "menu", "pass", "stem", "latexmath", "asciimath", "anchor",
        "indexterm", "indexterm2",
    ]
}
