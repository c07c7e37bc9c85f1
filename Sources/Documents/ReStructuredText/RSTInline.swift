/// Parses the inline markup of reStructuredText in linear time.
///
/// As in docutils, markup begins only where its start string may stand, and ends only where its end string may stand.
/// Markup that never ends is text.
struct RSTInline {
    let units: [UInt32]
    private var at = 0
    private var result = LinkedText()
    private var output = String.UnicodeScalarView()
    /// The kinds of markup that do not end in the rest of the text, so the search is not repeated.
    var unended: Set<Kind> = []
    /// How many substitutions enclose this text.
    private let depth: Int

    enum Kind { case emphasis, strong, literal, interpreted, substitution }

    /// The flag for a character after a backslash; escaped white space disappears.
    static let escape: UInt32 = 0x8000_0000
    private static let depthLimit = 4

    static let star = UInt32(UInt8(ascii: "*"))
    static let backquote = UInt32(UInt8(ascii: "`"))
    static let bar = UInt32(UInt8(ascii: "|"))
    static let underscore = UInt32(UInt8(ascii: "_"))
    static let colon = UInt32(UInt8(ascii: ":"))
    private static let slash = UInt32(UInt8(ascii: "/"))

    /// Returns a text without its inline markup, and the targets of its links.
    static func text(
        _ source: String, references: inout RSTReferences, findings: inout Finding.List
    ) -> LinkedText {
        guard source.utf8.contains(where: isSpecial) else { return LinkedText(source) }
        return text(source, references: &references, findings: &findings, depth: 0)
    }

    private static func text(
        _ source: String, references: inout RSTReferences, findings: inout Finding.List,
        depth: Int
    ) -> LinkedText {
        var parser = RSTInline(units: units(source), depth: depth)
        parser.read(&references, &findings)
        parser.result.text = String(parser.output)
        return parser.result
    }

    private init(units: [UInt32], depth: Int) {
        self.units = units
        self.depth = depth
    }

    /// Whether a byte indicates that its text may contain markup, an escape or a URL.
    private static func isSpecial(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x2A, 0x60, 0x7C, 0x5F, 0x5C, 0x3A: true
        default: false
        }
    }

    /// Returns the characters of a text, with escaped ones flagged.
    static func units(_ source: String) -> [UInt32] {
        var result: [UInt32] = []
        result.reserveCapacity(source.utf8.count)
        var isEscaped = false
        for scalar in source.unicodeScalars {
            if isEscaped {
                result.append(scalar.value | escape)
                isEscaped = false
            } else if scalar == "\\" {
                isEscaped = true
            } else {
                result.append(scalar.value)
            }
        }
        if isEscaped { result.append(0x5C) }
        return result
    }

    /// Removes the backslashes of a text, and the white space that they escape.
    static func unescaped(_ bytes: ArraySlice<UInt8>) -> String {
        let text = String(decoding: bytes, as: UTF8.self)
        return bytes.contains(0x5C) ? plain(units(text)[...]) : text
    }

    /// Converts characters to text, without escaped white space.
    static func plain(_ units: ArraySlice<UInt32>) -> String {
        var result = String.UnicodeScalarView()
        for unit in units { append(unit, to: &result) }
        return String(result)
    }

    /// Converts characters to the original source, with its backslashes.
    static func raw(_ units: ArraySlice<UInt32>) -> String {
        var result = String.UnicodeScalarView()
        for unit in units {
            if unit & escape != 0 { result.append("\\") }
            if let scalar = Unicode.Scalar(unit & ~escape) { result.append(scalar) }
        }
        return String(result)
    }

    private static func append(_ unit: UInt32, to text: inout String.UnicodeScalarView) {
        if unit & escape != 0, isSpace(unit & ~escape) { return }
        if let scalar = Unicode.Scalar(unit & ~escape) { text.append(scalar) }
    }

    static func isSpace(_ unit: UInt32) -> Bool {
        Unicode.Scalar(unit).map(WhiteSpace.isSpace) ?? false
    }

    // MARK: - Reading

    private mutating func read(_ references: inout RSTReferences, _ findings: inout Finding.List) {
        while at < units.count {
            let start = at
            switch units[at] {
            case Self.star: readEmphasis()
            case Self.backquote:
                if unit(at + 1) == Self.backquote {
                    readLiteral()
                } else {
                    readInterpreted(role: nil, from: at, &references, &findings)
                }
            case Self.colon:
                if let role = role(at) {
                    readInterpreted(role: role.name, from: role.end, &references, &findings)
                } else {
                    readAddress()
                }
            case Self.bar: readSubstitution(&references, &findings)
            case Self.underscore:
                if unit(at + 1) == Self.backquote, beginsMarkup(at, length: 2) {
                    at += 1
                    readInterpreted(role: nil, from: at, &references, &findings)
                } else {
                    readReference(&references)
                }
            case UInt32(UInt8(ascii: "[")): readFootnote(&references)
            default: break
            }
            // A character that begins no markup is text.
            if at == start {
                Self.append(units[at], to: &output)
                at += 1
            }
        }
    }

    func unit(_ index: Int) -> UInt32? { index < units.count ? units[index] : nil }

    private mutating func readEmphasis() {
        let isStrong = unit(at + 1) == Self.star
        let length = isStrong ? 2 : 1
        guard beginsMarkup(at, length: length),
            let end = end(of: isStrong ? .strong : .emphasis, from: at + length)
        else { return skip(length) }
        output.append(contentsOf: Self.plain(units[(at + length)..<end]).unicodeScalars)
        at = end + length
    }

    private mutating func readLiteral() {
        guard beginsMarkup(at, length: 2), let end = end(of: .literal, from: at + 2) else {
            return skip(2)
        }
        output.append(contentsOf: Self.raw(units[(at + 2)..<end]).unicodeScalars)
        at = end + 2
    }

    /// Copies characters as text.
    private mutating func skip(_ count: Int) {
        for unit in units[at..<min(at + count, units.count)] { Self.append(unit, to: &output) }
        at = min(at + count, units.count)
    }

    /// Parses text between backquotes, the first of which is at `open`.
    private mutating func readInterpreted(
        role: String?, from open: Int, _ references: inout RSTReferences,
        _ findings: inout Finding.List
    ) {
        let isMarkup = role != nil || beginsMarkup(open, length: 1) || open > at
        guard isMarkup, let end = end(of: .interpreted, from: open + 1) else { return }
        let content = units[(open + 1)..<end]
        at = end + 1
        if let role {
            add(RSTRole(role, &references).text(content), &findings)
        } else if let role = self.role(at, isSuffix: true) {
            at = role.end
            add(RSTRole(role.name, &references).text(content), &findings)
        } else if unit(at) == Self.underscore {
            let isAnonymous = unit(at + 1) == Self.underscore
            at += isAnonymous ? 2 : 1
            addPhrase(content, isAnonymous: isAnonymous, &references)
        } else {
            add(RSTRole(references.defaultRole, &references).text(content), &findings)
        }
    }

    private mutating func add(_ text: RSTRole.Text, _ findings: inout Finding.List) {
        switch text {
        case .text(let text):
            output.append(contentsOf: text.text.unicodeScalars)
            result.links += text.links
        case .leftOut(let words): findings.add(.leftOut, "raw", words, "words")
        }
    }

    /// Adds the text of a link, which may contain its target: `` `text <target>`_ ``.
    private mutating func addPhrase(
        _ content: ArraySlice<UInt32>, isAnonymous: Bool, _ references: inout RSTReferences
    ) {
        var text = content
        var address: String?
        if content.last == 0x3E, let open = content.lastIndex(of: 0x3C),
            open == content.startIndex || Self.isSpace(content[open - 1] & ~Self.escape)
        {
            let inside = Self.plain(content[(open + 1)..<(content.endIndex - 1)])
            text = content[..<open]
            if inside.utf8.last == 0x5F, content[content.endIndex - 2] & Self.escape == 0 {
                address = references.address(of: String(inside.dropLast()))
            } else {
                address = String(decoding: inside.utf8.filter { $0 > 0x20 }, as: UTF8.self)
            }
            if text.isEmpty { text = content[(open + 1)..<(content.endIndex - 1)] }
            let name = Self.plain(text)
            if !isAnonymous, let address { references.name(name, address: address) }
        } else if isAnonymous {
            address = references.nextAnonymous()
        } else {
            address = references.address(of: Self.plain(content))
        }
        output.append(contentsOf: WhiteSpace.collapsed(Self.plain(text)).unicodeScalars)
        if let address, !address.isEmpty { result.links.append(address) }
    }

    private mutating func readSubstitution(
        _ references: inout RSTReferences, _ findings: inout Finding.List
    ) {
        guard beginsMarkup(at, length: 1), let end = end(of: .substitution, from: at + 1) else {
            return
        }
        let name = Self.plain(units[(at + 1)..<end])
        guard depth < Self.depthLimit, let found = references.substitution(name) else {
            findings.add(.notUnderstood, "substitution", 1, "substitutions", detail: name)
            return skip(end + 1 - at)
        }
        switch found {
        case .text(let source):
            let text = Self.text(
                source, references: &references, findings: &findings, depth: depth + 1)
            output.append(contentsOf: WhiteSpace.collapsed(text.text).unicodeScalars)
            result.links += text.links
        case .image(let alt):
            findings.add(.leftOut, "image", 1, "images")
            output.append(contentsOf: alt.unicodeScalars)
        }
        at = end + 1
        guard unit(at) == Self.underscore else { return }
        let isAnonymous = unit(at + 1) == Self.underscore
        at += isAnonymous ? 2 : 1
        let address = isAnonymous ? references.nextAnonymous() : references.address(of: name)
        if let address, !address.isEmpty { result.links.append(address) }
    }

    /// Parses the end of `name_` or `name__`; the name is already in the output.
    private mutating func readReference(_ references: inout RSTReferences) {
        let isAnonymous = unit(at + 1) == Self.underscore
        let after = at + (isAnonymous ? 2 : 1)
        guard at > 0, Self.isWord(units[at - 1]), endsMarkup(after) else { return }
        var start = at
        while start > 0 {
            if Self.isWord(units[start - 1]) {
                start -= 1
            } else if start > 1, start < at, Self.joinsName(units[start - 1]),
                Self.isWord(units[start - 2])
            {
                start -= 1
            } else {
                break
            }
        }
        guard start == 0 || Self.mayPrecede(units[start - 1]) else { return }
        let name = Self.plain(units[start..<at])
        // A name without a target is an identifier that ends with an underscore.
        let found = isAnonymous ? references.nextAnonymous() : references.address(of: name)
        guard let address = found else { return skip(after - at) }
        at = after
        if !address.isEmpty { result.links.append(address) }
    }

    private mutating func readFootnote(_ references: inout RSTReferences) {
        guard at == 0 || Self.mayPrecede(units[at - 1]) else { return }
        var end = at + 1
        while end < units.count, end - at < 100, units[end] > 0x20, units[end] != 0x5D { end += 1 }
        guard unit(end) == 0x5D, end > at + 1, unit(end + 1) == Self.underscore,
            endsMarkup(end + 2)
        else { return }
        let label = references.label(ofReference: Self.plain(units[(at + 1)..<end]))
        output.append(contentsOf: "[\(label)]".unicodeScalars)
        at = end + 2
    }

    /// Parses a URL from its colon on; its scheme is already in the output.
    private mutating func readAddress() {
        guard unit(at + 1) == Self.slash, unit(at + 2) == Self.slash else { return }
        let scheme = String(
            Self.plain(units[max(0, at - 5)..<at]).lowercased().reversed().prefix {
                $0.isASCII && $0.isLetter
            }.reversed())
        guard ["http", "https", "ftp", "ftps"].contains(scheme) else { return }
        var end = at
        while end < units.count, units[end] > 0x20, units[end] & Self.escape == 0 {
            if units[end] == 0x3C || units[end] == 0x3E || units[end] == 0x22 { break }
            if units[end] == Self.backquote || Self.isSpace(units[end]) { break }
            end += 1
        }
        // If a parenthesis opens inside the URL, the one that closes it belongs to the URL too.
        let hasBracket = units[at..<end].contains(0x28)
        while end > at + 3, let scalar = Unicode.Scalar(units[end - 1]),
            ".,;:!?'()[]{}*|".unicodeScalars.contains(scalar), scalar != ")" || !hasBracket
        { end -= 1 }
        guard end > at + 3 else { return }
        result.links.append(scheme + Self.plain(units[at..<end]))
        skip(end - at)
    }
}
