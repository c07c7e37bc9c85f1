/// The name of a ref: a namespace and at least one more component, such as `models/current`.
///
/// Components after the namespace match `[a-z0-9][a-z0-9._-]*` and do not end in `.lock`; the whole name
/// has at most ``byteLimit`` bytes. Names are ASCII, so that comparing them as text compares bytes.
public struct RefName: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The name as it is written and stored.
    public let text: String
    /// What the ref's first component is.
    public let namespace: RefNamespace

    /// The most bytes that a name may have: it fits into one log line and one terminal line.
    public static let byteLimit = 200

    /// Reads a name.
    ///
    /// - Throws: `invalidName` when the text is no name; `unknownNamespace` when only its first component
    ///   is not one of the four.
    public init(_ text: some StringProtocol) throws(RefError) {
        try self.init(utf8: Array(text.utf8))
    }

    /// Reads a name from bytes, which may be anything.
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
            throw invalid("a namespace and a name are expected, as in models/current")
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

    /// Compares the bytes of the names.
    public static func == (left: RefName, right: RefName) -> Bool { left.text == right.text }

    /// Hashes the bytes of the name.
    public func hash(into hasher: inout Hasher) { hasher.combine(text) }

    private static func objection(to component: some Collection<UInt8>) -> String? {
        guard let first = component.first else { return "a component is empty" }
        for byte in component where !isAllowed(byte) {
            switch byte {
            case 0x41...0x5A: return "capital letters are not allowed"
            default: return "only a-z, 0-9, '.', '_', '-' and '/' are allowed"
            }
        }
        switch first {
        case 0x2E: return "a component begins with '.'"
        case 0x2D: return "a component begins with '-'"
        case 0x5F: return "a component begins with '_'"
        default: break
        }
        return component.suffix(5).elementsEqual(".lock".utf8) ? "a component ends in .lock" : nil
    }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x61...0x7A, 0x30...0x39, 0x2D, 0x2E, 0x5F: true
        default: false
        }
    }
}
