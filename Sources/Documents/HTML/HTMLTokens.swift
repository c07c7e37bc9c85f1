/// Splits a page into tags, texts and comments, the way the HTML standard's tokenizer does.
///
/// It inspects a page before parsing: one pass, no tree.
struct HTMLTokens {
    /// A token, by its range of bytes.
    enum Token: Equatable {
        /// Characters, with their character references undecoded.
        case text(Range<Int>)
        /// The content between `<![CDATA[` and `]]>`.
        case characterData(Range<Int>)
        /// Comments, document types and processing instructions.
        case hidden(Range<Int>)
        /// A tag that begins an element.
        case start(Tag)
        /// A tag that ends an element.
        case end(Tag)
    }

    /// The FNV-1a hash of an element's name, ignoring case.
    struct Name: Hashable {
        private let hash: UInt64

        init(_ bytes: [UInt8], _ range: Range<Int>) { self.init(bytes.span.extracting(range)) }

        private init(_ bytes: Span<UInt8>) {
            var hash: UInt64 = 0xCBF2_9CE4_8422_2325
            for index in bytes.indices {
                hash = (hash ^ UInt64(HTMLTokens.lowercased(bytes[index]))) &* 0x0000_0100_0000_01B3
            }
            self.hash = hash
        }

        /// Hashes a name from a table in this program.
        init(_ name: String) { self.init(Array(name.utf8).span) }

        /// Hashes the names in a space-separated list.
        static func set(_ names: String) -> Set<Name> {
            Set(names.split(separator: " ").map { Name(String($0)) })
        }

        func hash(into hasher: inout Hasher) { hasher.combine(hash) }
    }

    /// A start tag or an end tag.
    struct Tag: Equatable {
        /// The range of the tag, including its angle brackets.
        var range: Range<Int>
        /// The range of its name.
        var name: Range<Int>
        /// Where its attributes begin; at most one more than ``HTMLTokens/attributeLimit``.
        var attributes: [Int] = []
        /// Whether it ends with `/>`.
        var closesItself = false
    }

    /// The maximum number of attributes of a tag that reach the parser, which compares each with all others.
    static let attributeLimit = 64

    private let bytes: [UInt8]
    private(set) var at = 0
    /// The name of the element whose content is raw text, such as `script`.
    private var rawName: Name?

    private let isXML: Bool

    /// Creates a tokenizer; in XML, elements such as `<script/>` are empty.
    init(_ bytes: [UInt8], isXML: Bool) {
        self.bytes = bytes
        self.isXML = isXML
    }

    /// Returns the next token; nil at the end.
    mutating func next() -> Token? {
        guard at < bytes.count else { return nil }
        if let name = rawName { return rawText(upTo: name) }
        guard bytes[at] == UInt8(ascii: "<"), let token = markup() else { return text() }
        return token
    }

    private mutating func text() -> Token {
        let start = at
        // An angle bracket that begins no markup is a character.
        at += 1
        while at < bytes.count, bytes[at] != UInt8(ascii: "<") { at += 1 }
        return .text(start..<at)
    }

    /// Returns the characters up to the end tag of an element with raw text.
    private mutating func rawText(upTo name: Name) -> Token {
        let start = at
        rawName = nil
        while at < bytes.count {
            if bytes[at] == UInt8(ascii: "<"), at + 1 < bytes.count,
                bytes[at + 1] == UInt8(ascii: "/"), self.name(at: at + 2) == name
            {
                break
            }
            at += 1
        }
        return .text(start..<at)
    }

    private mutating func markup() -> Token? {
        guard at + 1 < bytes.count else { return nil }
        switch bytes[at + 1] {
        case UInt8(ascii: "!"): return declaration()
        case UInt8(ascii: "?"): return bogusComment()
        case UInt8(ascii: "/"):
            guard at + 2 < bytes.count else { return nil }
            guard Self.isLetter(bytes[at + 2]) else { return bogusComment() }
            return .end(tag(nameAt: at + 2))
        case let byte where Self.isLetter(byte):
            let found = tag(nameAt: at + 1)
            let name = Name(bytes, found.name)
            if Self.raw.contains(name), !isXML || !found.closesItself { rawName = name }
            return .start(found)
        default: return nil
        }
    }

    /// The elements with raw text up to their end tag.
    private static let raw = Name.set(
        "script style textarea title xmp iframe noembed noframes plaintext noscript")

    private mutating func declaration() -> Token {
        let start = at
        if follows("<!--", at) {
            // `<!-->` and `<!--->` are complete comments.
            at += 4
            if follows(">", at) || follows("->", at) {
                at += follows(">", at) ? 1 : 2
                return .hidden(start..<at)
            }
            while at < bytes.count, !follows("-->", at), !follows("--!>", at) { at += 1 }
            at = min(bytes.count, at + (follows("-->", at) ? 3 : 4))
            return .hidden(start..<at)
        }
        if follows("<![CDATA[", at) {
            at += 9
            let content = at
            while at < bytes.count, !follows("]]>", at) { at += 1 }
            let end = at
            at = min(bytes.count, at + 3)
            return .characterData(content..<end)
        }
        return bogusComment()
    }

    /// Anything that looks like a declaration ends at the next `>`.
    private mutating func bogusComment() -> Token {
        let start = at
        while at < bytes.count, bytes[at] != UInt8(ascii: ">") { at += 1 }
        at = min(bytes.count, at + 1)
        return .hidden(start..<at)
    }

    /// Reads a tag. A quotation mark delimits a value only where the value begins.
    private mutating func tag(nameAt nameStart: Int) -> Tag {
        let start = at
        at = nameStart
        while at < bytes.count, !Self.endsName(bytes[at]) { at += 1 }
        var tag = Tag(range: start..<at, name: nameStart..<at)
        var isBetween = true
        while at < bytes.count {
            let byte = bytes[at]
            switch byte {
            case UInt8(ascii: ">"):
                at += 1
                tag.range = start..<at
                return tag
            case UInt8(ascii: "="):
                at += 1
                value()
                isBetween = true
                tag.closesItself = false
                continue
            case UInt8(ascii: "/"):
                isBetween = true
                tag.closesItself = true
            case 0...0x20: isBetween = true
            default:
                if isBetween {
                    isBetween = false
                    if tag.attributes.count <= Self.attributeLimit { tag.attributes.append(at) }
                }
                tag.closesItself = false
            }
            at += 1
        }
        tag.range = start..<at
        return tag
    }

    /// Skips the value of an attribute.
    private mutating func value() {
        while at < bytes.count, bytes[at] <= 0x20 { at += 1 }
        guard at < bytes.count else { return }
        let quote = bytes[at]
        if quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'") {
            at += 1
            while at < bytes.count, bytes[at] != quote { at += 1 }
            at = min(bytes.count, at + 1)
        } else {
            while at < bytes.count, bytes[at] > 0x20, bytes[at] != UInt8(ascii: ">") { at += 1 }
        }
    }

    private func name(at start: Int) -> Name {
        var end = start
        while end < bytes.count, !Self.endsName(bytes[end]) { end += 1 }
        return Name(bytes, start..<end)
    }

    private func follows(_ word: StaticString, _ at: Int) -> Bool {
        let count = word.utf8CodeUnitCount
        guard at + count <= bytes.count else { return false }
        return word.withUTF8Buffer { word in
            for index in 0..<count where bytes[at + index] != word[index] { return false }
            return true
        }
    }

    private static func endsName(_ byte: UInt8) -> Bool {
        byte <= 0x20 || byte == UInt8(ascii: "/") || byte == UInt8(ascii: ">")
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (0x61...0x7A).contains(byte | 0x20)
    }

    static func lowercased(_ byte: UInt8) -> UInt8 {
        (0x41...0x5A).contains(byte) ? byte | 0x20 : byte
    }
}

/// Finds the encoding that a page declares.
enum HTMLEncoding {
    /// The standard asks for the first 1,024 bytes; pages with long comments at the top need more.
    private static let reach = 4096
    private static let meta = HTMLTokens.Name("meta")

    /// Returns the encoding that an XML declaration or a `meta` element names; nil if neither does.
    static func suggested(by page: [UInt8]) -> String? {
        let head = Array(page.prefix(reach))
        if head.starts(with: "<?xml".utf8) {
            let end = head.firstIndex(of: UInt8(ascii: ">")) ?? head.count
            if let name = value(after: "encoding=", in: head[..<end]) { return name }
        }
        var tokens = HTMLTokens(head, isXML: false)
        while let token = tokens.next() {
            guard case .start(let tag) = token,
                HTMLTokens.Name(head, tag.name) == meta,
                let name = value(after: "charset=", in: head[tag.range])
            else { continue }
            return name
        }
        return nil
    }

    private static func value(after name: String, in bytes: ArraySlice<UInt8>) -> String? {
        let lower = bytes.map(HTMLTokens.lowercased).filter { $0 > 0x20 }
        let mark = Array(name.utf8)
        guard lower.count >= mark.count,
            let start = (0...(lower.count - mark.count)).first(where: {
                lower[$0...].starts(with: mark)
            })
        else { return nil }
        let value = lower[(start + mark.count)...].drop { $0 == 0x22 || $0 == 0x27 }
        let end: [UInt8] = [0x22, 0x27, 0x3E, 0x3B, 0x2F, 0x3F]
        let text = String(decoding: value.prefix { !end.contains($0) }, as: UTF8.self)
        return text.isEmpty ? nil : text
    }
}
