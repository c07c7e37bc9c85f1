public import Objects

/// The name of a ref: a namespace and at least one more component, such as `models/current`.
///
/// Components after the namespace match `[a-z0-9][a-z0-9._-]*` and do not end in `.lock`; the whole name
/// has at most ``byteLimit`` bytes. Names are ASCII, so that comparing them as text compares bytes.
public struct RefName: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The name as it is written and stored.
    public let text: String
    /// The namespace, which is the first component.
    public let namespace: RefNamespace

    /// The maximum number of bytes that a name may have: short enough for a line of output.
    public static let byteLimit = 200

    /// Parses the name of a ref, which need not exist.
    ///
    /// - Throws: `invalidName` when the text is not a name; `unknownNamespace` when only its first component is not one
    ///   of the four namespaces.
    public init(_ text: some StringProtocol) throws(RefError) {
        try self.init(utf8: Array(text.utf8))
    }

    /// Parses a name from bytes, which need not be valid UTF-8.
    init(utf8 bytes: [UInt8]) throws(RefError) {
        func invalid(_ reason: String) -> RefError {
            .invalidName(Quoting.quoted(bytes), reason: reason)
        }
        guard !bytes.isEmpty else { throw invalid("it is empty") }
        guard bytes.count <= Self.byteLimit else {
            throw invalid("it has \(bytes.count) bytes, more than the \(Self.byteLimit) allowed")
        }
        let components = bytes.split(separator: 0x2F, omittingEmptySubsequences: false)
        guard components.count > 1 else {
            throw invalid("expected a namespace and a name, as in models/current")
        }
        for component in components {
            if let reason = Self.objection(to: component) { throw invalid(reason) }
        }
        guard let namespace = RefNamespace(rawValue: String(decoding: components[0], as: UTF8.self))
        else { throw .unknownNamespace(String(decoding: components[0], as: UTF8.self)) }
        self.text = String(decoding: bytes, as: UTF8.self)
        self.namespace = namespace
    }

    /// The components of the name, the namespace first.
    public var components: [Substring] { text.split(separator: "/") }

    /// Same as ``text``.
    public var description: String { text }

    /// Orders names by their bytes.
    public static func < (left: RefName, right: RefName) -> Bool {
        left.text.utf8.lexicographicallyPrecedes(right.text.utf8)
    }

    private static func objection(to component: some Collection<UInt8>) -> String? {
        guard let first = component.first else { return "a component is empty" }
        for byte in component where !byte.isNameByte || byte.isCapital {
            return byte.isCapital
                ? "capital letters are not allowed"
                : "only a-z, 0-9, '.', '_', '-' and '/' are allowed"
        }
        if !first.isAlphanumeric { return "a component begins with '\(Unicode.Scalar(first))'" }
        return component.suffix(5).elementsEqual(".lock".utf8) ? "a component ends in .lock" : nil
    }
}

/// Classes of ASCII characters.
extension UInt8 {
    var isDigit: Bool { (0x30...0x39).contains(self) }
    var isCapital: Bool { (0x41...0x5A).contains(self) }
    var isAlphanumeric: Bool { isDigit || isCapital || (0x61...0x7A).contains(self) }
    /// Whether it is a letter, a digit, `-`, `.` or `_`.
    var isNameByte: Bool { isAlphanumeric || self == 0x2D || self == 0x2E || self == 0x5F }
}

/// The first component of a ref's name, which determines the kind of snapshot that the ref points at.
public enum RefNamespace: String, CaseIterable, Sendable, Hashable {
    /// `features/*`
    case features
    /// `datasets/*`
    case datasets
    /// `models/*`
    case models
    /// `releases/*`
    case releases

    /// The kind of snapshot that refs of this namespace point at.
    public var kind: Snapshot.Kind {
        switch self {
        case .features: .features
        case .datasets: .dataset
        case .models: .model
        case .releases: .release
        }
    }

    /// The namespace for a kind of snapshot.
    public init(_ kind: Snapshot.Kind) {
        self =
            switch kind {
            case .features: .features
            case .dataset: .datasets
            case .model: .models
            case .release: .releases
            }
    }

    /// All namespaces, as messages list them: `features, datasets, models or releases`.
    static var listing: String {
        let names = allCases.map(\.rawValue)
        return names.dropLast().joined(separator: ", ") + " or " + (names.last ?? "")
    }
}

/// A pattern of refs: one name, or all names below a prefix, as in `models/*`.
public struct RefPattern: Hashable, Sendable, CustomStringConvertible {
    private enum Form: Hashable {
        case one(RefName)
        /// The prefix, which ends in `/`.
        case below(String)
    }

    private let form: Form

    /// Matches one ref.
    public init(_ name: RefName) { form = .one(name) }

    /// Parses one name, or a prefix followed by `/*`.
    ///
    /// - Throws: `invalidName` or `unknownNamespace` when it is neither a name nor a prefix followed by `/*`.
    public init(_ text: String) throws(RefError) {
        let bytes = Array(text.utf8)
        guard bytes.suffix(2).elementsEqual("/*".utf8) else {
            form = .one(try RefName(text))
            return
        }
        // With any name in place of the star, the pattern must be a name.
        _ = try RefName(String(decoding: bytes.dropLast(), as: UTF8.self) + "x")
        form = .below(String(decoding: bytes.dropLast(), as: UTF8.self))
    }

    /// The ref, if the pattern is one name.
    public var only: RefName? {
        if case .one(let name) = form { name } else { nil }
    }

    /// Whether the pattern matches a ref.
    public func matches(_ name: RefName) -> Bool {
        switch form {
        case .one(let only): name == only
        case .below(let beginning): name.text.utf8.starts(with: beginning.utf8)
        }
    }

    /// The text that parses as this pattern.
    public var description: String {
        switch form {
        case .one(let name): name.text
        case .below(let beginning): beginning + "*"
        }
    }
}

/// Makes foreign text safe for messages: one line, no control characters, bounded length.
enum Quoting {
    /// The maximum number of bytes of foreign text in a message.
    private static let limit = 100

    /// The text in quotes, with ASCII control characters as `\xNN` and other control or invisible characters as `?`.
    static func quoted(_ bytes: some Collection<UInt8>, limit: Int = limit) -> String {
        let shown = Array(bytes.prefix(limit))
        var text = ""
        // The limit may split a character, whose bytes then show as replacement characters.
        for scalar in String(decoding: shown, as: UTF8.self).unicodeScalars {
            switch scalar.value {
            case 0..<0x20, 0x7F: text += "\\x" + Hexadecimal.encode([UInt8(scalar.value)])
            case 0x80..<0xA0, 0x200B...0x200F, 0x202A...0x202E, 0x2060...0x2069, 0xFEFF: text += "?"
            default: text.unicodeScalars.append(scalar)
            }
        }
        return "'\(text)\(bytes.count > limit ? "..." : "")'"
    }

    /// The text of ``quoted(_:)`` without its quotes: for display, never for a lookup.
    static func plain(_ text: String, limit: Int = limit) -> String {
        String(quoted(Array(text.utf8), limit: limit).dropFirst().dropLast())
    }

    static func quoted(_ text: some StringProtocol) -> String { quoted(Array(text.utf8)) }
}
