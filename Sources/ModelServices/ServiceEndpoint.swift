public import Artifacts
internal import Glibc
internal import Storage

/// A service that runs models, and the parameters of requests to it.
public struct ServiceEndpoint: Sendable {
    /// The address of the service.
    public var address: ServiceAddress
    /// The key to send; nil where the service needs none.
    public var key: ServiceKey?
    /// Further headers; an `Authorization` header replaces the key's.
    public var headers: [ServiceHeader] = []
    /// The maximum number of seconds for one request; for a language model, with all its retries.
    public var timeout = 60
    /// The maximum number of texts in one request for embeddings.
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

    /// The headers of every request.
    var headerLines: [String] {
        // The empty `Expect:` stops libcurl from asking the service whether it wants the body.
        var lines = [
            "Content-Type: application/json", "Accept: \(address.api.accepts)", "Expect:",
        ]
        let hasOwn = headers.contains { $0.name.lowercased() == "authorization" }
        if let key, !hasOwn { lines.append("Authorization: Bearer \(key.secret)") }
        return lines + headers.map(\.line)
    }

    /// The environment variable with the address of the embedder, used when no configuration names one.
    public static let addressVariable = "FTI_EMBED_URL"
    /// The environment variable with the key of the embedder.
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

    /// The endpoint of the embedder that environment variables describe; nil when no address is set.
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
        let key = try wrapping(as: EmbeddingError.init) { () throws(ServiceKey.Unusable) in
            try ServiceKey(named: Self.keyVariable, variable)
        }
        self.init(address, key: key)
        headers = try ServiceHeader.fromEnvironment(variable)
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

extension EmbeddingError {
    /// Reports a key that cannot be sent to an embedder.
    public init(_ key: ServiceKey.Unusable) {
        self = .service(name: "key in \(key.variable)", reason: key.reason, .usage)
    }
}
