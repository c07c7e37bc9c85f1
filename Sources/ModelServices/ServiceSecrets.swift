public import Artifacts
internal import Storage

/// A secret for a service. It never prints itself.
public struct ServiceKey: Sendable, CustomStringConvertible, CustomDebugStringConvertible,
    CustomReflectable
{
    let secret: String

    /// Takes a secret of 1 to 4096 bytes of printable ASCII without spaces; nil for any other.
    public init?(_ secret: String) {
        let isSafe = secret.utf8.allSatisfy { 0x21...0x7E ~= $0 }
        guard isSafe, 1...4096 ~= secret.utf8.count else { return nil }
        self.secret = secret
    }

    /// The key in an environment variable; nil when the variable is not set.
    ///
    /// - Parameter variable: Returns the value of an environment variable; nil when it is not set.
    /// - Throws: ``Unusable`` when the value cannot be a key.
    public init?(named name: String, _ variable: (String) -> String?) throws(Unusable) {
        guard let secret = variable(name) else { return nil }
        guard let key = ServiceKey(secret) else { throw Unusable(variable: name) }
        self = key
    }

    /// Why a variable holds no key; does not repeat its value.
    public struct Unusable: Error, Hashable {
        /// The name of the variable.
        public let variable: String
        /// The predicate of a sentence whose subject is the key.
        public var reason: String {
            "is empty, too long, or has characters other than printable ASCII"
        }
    }

    /// A placeholder without the secret.
    public var description: String { "***" }
    /// A placeholder without the secret.
    public var debugDescription: String { "***" }
    /// A mirror without children, so that dumps omit the secret.
    public var customMirror: Mirror { Mirror(self, children: []) }
}

/// A request header. It never prints its value, which may be a secret.
public struct ServiceHeader: Sendable, CustomStringConvertible, CustomDebugStringConvertible,
    CustomReflectable
{
    /// The name.
    public let name: String
    let value: String

    /// The environment variable with headers, used when no configuration names any: one per line, as `name: value`.
    public static let variable = "FTI_EMBED_HEADERS"

    /// Headers that only the program and libcurl may set.
    private static let reserved: Set<String> = [
        "connection", "content-encoding", "content-length", "content-type", "expect", "host",
        "te", "trailer", "transfer-encoding", "upgrade",
    ]

    /// Makes a header; nil when its name or value cannot be sent.
    public init?(_ name: String, _ value: String) {
        guard Self.isName(name), value.utf8.allSatisfy({ 0x20...0x7E ~= $0 }),
            1...4096 ~= value.utf8.count, value.utf8.first != 0x20, value.utf8.last != 0x20
        else { return nil }
        self.name = name
        self.value = value
    }

    /// Whether requests may carry a header of this name.
    public static func isName(_ name: String) -> Bool {
        let isToken = name.utf8.allSatisfy { byte in
            0x30...0x39 ~= byte || 0x61...0x7A ~= byte | 0x20
                || "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
        return isToken && 1...100 ~= name.utf8.count && !reserved.contains(name.lowercased())
    }

    /// The headers in ``variable``; none when it is not set.
    ///
    /// - Throws: `service` when the value cannot be used; the error does not repeat the value.
    public static func fromEnvironment(
        _ variable: (String) -> String?
    ) throws(EmbeddingError) -> [ServiceHeader] {
        var headers: [ServiceHeader] = []
        for line in (variable(Self.variable) ?? "").split(whereSeparator: \.isNewline) {
            let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            let trimmed = parts.map { part in
                String(part.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
            }
            guard trimmed.count == 2, let header = ServiceHeader(trimmed[0], trimmed[1]) else {
                throw .service(
                    name: "headers in \(Self.variable)", reason: "cannot be sent", .usage,
                    remedy: "export \(Self.variable)='api-key: KEY', one header on each line")
            }
            headers.append(header)
        }
        return headers
    }

    /// The header's line in a request.
    var line: String { "\(name): \(value)" }

    /// The strings to redact wherever they occur: the whole value, and its words of 8 bytes or more.
    var secrets: [String] {
        [value] + value.split(separator: " ").map(String.init).filter { $0.utf8.count >= 8 }
    }

    /// The name, with a placeholder for the value.
    public var description: String { "\(name): ***" }
    /// The name, with a placeholder for the value.
    public var debugDescription: String { description }
    /// A mirror without children, so that dumps omit the value.
    public var customMirror: Mirror { Mirror(self, children: []) }
}
