/// The targets of a reStructuredText document's references, collected before parsing, because references may precede
/// their targets.
struct RSTReferences {
    /// The URLs of named targets.
    private var addresses: [String: String] = [:]
    /// The named places in this document.
    private var places: Set<String> = []
    /// The URLs of anonymous targets, in order.
    private var anonymous: [String] = []
    private var anonymousUses = 0
    /// The definitions of substitutions.
    private var substitutions: [String: Substitution] = [:]
    /// The numbers of footnotes that have a name instead of a number: `[#name]`.
    private var footnotes: [String: Int] = [:]
    /// The numbers of anonymous footnotes, `[#]`, in order.
    private var numbers: [Int] = []
    private var numberUses = 0
    /// How many more bytes substitutions may add; the limit prevents exponential expansion.
    private var budget: Int
    /// The roles that the document derives from `raw`: their text is for another format.
    var rawRoles: Set<String> = []
    /// The role of text in single backquotes.
    var defaultRole = ""

    /// The replacement for a substitution.
    enum Substitution {
        /// Text with inline markup.
        case text(String)
        /// An image, with its alternative text.
        case image(alt: String)
    }

    /// Scans the lines of a document.
    init(_ lines: [MarkupLine]) {
        budget = (1 << 20) + 4 * lines.reduce(0) { $0 + $1.content.count }
        var taken: Set<Int> = []
        var unnumbered: [String] = []
        var index = 0
        while index < lines.count {
            let line = lines[index]
            defer { index += 1 }
            if line.content.starts(with: ".. ".utf8) {
                let rest = line.content.dropFirst(3).drop { $0 == 0x20 }
                switch rest.first {
                case UInt8(ascii: "_"): addTarget(rest, below: lines[index...])
                case UInt8(ascii: "|"): addSubstitution(rest, below: lines[index...])
                case UInt8(ascii: "["):
                    let name = rest.dropFirst().prefix { $0 != UInt8(ascii: "]") }
                    if let number = Int(String(decoding: name, as: UTF8.self)) {
                        taken.insert(number)
                    } else if name.first == UInt8(ascii: "#") {
                        unnumbered.append(String(decoding: name.dropFirst(), as: UTF8.self))
                    }
                default: break
                }
            } else if line.content.starts(with: "__ ".utf8) {
                anonymous.append(Self.address(line.content.dropFirst(3), below: lines[index...]))
            } else if index + 1 < lines.count, line.indent == 0,
                RSTTitle.mark(lines[index + 1], at: 0) != nil
            {
                places.insert(Self.key(line.text))
            }
        }
        var next = 1
        for name in unnumbered {
            while taken.contains(next) { next += 1 }
            taken.insert(next)
            if name.isEmpty { numbers.append(next) } else { footnotes[name] = next }
        }
        // Footnotes take these numbers in the same order as references do, but count separately.
        definitions = numbers.reversed()
    }

    private var definitions: [Int] = []

    // MARK: - Lookup

    /// Returns where a name leads; nil if the document does not define it, "" for a place in this document.
    func address(of name: String) -> String? {
        var key = Self.key(name)
        // A target may be the name of another target.
        for _ in 0..<8 {
            guard let found = addresses[key] else { return places.contains(key) ? "" : nil }
            guard found.utf8.last == UInt8(ascii: "_"), !found.utf8.contains(0x2F) else {
                return found
            }
            key = Self.key(String(found.dropLast()))
        }
        return nil
    }

    /// Records the URL of a name, unless the name has one already.
    mutating func name(_ name: String, address: String) {
        let key = Self.key(name)
        if addresses[key] == nil { addresses[key] = address }
    }

    /// Returns where the next anonymous reference leads; nil if all anonymous targets are used.
    mutating func nextAnonymous() -> String? {
        guard anonymousUses < anonymous.count else { return nil }
        defer { anonymousUses += 1 }
        return anonymous[anonymousUses]
    }

    /// Returns the label of a footnote reference: its number or its name.
    mutating func label(ofReference name: String) -> String {
        guard name.utf8.first == UInt8(ascii: "#") else { return name }
        if name.utf8.count > 1 {
            return footnotes[String(name.dropFirst())].map(String.init) ?? String(name.dropFirst())
        }
        guard numberUses < numbers.count else { return name }
        defer { numberUses += 1 }
        return String(numbers[numberUses])
    }

    /// Returns the label of a footnote.
    mutating func label(ofFootnote name: String) -> String {
        guard name.utf8.first == UInt8(ascii: "#") else { return name }
        if name.utf8.count > 1 { return label(ofReference: name) }
        return definitions.popLast().map(String.init) ?? name
    }

    /// Returns the replacement for a substitution; nil if it is not defined or the byte budget is used up.
    mutating func substitution(_ name: String) -> Substitution? {
        guard let found = substitutions[name] ?? substitutions[name.lowercased()] else {
            return nil
        }
        if case .text(let text) = found {
            guard text.utf8.count <= budget else { return nil }
            budget -= text.utf8.count + 1
        }
        return found
    }

    // MARK: - Definitions

    private mutating func addTarget(_ rest: ArraySlice<UInt8>, below lines: ArraySlice<MarkupLine>)
    {
        guard let target = RSTTarget(rest) else { return }
        let address = Self.address(target.rest, below: lines)
        if target.name.isEmpty {
            anonymous.append(address)
        } else if address.isEmpty {
            places.insert(Self.key(target.name))
        } else {
            name(target.name, address: address)
        }
    }

    /// Joins a URL, which may continue below; the first of `lines` is the line it begins on.
    private static func address(
        _ start: ArraySlice<UInt8>, below lines: ArraySlice<MarkupLine>
    ) -> String {
        var result = Array(start)
        let indent = lines.first?.indent ?? 0
        for line in lines.dropFirst().prefix(8) {
            guard !line.isBlank, line.indent > indent else { break }
            result += line.content
        }
        let text = RSTInline.unescaped(result[...])
        // Unescaped white space is not part of a URL.
        return text.utf8.last == UInt8(ascii: "_") || !text.utf8.contains(0x20)
            ? text : String(decoding: text.utf8.filter { $0 > 0x20 }, as: UTF8.self)
    }

    private mutating func addSubstitution(
        _ rest: ArraySlice<UInt8>, below lines: ArraySlice<MarkupLine>
    ) {
        let name = rest.dropFirst().prefix { $0 != UInt8(ascii: "|") }
        let after = rest[name.endIndex...].dropFirst().drop { $0 == 0x20 }
        guard !name.isEmpty, let directive = RSTDirective.Head(after) else { return }
        let key = String(decoding: name, as: UTF8.self)
        let indent = lines.first?.indent ?? 0
        var text = directive.rest.map { String(decoding: $0, as: UTF8.self) } ?? ""
        var alt = ""
        for line in lines.dropFirst().prefix(50) {
            guard !line.isBlank, line.indent > indent else { break }
            let content = line.text
            if content.hasPrefix(":alt:") {
                alt = WhiteSpace.collapsed(String(content.dropFirst(5)))
            } else if !content.hasPrefix(":") {
                text += " " + content
            }
        }
        let found: Substitution
        switch directive.name {
        case "replace": found = .text(text)
        case "unicode": found = .text(Self.characters(text))
        case "image": found = .image(alt: alt)
        default: return
        }
        if substitutions[key] == nil { substitutions[key] = found }
        if substitutions[key.lowercased()] == nil { substitutions[key.lowercased()] = found }
    }

    /// Converts the content of a `unicode` directive: code points and text.
    private static func characters(_ text: String) -> String {
        var result = ""
        for word in text.split(separator: " ") {
            if word == ".." { break }
            let digits = ["0x", "x", "\\x", "U+", "u", "\\u", "&#x"].lazy
                .first { word.hasPrefix($0) && word.utf8.count > $0.utf8.count }
                .map { word.dropFirst($0.count).prefix { $0 != ";" } }
            if let digits, let value = UInt32(digits, radix: 16), let scalar = Unicode.Scalar(value)
            {
                result.unicodeScalars.append(scalar)
            } else if let value = UInt32(word), let scalar = Unicode.Scalar(value) {
                result.unicodeScalars.append(scalar)
            } else {
                result += result.isEmpty ? String(word) : " \(word)"
            }
        }
        return result
    }

    /// Normalizes a name: case and white space do not matter.
    static func key(_ name: String) -> String {
        WhiteSpace.collapsed(name).lowercased()
    }
}

/// A target's name and the text after it: `_name: address`, `` _`a name`: `` or `__: address`.
struct RSTTarget {
    /// The name; empty for an anonymous target.
    let name: String
    /// The start of the URL; empty if the target is this place.
    let rest: ArraySlice<UInt8>

    /// Parses the text after `.. `; nil if it is not a target.
    init?(_ text: ArraySlice<UInt8>) {
        guard text.first == UInt8(ascii: "_") else { return nil }
        let body = text.dropFirst()
        if body.starts(with: "_:".utf8) {
            name = ""
            rest = body.dropFirst(2).drop { $0 == 0x20 }
            return
        }
        let isQuoted = body.first == UInt8(ascii: "`")
        var at = isQuoted ? body.startIndex + 1 : body.startIndex
        let start = at
        while at < body.endIndex {
            if body[at] == UInt8(ascii: "\\") {
                at += 2
                continue
            }
            if isQuoted ? body[at] == UInt8(ascii: "`") : body[at] == UInt8(ascii: ":") {
                let colon = isQuoted ? at + 1 : at
                guard colon < body.endIndex, body[colon] == UInt8(ascii: ":"),
                    colon + 1 == body.endIndex || body[colon + 1] == 0x20
                else {
                    if isQuoted { return nil }
                    at += 1
                    continue
                }
                guard at > start else { return nil }
                name = RSTInline.unescaped(body[start..<at])
                rest = body[(colon + 1)...].drop { $0 == 0x20 }
                return
            }
            at += 1
        }
        return nil
    }
}
