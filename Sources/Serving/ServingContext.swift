public import Hummingbird
public import Objects

/// What a route knows of its request, beside the request itself.
public struct ServingContext: RequestContext {
    /// What Hummingbird keeps: the parameters of the path and the logger.
    public var coreContext: CoreRequestContextStorage
    /// The identity of the request: the client's `X-Request-Id` if it is well-formed, or a new one.
    public internal(set) var requestID = ""
    /// The moment by which the response must be complete; cancelled when the client leaves or the server cannot wait.
    public internal(set) var deadline: Deadline
    /// The name of the token that the client sent; nil where none is needed.
    public internal(set) var token: String?
    /// The address of the client: that of the connection, or the one that a trusted proxy names.
    public internal(set) var address = "unknown"
    /// The greatest size of a body in bytes.
    public internal(set) var bodyLimit = ServerLimits().bodyBytes
    var exchange: Exchange?
    var budget: RequestBudget?
    var failures = FailureMapping()
    let connection: Connection?

    /// Makes the context of a request that has just arrived.
    public init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        deadline = Deadline(after: ServerLimits().requestTime)
        connection = Connection.current
    }

    /// See `RequestContext`.
    public var maxUploadSize: Int { bodyLimit }

    /// Whom the request counts for where clients share something: the name of the token, or else the address.
    public var client: String { token ?? address }

    /// Runs blocking work on a pool until the request's deadline.
    ///
    /// - Throws: `WorkPool.Refusal`, or the error of the work.
    public func run<Result: Sendable>(
        on pool: WorkPool, _ work: @escaping @Sendable () throws -> Result
    ) async throws -> Result {
        try await pool.run(by: deadline, for: client, work)
    }

    /// The value of a parameter of the path, decoded.
    ///
    /// - Throws: ``HTTPFailure`` with status 400 for a value that is not UTF-8, has a control character, or has `.` or
    ///   `..` as a part between slashes; with 404 when the route has no such parameter.
    public func pathParameter(_ name: String) throws(HTTPFailure) -> String {
        guard let raw = parameters.get(name) else {
            throw HTTPFailure(.notFound, "the path has no \(name)", code: "not_found")
        }
        guard let value = PathSegment.decode(raw) else {
            throw HTTPFailure(
                .badRequest, "the \(name) in the path is malformed", code: "invalid_path",
                param: name)
        }
        return value
    }
}
