internal import Artifacts
internal import Storage

/// A header that requests to a service have. It does not print its value, which may be a secret.
public struct ServiceHeader: Sendable, CustomStringConvertible, CustomDebugStringConvertible,
    CustomReflectable
{
    /// The name.
    public let name: String
    let value: String

    /// The variable that holds headers where no configuration names any: one on each line, as `name: value`.
    public static let variable = "FTI_EMBED_HEADERS"

    /// The program decides these itself.
    private static let reserved: Set<String> = [
        "connection", "content-encoding", "content-length", "content-type", "expect", "host",
        "te", "trailer", "transfer-encoding", "upgrade",
    ]

    /// Takes a header; nil when its value cannot be sent.
    public init?(_ name: String, _ value: String) {
        guard Self.isName(name), value.utf8.allSatisfy({ 0x20...0x7E ~= $0 }),
            1...4096 ~= value.utf8.count, value.utf8.first != 0x20, value.utf8.last != 0x20
        else { return nil }
        self.name = name
        self.value = value
    }

    /// Whether requests may have a header of this name.
    public static func isName(_ name: String) -> Bool {
        let isToken = name.utf8.allSatisfy { byte in
            0x30...0x39 ~= byte || 0x61...0x7A ~= byte | 0x20
                || "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
        return isToken && 1...100 ~= name.utf8.count && !reserved.contains(name.lowercased())
    }

    /// The headers in the variable; none when it is not set.
    ///
    /// - Throws: `service` when it cannot be used; it is not repeated.
    static func fromEnvironment(
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

    /// The line of the request.
    var line: String { "\(name): \(value)" }

    /// What of the value is hidden wherever it turns up: all of it, and its words.
    var secrets: [String] {
        [value] + value.split(separator: " ").map(String.init).filter { $0.utf8.count >= 8 }
    }

    /// Nothing of the value.
    public var description: String { "\(name): ***" }
    /// Nothing of the value.
    public var debugDescription: String { description }
    /// Nothing of the value.
    public var customMirror: Mirror { Mirror(self, children: []) }
}
