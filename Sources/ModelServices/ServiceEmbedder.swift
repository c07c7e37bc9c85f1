public import Artifacts
internal import Objects
internal import Storage
internal import Synchronization

/// An embedder behind a service with OpenAI's embeddings API.
///
/// Thread-safe: each thread uses a connection of its own. Vectors are scaled to length 1.
public struct ServiceEmbedder: Embedder {
    /// See ``Embedder``.
    public let space: EmbeddingSpace
    private let model: ServiceModel
    private let endpoint: ServiceEndpoint
    private let connections: Connections

    /// Open connections that no thread uses at the moment.
    private final class Connections: Sendable {
        let idle = Mutex<[Connection]>([])
    }

    /// The maximum number of bytes of text in a request of several texts.
    private static let requestBytes = 512 << 10
    /// The number of concurrent requests; services would only throttle more.
    private static let requestsAtOnce = 4
    /// The longest wait in milliseconds before a retry, even if the service asks for more.
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

    /// Opens a service: embeds the canary texts to find the space of its vectors.
    ///
    /// A service does not reproduce vectors to the last bit. If a known space describes this model, and its canaries
    /// match within its tolerance, that space is reused; otherwise the space is new.
    ///
    /// - Parameter known: Spaces that already hold vectors, in order of preference.
    /// - Throws: `service`.
    public static func open(
        _ model: ServiceModel, at endpoint: ServiceEndpoint, known: [EmbeddingSpace]
    ) throws(EmbeddingError) -> ServiceEmbedder {
        let asked = try canaries(ServiceModel.canaryTexts, of: model, at: endpoint)
        let fresh = model.space(canaries: asked.vectors)
        let same = known.first { space in
            space.declaredDifferences(from: fresh).isEmpty
                && space.canaries.map(\.text) == fresh.canaries.map(\.text)
                && space.firstDifference(from: asked.vectors) == nil
        }
        return ServiceEmbedder(
            asked.embedder.model, at: endpoint, space: same ?? fresh, asked.embedder.connections)
    }

    /// Opens the embedder of an existing space, and checks its canaries.
    ///
    /// - Throws: `unavailable` when the space belongs to no service; `embedderDiffers` when its description does not
    ///   match this program's requests; `canaryDiffers` when the service returns other vectors; `service`.
    static func open(
        _ space: EmbeddingSpace, at endpoint: ServiceEndpoint
    ) throws(EmbeddingError) -> ServiceEmbedder {
        guard let model = ServiceModel(of: space), ServiceModel.dimensions.contains(model.dimension)
        else {
            throw .unavailable(space: space.id, embedder: space.embedder, version: space.version)
        }
        let differences = space.declaredDifferences(from: model.space(canaries: []))
        guard differences.isEmpty else {
            throw .embedderDiffers(space: space.id, differences: differences)
        }
        let asked = try canaries(space.canaries.map(\.text), of: model, at: endpoint)
        try space.check(asked.vectors)
        return ServiceEmbedder(
            asked.embedder.model, at: endpoint, space: space, asked.embedder.connections)
    }

    /// The vectors of canary texts, and an embedder with the request format that produced them.
    ///
    /// When the model's own dimension is greater than the configured one, a second request sets `dimensions`. The
    /// first request omits it, because many services refuse members that they do not know.
    private static func canaries(
        _ texts: [String], of model: ServiceModel, at endpoint: ServiceEndpoint
    ) throws(EmbeddingError) -> (embedder: ServiceEmbedder, vectors: [[Float]]) {
        let blank = model.space(canaries: [])
        let asking = ServiceEmbedder(model, at: endpoint, space: blank, Connections())
        let own: Int
        do throws(Refusal) {
            return (asking, try asking.request(texts, as: .document) { _, _ in })
        } catch {
            guard case .dimension(let found, _) = error, found > model.dimension,
                model.request.document[EmbeddingExchange.dimensionMember] == nil
            else { throw error.reason }
            own = found
        }
        var model = model
        model.asksForDimension = true
        let shortened = ServiceEmbedder(model, at: endpoint, space: blank, asking.connections)
        do throws(Refusal) {
            return (shortened, try shortened.request(texts, as: .document) { _, _ in })
        } catch {
            guard error.isFinal, case .service(_, let reason, let fault, _) = error.reason else {
                throw error.reason
            }
            throw shortened.failure(
                "answers with vectors of \(own) numbers; asked for \(model.dimension), it "
                    + reason, fault, remedy: "set embed.dimension to \(own)")
        }
    }

    /// Why texts have no vectors.
    private enum Refusal: Error {
        /// The service understood the request and refuses it.
        case final(EmbeddingError)
        /// The vectors have another number of components.
        case dimension(Int, EmbeddingError)
        /// A later attempt may succeed.
        case passing(EmbeddingError)

        var reason: EmbeddingError {
            switch self {
            case .final(let reason), .dimension(_, let reason), .passing(let reason): reason
            }
        }

        var isFinal: Bool { if case .passing = self { false } else { true } }
    }

    /// See ``Embedder``.
    public func embed(_ text: String, as role: EmbeddingRole) throws(EmbeddingError) -> [Float] {
        try embed([text], as: role).first ?? []
    }

    /// See ``Embedder``. Sends several requests at once, and reports the vectors of each that succeeds, even if another
    /// fails.
    public func embed(
        _ texts: [String], as role: EmbeddingRole, made: @Sendable (Int, [[Float]]) -> Void
    ) throws(EmbeddingError) -> [[Float]] {
        do throws(Refusal) { return try request(texts, as: role, made) } catch {
            throw error.reason
        }
    }

    private func request(
        _ texts: [String], as role: EmbeddingRole, _ made: @Sendable (Int, [[Float]]) -> Void
    ) throws(Refusal) -> [[Float]] {
        let prefix = role == .query ? model.queryPrefix : model.documentPrefix
        let exchanges = batches(prefix.isEmpty ? texts : texts.map { prefix + $0 }, role)
        var count = 0
        let starts = exchanges.map { exchange in
            defer { count += exchange.texts.count }
            return count
        }
        let hasFailed = Atomic(false)
        let results = Threads.map(exchanges.count, threads: Self.requestsAtOnce) { index in
            // Sends nothing more after a failure, because the call fails anyway.
            guard !hasFailed.load(ordering: .relaxed) else {
                return Result<[[Float]], Refusal>.success([])
            }
            do throws(Refusal) {
                let vectors = try ask(exchanges[index])
                made(starts[index], vectors)
                return .success(vectors)
            } catch {
                hasFailed.store(true, ordering: .relaxed)
                return .failure(error)
            }
        }
        var vectors: [[Float]] = []
        vectors.reserveCapacity(texts.count)
        for case .failure(let error) in results { throw error }
        for result in results { vectors += try result.get() }
        return vectors
    }

    private func batches(_ texts: [String], _ role: EmbeddingRole) -> [EmbeddingExchange] {
        var result: [EmbeddingExchange] = []
        var batch: [String] = []
        var bytes = 0
        for text in texts {
            if batch.count == endpoint.batch
                || !batch.isEmpty && bytes + text.utf8.count > Self.requestBytes
            {
                result.append(EmbeddingExchange(model: model, texts: batch, role: role))
                batch = []
                bytes = 0
            }
            batch.append(text)
            bytes += text.utf8.count
        }
        if !batch.isEmpty {
            result.append(EmbeddingExchange(model: model, texts: batch, role: role))
        }
        return result
    }

    private func ask(_ exchange: EmbeddingExchange) throws(Refusal) -> [[Float]] {
        let body = exchange.body
        var attempt = 0
        while true {
            let problem: EmbeddingError
            var wanted = 0
            switch send(body, limit: exchange.limit) {
            case .success(let answer):
                var status = answer.status
                var said: ServiceExplanation?
                if status == 200 {
                    do throws(EmbeddingExchange.UnusableAnswer) {
                        return try exchange.vectors(in: answer.bytes)
                    } catch {
                        // Some services and proxies return errors with status 200 and put the real status in the body.
                        let explanation = ServiceExplanation(answer.bytes)
                        guard let inner = explanation.status else {
                            throw unusable(error, explanation)
                        }
                        (status, said) = (inner, explanation)
                    }
                }
                problem = failure(status, said ?? ServiceExplanation(answer.bytes))
                guard ServiceStatus.isPassing(status) else { throw .final(problem) }
                wanted = min(answer.retryAfter, Self.longestPause / 1000) * 1000
            case .failure(.lost(let reason)):
                problem = failure(
                    "could not be reached: \(reason)",
                    remedy: "repeat the command when the service answers")
            case .failure(.impossible(let reason)):
                throw .final(
                    failure("cannot be called: \(reason)", remedy: ServiceStatus.checkAddress))
            case .failure(.tooLong(let limit)):
                throw .final(
                    failure(
                        "answers with more than \(limit) bytes", remedy: ServiceStatus.checkAddress)
                )
            }
            guard attempt < endpoint.retries else { throw .passing(problem) }
            let usual = 500 << min(attempt, 6)
            // Adds jitter so that several programs do not retry in step.
            endpoint.pause(
                min(Self.longestPause, max(wanted, usual) + Int.random(in: 0...usual / 2)))
            attempt += 1
        }
    }

    private func send(
        _ body: [UInt8], limit: Int
    ) -> Result<Connection.Answer, Connection.Failure> {
        // The empty `Expect:` stops libcurl from asking the service whether it wants the body.
        var headers = ["Content-Type: application/json", "Accept: application/json", "Expect:"]
        let isAuthorized = endpoint.headers.contains { $0.name.lowercased() == "authorization" }
        if let key = endpoint.key, !isAuthorized {
            headers.append("Authorization: Bearer \(key.secret)")
        }
        headers += endpoint.headers.map(\.line)
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

    private func unusable(
        _ answer: EmbeddingExchange.UnusableAnswer, _ said: ServiceExplanation
    ) -> Refusal {
        if let dimension = answer.dimension {
            return .dimension(
                dimension, failure(answer.reason, remedy: "set embed.dimension to \(dimension)"))
        }
        let shown = said.shown(hiding: redaction)
        return .final(
            failure(
                answer.reason + (shown.isEmpty ? "" : ": \(shown)"),
                remedy: ServiceStatus.checkAddress))
    }

    private var redaction: Redaction {
        Redaction(endpoint.address, endpoint.key, headers: endpoint.headers)
    }

    private func failure(_ status: Int, _ said: ServiceExplanation) -> EmbeddingError {
        let shown = said.shown(hiding: redaction)
        let what = ServiceStatus.meaning(status, model: model.name, hasKey: endpoint.isAuthorized)
        return failure(
            "\(what) (status \(status))" + (shown.isEmpty ? "" : ": \(shown)"),
            300...399 ~= status ? .refused : .io, remedy: ServiceStatus.remedy(status))
    }

    private func failure(
        _ reason: String, _ fault: Fault = .io, remedy: String
    ) -> EmbeddingError {
        .service(
            name: endpoint.address.description, reason: reason, fault, remedy: remedy)
    }
}

extension EmbedderSource {
    /// Makes a source of built-in embedders and of those behind a service.
    ///
    /// - Parameter endpoint: The service to use; nil to use none.
    public init(endpoint: ServiceEndpoint?) {
        guard let endpoint else {
            self.init()
            return
        }
        self.init { space throws(EmbeddingError) in
            try ServiceEmbedder.open(space, at: endpoint)
        }
    }
}
