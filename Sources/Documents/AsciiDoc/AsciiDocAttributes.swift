/// The attributes of an AsciiDoc document, whose values replace `{name}` references in its text.
struct AsciiDocAttributes {
    private var values: [String: String] = [
        "empty": "", "blank": "", "sp": " ", "nbsp": "\u{A0}", "zwsp": "", "wj": "", "lt": "<",
        "gt": ">", "amp": "&", "apos": "'", "quot": "\"", "lsquo": "‘", "rsquo": "’",
        "ldquo": "“", "rdquo": "”", "deg": "°", "plus": "+", "brvbar": "¦", "vbar": "|",
        "startsb": "[", "endsb": "]", "caret": "^", "asterisk": "*", "tilde": "~",
        "backslash": "\\", "backtick": "`", "two-colons": "::", "two-semicolons": ";;",
        "cpp": "C++", "pp": "++", "idprefix": "_", "idseparator": "_",
    ]
    /// How many more bytes attribute values may add to the text; the limit prevents exponential expansion.
    private var budget: Int

    /// Longer values are truncated to this many Unicode scalars.
    private static let valueLimit = 4096

    /// Creates the predefined attributes for a document of `size` bytes.
    init(size: Int) { budget = (1 << 20) + 4 * size }

    subscript(name: String) -> String? { values[name] }

    /// Parses the name and the value from a line `:name: value`; nil for any other line.
    static func entry(_ line: ArraySlice<UInt8>) -> (name: String, value: ArraySlice<UInt8>)? {
        guard line.first == UInt8(ascii: ":"), line.count > 2 else { return nil }
        let name = line.dropFirst().prefix { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x5F, 0x21: true
            default: byte >= 0x80
            }
        }
        let rest = line[name.endIndex...]
        guard !name.isEmpty, rest.first == UInt8(ascii: ":"),
            rest.count == 1 || rest[rest.startIndex + 1] <= 0x20
        else { return nil }
        return (String(decoding: name, as: UTF8.self), rest.dropFirst().drop { $0 <= 0x20 })
    }

    /// Sets an attribute, or removes it if its name begins or ends with `!`.
    mutating func set(_ name: String, _ value: String) {
        let key = name.filter { $0 != "!" }.lowercased()
        guard key.utf8.count == name.utf8.count else { return values[key] = nil }
        values[key] = String(Substring(expanded(value).unicodeScalars.prefix(Self.valueLimit)))
    }

    /// Replaces each `{name}` with the attribute's value. References to unset attributes, escaped references and those
    /// beyond the byte budget stay as they are.
    mutating func expanded(_ text: String) -> String {
        guard text.utf8.contains(UInt8(ascii: "{")) else { return text }
        let bytes = Array(text.utf8)
        var result: [UInt8] = []
        var index = 0
        while index < bytes.count {
            if bytes[index] == UInt8(ascii: "{"), index == 0 || bytes[index - 1] != 0x5C,
                let (name, end) = Self.name(bytes, from: index + 1)
            {
                if let value = values[name.lowercased()], value.utf8.count <= budget {
                    budget -= value.utf8.count + 1
                    result += value.utf8
                } else {
                    result += bytes[index..<end]
                }
                index = end
            } else {
                result.append(bytes[index])
                index += 1
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    private static func name(_ bytes: [UInt8], from start: Int) -> (name: String, end: Int)? {
        var end = start
        while end < bytes.count, end - start < 100 {
            switch bytes[end] {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x5F: end += 1
            case UInt8(ascii: "}"):
                guard end > start else { return nil }
                return (String(decoding: bytes[start..<end], as: UTF8.self), end + 1)
            default: return nil
            }
        }
        return nil
    }

    /// Returns the identifier that Asciidoctor gives a section.
    func identifier(of title: String) -> String {
        let separator = values["idseparator"] ?? ""
        var words: [String] = [""]
        for scalar in title.lowercased().unicodeScalars {
            switch scalar {
            case " ", "-", ".": if words.last != "" { words.append("") }
            case "a"..."z", "0"..."9", "_": words[words.count - 1].unicodeScalars.append(scalar)
            default:
                if scalar.value >= 0x80, scalar.properties.isAlphabetic {
                    words[words.count - 1].unicodeScalars.append(scalar)
                }
            }
        }
        if words.last == "" { words.removeLast() }
        return (values["idprefix"] ?? "") + words.joined(separator: separator)
    }
}

/// An attribute list, from brackets above a block or after a macro: `style#id.role%option,name=value`.
struct AsciiDocAttributeList {
    /// The unnamed values, in order; the first without its `#id`, `.role` and `%option` shorthand.
    private(set) var positional: [String] = []
    private(set) var named: [String: String] = [:]
    private(set) var id: String?
    private(set) var options: Set<String> = []

    /// The name of the block's style, or an empty string if it has none.
    var style: String { positional.first ?? "" }

    init() {}

    /// Parses the text between the brackets.
    init(_ text: String) {
        let format = DelimitedText(escape: UInt8(ascii: "\\"))
        for (index, part) in Self.parts(text).enumerated() {
            if let (name, value) = Self.member(part) {
                let value = format.rows(value).first?.joined(separator: ",") ?? ""
                named[name] = value
                if name == "id" { id = value }
                if name == "options" || name == "opts" {
                    options.formUnion(
                        value.split(separator: ",").map { WhiteSpace.collapsed(String($0)) })
                }
            } else if index == 0 {
                readShorthand(part)
            } else {
                positional.append(Self.unquoted(part))
            }
        }
    }

    /// Returns the identifier that an attribute line sets: `[[id]]`, `[#id]` or `[id=name]`.
    static func anchor(_ text: String) -> String? {
        guard text.hasPrefix("["), text.hasSuffix("]") else { return Self(text).id }
        return String(text.dropFirst().dropLast().prefix { $0 != "," })
    }

    /// Merges the attributes of another line above the same block.
    mutating func add(_ other: AsciiDocAttributeList) {
        if !other.positional.isEmpty, other.style != "" || other.positional.count > 1 {
            positional = other.positional
        }
        named.merge(other.named) { $1 }
        id = other.id ?? id
        options.formUnion(other.options)
    }

    private mutating func readShorthand(_ text: String) {
        let isShorthand = !text.hasPrefix("\"") && !text.utf8.contains(0x20)
        guard isShorthand else { return positional.append(Self.unquoted(text)) }
        var mark: Character = " "
        var value = ""
        func take(into list: inout AsciiDocAttributeList) {
            switch mark {
            case "#": if !value.isEmpty { list.id = value }
            case "%": list.options.insert(value)
            case ".": break
            default: list.positional.append(value)
            }
            value = ""
        }
        for character in text {
            if character == "#" || character == "%" || character == "." {
                take(into: &self)
                mark = character
            } else {
                value.append(character)
            }
        }
        take(into: &self)
    }

    /// Splits at commas outside quotes.
    private static func parts(_ text: String) -> [String] {
        var result: [String] = []
        var part: [UInt8] = []
        var quote: UInt8?
        for byte in text.utf8 {
            if let open = quote {
                if byte == open { quote = nil }
            } else if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") && part.last == 0x3D {
                quote = byte
            } else if byte == UInt8(ascii: ",") {
                result.append(WhiteSpace.collapsed(String(decoding: part, as: UTF8.self)))
                part = []
                continue
            }
            part.append(byte)
        }
        result.append(WhiteSpace.collapsed(String(decoding: part, as: UTF8.self)))
        return result
    }

    private static func member(_ part: String) -> (name: String, value: String)? {
        guard let equals = part.utf8.firstIndex(of: 0x3D) else { return nil }
        let name = part[..<equals]
        guard !name.isEmpty,
            name.utf8.allSatisfy({
                (0x61...0x7A).contains($0 | 0x20) || (0x30...0x39).contains($0) || $0 == 0x2D
                    || $0 == 0x5F
            })
        else { return nil }
        return (String(name), unquoted(String(part[part.utf8.index(after: equals)...])))
    }

    private static func unquoted(_ text: String) -> String {
        guard let quote = text.utf8.first, quote == 0x22 || quote == 0x27, text.utf8.count > 1,
            text.utf8.last == quote
        else { return text }
        return String(text.dropFirst().dropLast())
    }
}
