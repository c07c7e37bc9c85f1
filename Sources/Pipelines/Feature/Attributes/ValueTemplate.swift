internal import Artifacts

/// A text with placeholders for parts of a document's path, such as `https://docs.example.com/{path}`.
///
/// `{path}` is the path below the source's folder; `{folder}`, `{name}` and `{stem}` (the name without its extension)
/// are its parts; `{1}`, `{2}` and so on are its components, starting with the first folder. If `{folder}` is empty,
/// the slash after it is left out. `{{` and `}}` are literal braces. In a text that begins like a URL, the inserted
/// values are percent-encoded.
public struct ValueTemplate: Hashable, Sendable {
    private enum Part: Hashable, Sendable {
        case text(String)
        case path, folder, name, stem
        case component(Int)
    }

    /// The template as written.
    public let text: String
    private let parts: [Part]

    /// The placeholders, for messages.
    static let variables = "{path}, {folder}, {name}, {stem}, {1}, {2} ..."

    /// Parses a template.
    ///
    /// - Throws: ``ValueTemplateError`` for an unclosed brace or an unknown placeholder.
    public init(_ text: String) throws(ValueTemplateError) {
        self.text = text
        var parts: [Part] = []
        var literal: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            let isDoubled = rest.first == byte
            switch byte {
            case UInt8(ascii: "{") where isDoubled, UInt8(ascii: "}") where isDoubled:
                literal.append(byte)
                rest = rest.dropFirst()
            case UInt8(ascii: "{"):
                guard let end = rest.firstIndex(of: UInt8(ascii: "}")) else {
                    throw ValueTemplateError(
                        reason: "a { is not closed; write {{ for a literal brace")
                }
                if !literal.isEmpty {
                    parts.append(.text(String(decoding: literal, as: UTF8.self)))
                }
                literal = []
                parts.append(try Self.part(String(decoding: rest[..<end], as: UTF8.self)))
                rest = rest[(end + 1)...]
            default: literal.append(byte)
            }
        }
        if !literal.isEmpty { parts.append(.text(String(decoding: literal, as: UTF8.self))) }
        self.parts = parts
    }

    private static func part(_ word: String) throws(ValueTemplateError) -> Part {
        switch word {
        case "path": return .path
        case "folder": return .folder
        case "name": return .name
        case "stem": return .stem
        default:
            guard let number = Int(word), 1...99 ~= number else {
                throw ValueTemplateError(
                    reason:
                        "unknown placeholder {\(word)}: use \(variables); write {{ for a literal brace"
                )
            }
            return .component(number)
        }
    }

    private var isURL: Bool {
        guard case .text(let text)? = parts.first else { return false }
        return text.utf8.starts(with: "https://".utf8) || text.utf8.starts(with: "http://".utf8)
    }

    /// The text for a document; nil when its path has too few components.
    func value(of place: DocumentPlace) -> String? {
        var result = ""
        var takesSlash = false
        for part in parts {
            let value: String
            switch part {
            case .text(let text):
                let isDropped = takesSlash && text.utf8.first == UInt8(ascii: "/")
                result += isDropped ? String(text.dropFirst()) : text
                takesSlash = false
                continue
            case .path: value = place.path
            case .folder:
                value = place.folder
                takesSlash = value.isEmpty
            case .name: value = place.name
            case .stem: value = place.stem
            case .component(let number):
                guard place.components.indices.contains(number - 1) else { return nil }
                value = place.components[number - 1]
            }
            result += isURL ? Self.escaped(value) : value
        }
        return result
    }

    /// Percent-encodes a part of a URL path (RFC 3986, section 3.3).
    private static func escaped(_ text: String) -> String {
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x2F, 0x5F, 0x7E:
                bytes.append(byte)
            default:
                let digits = Array("0123456789ABCDEF".utf8)
                bytes += [0x25, digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// Why a text is not a template.
public struct ValueTemplateError: Error, Hashable {
    /// The reason, as part of a sentence.
    public let reason: String
}

/// The place of a document below its source, as the file system and the record spell it.
struct DocumentPlace: Sendable {
    /// The path below the source's folder; for a record, the path of its file, a slash and the record's name.
    let path: String
    /// The path without the name; empty in the top folder.
    let folder: String
    /// The last component of the path; for a record, its name.
    let name: String
    /// The name without its extension; for a record, the whole name.
    let stem: String
    /// The components of the path.
    let components: [String]

    init(file: String, record: String? = nil) {
        let names = file.utf8.split(separator: 0x2F).map { String(Substring($0)) }
        guard let record else {
            path = file
            folder = names.dropLast().joined(separator: "/")
            name = names.last ?? file
            stem = Self.stem(of: name)
            components = names
            return
        }
        path = "\(file)/\(record)"
        folder = file
        (name, stem) = (record, record)
        components = names + [record]
    }

    private static func stem(of name: String) -> String {
        guard let dot = name.utf8.lastIndex(of: UInt8(ascii: ".")), dot != name.startIndex else {
            return name
        }
        return String(name[..<dot])
    }
}
