public import Artifacts
public import Storage

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

    /// The key in the environment variable that a setting names.
    ///
    /// - Parameters:
    ///   - setting: The name of the setting, for messages, such as `generator.key`.
    ///   - name: Its value.
    ///   - variable: Returns the value of an environment variable; nil when it is not set.
    /// - Throws: The reason that there is no key. Errors omit a value that may be the key itself.
    public init(
        setting: String, naming name: String, _ variable: (String) -> String?
    ) throws(ServiceKeyError) {
        guard Self.isVariable(name) else { throw .notVariable(setting: setting) }
        let found: ServiceKey?
        do throws(Unusable) { found = try ServiceKey(named: name, variable) } catch {
            throw .unusable(error)
        }
        guard let found else { throw .unset(setting: setting, variable: name) }
        self = found
    }

    /// Whether a text is the name of an environment variable as settings write it: at most 64 capital letters, digits
    /// and underscores, not starting with a digit. A key that someone pasted by mistake rarely looks like that.
    public static func isVariable(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        return bytes.count <= 64 && !(0x30...0x39 ~= bytes.first ?? 0x30)
            && bytes.allSatisfy { 0x41...0x5A ~= $0 || 0x30...0x39 ~= $0 || $0 == 0x5F }
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

/// Why a setting that names an environment variable leads to no key.
public enum ServiceKeyError: Diagnosable, Hashable {
    /// The value of the setting is not the name of a variable. It may be the key itself, so the error omits it.
    case notVariable(setting: String)
    /// The variable is not set.
    case unset(setting: String, variable: String)
    /// The variable's value cannot be a key.
    case unusable(ServiceKey.Unusable)

    /// See `Diagnosable`.
    public var fault: Fault { .usage }

    /// See `Diagnosable`.
    public var message: String {
        switch self {
        case .notVariable(let setting):
            "\(setting) must be the name of an environment variable that holds the key, such as "
                + "LLM_KEY, not the key itself"
        case .unset(let setting, let variable):
            "\(setting) names the environment variable \(variable), which is not set"
        case .unusable(let error): "the key in \(error.variable) \(error.reason)"
        }
    }

    /// See `Diagnosable`.
    public var remedy: String? {
        switch self {
        case .notVariable: "export LLM_KEY=KEY, and name LLM_KEY"
        case .unset(_, let variable): "export \(variable)=KEY"
        case .unusable: nil
        }
    }
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
