public import Artifacts
internal import Glibc
internal import Storage

/// An embedding service and the parameters of requests to it.
public struct ServiceEndpoint: Sendable {
    /// The address of the service.
    public var address: ServiceAddress
    /// The key to send; nil where the service needs none.
    public var key: ServiceKey?
    /// Further headers; an `Authorization` header replaces the key's.
    public var headers: [ServiceHeader] = []
    /// The maximum number of seconds for one request.
    public var timeout = 60
    /// The maximum number of texts in one request.
    public var batch = 64
    /// How often to retry a request that got lost or met a busy service.
    public var retries = 4
    /// Waits for a number of milliseconds before a retry.
    public var pause: @Sendable (Int) -> Void

    /// Whether requests carry a key, either ``key`` or in a header that services use for keys.
    var isAuthorized: Bool {
        key != nil
            || headers.contains { header in
                ["authorization", "api-key", "x-api-key"].contains(header.name.lowercased())
            }
    }

    /// The environment variable with the address, used when no configuration names one.
    public static let addressVariable = "FTI_EMBED_URL"
    /// The environment variable with the key.
    public static let keyVariable = "FTI_EMBED_KEY"

    /// Makes an endpoint.
    public init(
        _ address: ServiceAddress, key: ServiceKey? = nil,
        pause: @escaping @Sendable (Int) -> Void = ServiceEndpoint.sleep
    ) {
        self.address = address
        self.key = key
        self.pause = pause
    }

    /// The endpoint that environment variables describe; nil when no address is set.
    ///
    /// - Parameter variable: Returns the value of an environment variable; nil when it is not set.
    /// - Throws: `service` when a value cannot be used; the error does not repeat the value.
    public init?(environment variable: (String) -> String?) throws(EmbeddingError) {
        guard let text = variable(Self.addressVariable) else { return nil }
        let address: ServiceAddress
        do throws(ServiceAddress.Malformed) { address = try ServiceAddress(text) } catch {
            throw .service(
                name: "that \(Self.addressVariable) names",
                reason: "cannot be used: its url \(error.reason)",
                .usage, remedy: "export \(Self.addressVariable)=https://HOST/v1/embeddings")
        }
        self.init(address, key: try Self.key(named: Self.keyVariable, variable))
        headers = try ServiceHeader.fromEnvironment(variable)
    }

    /// The key in a variable; nil when it is not set.
    ///
    /// - Throws: `service` when the value cannot be used; the error does not repeat the value.
    public static func key(
        named name: String, _ variable: (String) -> String?
    ) throws(EmbeddingError) -> ServiceKey? {
        guard let secret = variable(name) else { return nil }
        guard let key = ServiceKey(secret) else {
            throw .service(
                name: "key in \(name)",
                reason: "is empty, too long, or has characters other than printable ASCII", .usage)
        }
        return key
    }

    /// Sleeps for a number of milliseconds.
    @Sendable
    public static func sleep(milliseconds: Int) {
        let wanted = timespec(
            tv_sec: max(0, milliseconds) / 1000, tv_nsec: max(0, milliseconds) % 1000 * 1_000_000)
        var (rest, left) = (wanted, wanted)
        while nanosleep(&rest, &left) != 0, errno == EINTR { rest = left }
    }
}

/// The address of an embedding service: an `http` or `https` URL.
///
/// Its printed and stored form omits user information and the query, because both may hold a secret.
public struct ServiceAddress: Sendable, Hashable, CustomStringConvertible {
    /// The address without the parts that may be secret.
    public let description: String
    /// The full address, for requests.
    let full: String
    /// The user information without its `@`, as `user:password`; nil where there is none.
    let userInformation: [UInt8]?
    /// The query without its `?`; nil where there is none.
    let query: [UInt8]?

    /// The maximum number of bytes of an address.
    static let byteLimit = 2048

    /// Parses an address, and appends `/embeddings` unless its path already ends with it.
    ///
    /// - Throws: ``Malformed``, which does not repeat the text.
    public init(_ text: String) throws(Malformed) {
        let bytes = Array(text.utf8)
        guard bytes.count <= Self.byteLimit else { throw Malformed("is too long") }
        guard bytes.allSatisfy({ 0x21...0x7E ~= $0 && $0 != UInt8(ascii: "\\") }) else {
            throw Malformed("has spaces, backslashes, control or non-ASCII characters")
        }
        guard let schemeEnd = bytes.firstIndex(of: UInt8(ascii: ":")),
            bytes[schemeEnd...].starts(with: "://".utf8)
        else { throw Malformed("does not begin with https:// or http://") }
        let scheme = String(decoding: bytes[..<schemeEnd].map { $0 | 0x20 }, as: UTF8.self)
        guard scheme == "http" || scheme == "https" else {
            throw Malformed("has a scheme that is neither https nor http")
        }
        guard !bytes.contains(UInt8(ascii: "#")) else { throw Malformed("has a fragment") }
        let rest = bytes[(schemeEnd + 3)...]
        let pathStart = rest.firstIndex { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") }
        let authority = rest[..<(pathStart ?? rest.endIndex)]
        let at = authority.lastIndex(of: UInt8(ascii: "@"))
        let place = authority[(at.map { $0 + 1 } ?? authority.startIndex)...]
        guard Self.isPlace(place) else { throw Malformed("has no valid host, or an invalid port") }
        let tail = rest[(pathStart ?? rest.endIndex)...]
        let queryStart = tail.firstIndex(of: UInt8(ascii: "?")) ?? tail.endIndex
        var path = Array(tail[..<queryStart])
        while path.last == UInt8(ascii: "/") { path.removeLast() }
        if !path.suffix(Self.ending.count).elementsEqual(Self.ending) { path += Self.ending }
        func joined(_ parts: ArraySlice<UInt8>...) -> String {
            "\(scheme)://" + String(decoding: parts.joined(), as: UTF8.self)
        }
        userInformation = at.map { Array(authority[..<$0]) }
        query = queryStart < tail.endIndex ? Array(tail[(queryStart + 1)...]) : nil
        description = joined(place, path[...])
        full = joined(authority, path[...], tail[queryStart...])
    }

    private static let ending = Array("/embeddings".utf8)

    /// Whether bytes are a host, optionally with a port.
    private static func isPlace(_ place: ArraySlice<UInt8>) -> Bool {
        var host = place
        var port: ArraySlice<UInt8>?
        if place.first == UInt8(ascii: "["), let end = place.firstIndex(of: UInt8(ascii: "]")) {
            host = place[(place.startIndex + 1)..<end]
            guard host.allSatisfy({ isHexadecimal($0) || $0 == 0x3A || $0 == 0x2E }) else {
                return false
            }
            let after = place[(end + 1)...]
            if !after.isEmpty {
                guard after.first == UInt8(ascii: ":") else { return false }
                port = after.dropFirst()
            }
        } else {
            if let colon = place.firstIndex(of: UInt8(ascii: ":")) {
                host = place[..<colon]
                port = place[(colon + 1)...]
            }
            guard host.allSatisfy({ isName($0) }) else { return false }
        }
        if let port {
            guard 1...5 ~= port.count, port.allSatisfy({ 0x30...0x39 ~= $0 }) else { return false }
            let number = port.reduce(0) { $0 * 10 + Int($1 - 0x30) }
            guard 1...65_535 ~= number else { return false }
        }
        return !host.isEmpty
    }

    private static func isHexadecimal(_ byte: UInt8) -> Bool {
        0x30...0x39 ~= byte || 0x61...0x66 ~= byte | 0x20
    }

    private static func isName(_ byte: UInt8) -> Bool {
        0x30...0x39 ~= byte || 0x61...0x7A ~= byte | 0x20 || byte == 0x2D || byte == 0x2E
            || byte == 0x5F
    }

    /// Why a text is not the address of a service.
    public struct Malformed: Error, Hashable {
        /// The predicate of a sentence whose subject is the address.
        public let reason: String

        init(_ reason: String) { self.reason = reason }
    }
}

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
