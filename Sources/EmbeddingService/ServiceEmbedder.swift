public import Artifacts
internal import Objects
internal import Storage
internal import Synchronization

/// An embedder behind a service with OpenAI's embeddings API.
///
/// It can be used from several threads; each has a connection of its own. Vectors are scaled to length 1.
public struct ServiceEmbedder: Embedder {
    /// See ``Embedder``.
    public let space: EmbeddingSpace
    private let model: ServiceModel
    private let endpoint: ServiceEndpoint
    private let connections: Connections

    /// Connections that nobody uses at the moment.
    private final class Connections: Sendable {
        let idle = Mutex<[Connection]>([])
    }

    /// The most bytes of text in one request.
    private static let requestBytes = 512 << 10
    /// More requests at once would only be told to wait.
    private static let requestsAtOnce = 4
    /// Nobody waits longer than this for one repetition, whatever the service asks for.
    private static let longestPause = 60_000

    private init(
        _ model: ServiceModel, at endpoint: ServiceEndpoint, space: EmbeddingSpace,
        _ connections: Connections
    ) {
        self.model = model
        self.endpoint = endpoint
        self.space = space
        self.connections = connections
    }

    /// Asks a service for the canaries, and finds the space that its vectors are of.
    ///
    /// A service does not repeat itself to the last bit, so a space that is known already and whose canaries
    /// are met within its tolerance is the space; otherwise it is a new one.
    ///
    /// - Parameter known: Spaces that vectors exist in, the preferred ones first.
    /// - Throws: `service`.
    public init(
        _ model: ServiceModel, at endpoint: ServiceEndpoint, known: [EmbeddingSpace]
    ) throws(EmbeddingError) {
        let connections = Connections()
        let blank = model.space(canaries: [])
        let asking = ServiceEmbedder(model, at: endpoint, space: blank, connections)
        let vectors = try asking.embed(ServiceModel.canaryTexts, as: .document)
        let fresh = model.space(canaries: vectors)
        let same = known.first { space in
            space.declaredDifferences(from: fresh).isEmpty
                && space.canaries.map(\.text) == fresh.canaries.map(\.text)
                && space.firstDifference(from: vectors) == nil
        }
        self.init(model, at: endpoint, space: same ?? fresh, connections)
    }

    /// The embedder of a space that exists, its canaries checked.
    ///
    /// - Throws: `unavailable` when the space is of no service, `embedderDiffers` when it describes what this
    ///   program would not do, `canaryDiffers` when the service gives other vectors, `service`.
    public init(of space: EmbeddingSpace, at endpoint: ServiceEndpoint) throws(EmbeddingError) {
        guard let model = ServiceModel(of: space), ServiceModel.dimensions.contains(model.dimension)
        else {
            throw .unavailable(space: space.id, embedder: space.embedder, version: space.version)
        }
        let differences = space.declaredDifferences(from: model.space(canaries: []))
        guard differences.isEmpty else {
            throw .embedderDiffers(space: space.id, differences: differences)
        }
        self.init(model, at: endpoint, space: space, Connections())
        try space.check(self)
    }

    /// See ``Embedder``.
    public func embed(_ text: String, as role: EmbeddingRole) throws(EmbeddingError) -> [Float] {
        try embed([text], as: role).first ?? []
    }

    /// See ``Embedder``. Several requests are under way at once.
    public func embed(
        _ texts: [String], as role: EmbeddingRole
    ) throws(EmbeddingError) -> [[Float]] {
        let prefix = role == .query ? model.queryPrefix : model.documentPrefix
        let exchanges = batches(prefix.isEmpty ? texts : texts.map { prefix + $0 })
        let results = Threads.map(exchanges.count, threads: Self.requestsAtOnce) { index in
            do throws(EmbeddingError) {
                return Result<[[Float]], EmbeddingError>.success(try ask(exchanges[index]))
            } catch {
                return .failure(error)
            }
        }
        var vectors: [[Float]] = []
        vectors.reserveCapacity(texts.count)
        for result in results { vectors += try result.get() }
        return vectors
    }

    private func batches(_ texts: [String]) -> [EmbeddingExchange] {
        var result: [EmbeddingExchange] = []
        var batch: [String] = []
        var bytes = 0
        for text in texts {
            if batch.count == endpoint.batch
                || !batch.isEmpty && bytes + text.utf8.count > Self.requestBytes
            {
                result.append(EmbeddingExchange(model: model, texts: batch))
                batch = []
                bytes = 0
            }
            batch.append(text)
            bytes += text.utf8.count
        }
        if !batch.isEmpty { result.append(EmbeddingExchange(model: model, texts: batch)) }
        return result
    }

    private func ask(_ exchange: EmbeddingExchange) throws(EmbeddingError) -> [[Float]] {
        let body = exchange.body
        var attempt = 0
        while true {
            let problem: String
            var wanted = 0
            switch send(body, limit: exchange.limit) {
            case .success(let answer) where answer.status == 200:
                return try vectors(exchange, answer)
            case .success(let answer):
                problem = explained(answer)
                guard Self.passing.contains(answer.status) else {
                    throw failure(problem, 300...399 ~= answer.status ? .refused : .io)
                }
                wanted = min(answer.retryAfter, Self.longestPause / 1000) * 1000
            case .failure(.lost(let reason)): problem = "could not be reached: \(reason)"
            case .failure(.impossible(let reason)):
                throw failure("could not be asked: \(reason)")
            case .failure(.tooLong(let limit)):
                throw failure("answers with more than \(limit) bytes")
            }
            guard attempt < endpoint.retries else { throw failure(problem) }
            let usual = 500 << min(attempt, 6)
            // Jitter, so that several programs do not come back together.
            endpoint.pause(
                min(Self.longestPause, max(wanted, usual) + Int.random(in: 0...usual / 2)))
            attempt += 1
        }
    }

    /// What a service answers with while it is too busy or somebody in between is.
    private static let passing: Set<Int> = [408, 429, 500, 502, 503, 504]

    private func send(
        _ body: [UInt8], limit: Int
    ) -> Result<Connection.Answer, Connection.Failure> {
        // The empty line keeps a service from being asked first whether it wants the body.
        var headers = ["Content-Type: application/json", "Accept: application/json", "Expect:"]
        if let key = endpoint.key { headers.append("Authorization: Bearer \(key.secret)") }
        do throws(Connection.Failure) {
            let idle = connections.idle.withLock { $0.popLast() }
            let connection = if let idle { idle } else { try Connection() }
            let answer = try connection.post(
                body, to: endpoint.address.full, headers: headers, limit: limit,
                timeout: endpoint.timeout)
            connections.idle.withLock { $0.append(connection) }
            return .success(answer)
        } catch {
            return .failure(error)
        }
    }

    private func vectors(
        _ exchange: EmbeddingExchange, _ answer: Connection.Answer
    ) throws(EmbeddingError) -> [[Float]] {
        do throws(EmbeddingExchange.Unusable) {
            return try exchange.vectors(in: answer.bytes)
        } catch {
            throw failure(error.reason)
        }
    }

    private func explained(_ answer: Connection.Answer) -> String {
        let shown = EmbeddingExchange.explanation(
            in: answer.bytes, hiding: Redaction(endpoint.address, endpoint.key))
        let what =
            switch answer.status {
            case 300...399: "answers with a redirect, which is not followed"
            case 401, 403: endpoint.key == nil ? "asks for a key" : "refuses the key"
            case 404: "has nothing at this address, or no model \(model.name)"
            case 429: "has had too many requests"
            default: "fails"
            }
        return "\(what) (status \(answer.status))" + (shown.isEmpty ? "" : ": \(shown)")
    }

    private func failure(_ reason: String, _ fault: Fault = .io) -> EmbeddingError {
        .service(name: endpoint.address.description, reason: reason, fault)
    }
}
