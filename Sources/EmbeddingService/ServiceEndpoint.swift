public import Artifacts
internal import Storage

/// A service and how it is talked to.
public struct ServiceEndpoint: Sendable {
    /// Where it answers.
    public var address: ServiceAddress
    /// What it is shown; nil where it asks for nothing.
    public var key: ServiceKey?
    /// What requests have besides; a header `Authorization` takes the place of the key's.
    public var headers: [ServiceHeader] = []
    /// The most seconds that one request may take.
    public var timeout = 60
    /// The most texts of one request.
    public var batch = 64
    /// How often a request is repeated that the service was too busy for or that got lost.
    public var retries = 4
    /// Waits for so many milliseconds before a request is repeated.
    public var pause: @Sendable (Int) -> Void

    /// Whether requests have something that says who asks.
    var isAuthorized: Bool {
        key != nil
            || headers.contains { header in
                ["authorization", "api-key", "x-api-key"].contains(header.name.lowercased())
            }
    }

    /// The variable that names the service where no configuration does.
    public static let addressVariable = "FTI_EMBED_URL"
    /// The variable that holds the key.
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

    /// The endpoint that environment variables name; nil when they name none.
    ///
    /// - Parameter variable: The value of an environment variable, nil when it is not set.
    /// - Throws: `service` when a value cannot be used; it is not repeated.
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
        headers = try Self.headers(variable)
    }

    /// The headers in the variable ``ServiceHeader/variable``; none when it is not set.
    ///
    /// - Throws: `service` when it cannot be used; it is not repeated.
    public static func headers(
        _ variable: (String) -> String?
    ) throws(EmbeddingError) -> [ServiceHeader] {
        try ServiceHeader.fromEnvironment(variable)
    }

    /// The key in a variable; nil when it is not set.
    ///
    /// - Throws: `service` when it cannot be used; it is not repeated.
    public static func key(
        named name: String, _ variable: (String) -> String?
    ) throws(EmbeddingError) -> ServiceKey? {
        guard let secret = variable(name) else { return nil }
        guard let key = ServiceKey(secret) else {
            throw .service(
                name: "key in \(name)", reason: "has characters that no key has", .usage)
        }
        return key
    }

    /// Sleeps for so many milliseconds.
    @Sendable
    public static func sleep(milliseconds: Int) { Sleep.milliseconds(milliseconds) }
}
