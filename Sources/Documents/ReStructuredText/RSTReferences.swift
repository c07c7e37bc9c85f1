/// What the references of a reStructuredText document may lead to, gathered before it is read, since they
/// may stand before what they name.
struct RSTReferences {
    /// The addresses of named targets.
    private var addresses: [String: String] = [:]
    /// Named places in the document itself.
    private var places: Set<String> = []
    /// The addresses of targets without a name, in order.
    private var anonymous: [String] = []
    private var anonymousUses = 0
    /// What stands for substitutions.
    private var substitutions: [String: Substitution] = [:]
    /// The numbers of footnotes that have names.
    private var footnotes: [String: Int] = [:]
    /// The numbers of footnotes without names, in order.
    private var numbers: [Int] = []
    private var numberUses = 0
    /// The bytes that substitutions may still add.
    private var budget: Int
    /// Roles that the document makes of `raw`: their text is for another format.
    var rawRoles: Set<String> = []
    /// The role of text between single backquotes.
    var defaultRole = ""

    /// What stands for a substitution: text, or nothing where it is an image.
    enum Substitution {
        /// Text with inline markup.
        case text(String)
        /// An image, with the text that describes it.
        case image(alt: String)
    }

    /// Looks through the lines of a document.
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
        // Definitions use the numbers in the same order as references do, but by themselves.
        definitions = numbers.reversed()
    }

    private var definitions: [Int] = []

    // MARK: Use

    /// Where a name leads; nil when the document does not say, "" when to a place in it.
    func address(of name: String) -> String? {
        var key = Self.key(name)
        // An address may be the name of another target.
        for _ in 0..<8 {
            guard let found = addresses[key] else { return places.contains(key) ? "" : nil }
            guard found.utf8.last == UInt8(ascii: "_"), !found.utf8.contains(0x2F) else {
                return found
            }
            key = Self.key(String(found.dropLast()))
        }
        return nil
    }

    /// Names an address that stands in the text.
    mutating func name(_ name: String, address: String) {
        let key = Self.key(name)
        if addresses[key] == nil { addresses[key] = address }
    }

    /// Where the next reference without a name leads.
    mutating func nextAnonymous() -> String? {
        guard anonymousUses < anonymous.count else { return nil }
        defer { anonymousUses += 1 }
        return anonymous[anonymousUses]
    }

    /// What a footnote is called in the text: its number, or its name.
    mutating func label(ofReference name: String) -> String {
        guard name.utf8.first == UInt8(ascii: "#") else { return name }
        if name.utf8.count > 1 {
            return footnotes[String(name.dropFirst())].map(String.init) ?? String(name.dropFirst())
        }
        guard numberUses < numbers.count else { return name }
        defer { numberUses += 1 }
        return String(numbers[numberUses])
    }

    /// What a footnote is called where it stands.
    mutating func label(ofFootnote name: String) -> String {
        guard name.utf8.first == UInt8(ascii: "#") else { return name }
        if name.utf8.count > 1 { return label(ofReference: name) }
        return definitions.popLast().map(String.init) ?? name
    }

    /// What stands for a substitution; nil when it is not defined, or when too much was put in already.
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

    // MARK: Definitions

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

    /// An address, which may go on in the lines below; the first of those is the line that it stands on.
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
        // White space that is not escaped is no part of an address.
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

    /// The text of a `unicode` directive: numbers of characters, and text.
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

    /// Names are the same whatever their case and their white space.
    static func key(_ name: String) -> String {
        WhiteSpace.collapsed(name).lowercased()
    }
}

/// The name of a target and what follows it: `_name: address`, `` _`a name`: `` or `__: address`.
struct RSTTarget {
    /// Its name; empty when it has none.
    let name: String
    /// The start of the address; empty when the target is the place where it stands.
    let rest: ArraySlice<UInt8>

    /// Reads what stands behind `.. `; nil when it is no target.
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
