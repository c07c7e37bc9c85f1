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
        let asked = try Self.canaries(ServiceModel.canaryTexts, of: model, at: endpoint)
        let fresh = model.space(canaries: asked.vectors)
        let same = known.first { space in
            space.declaredDifferences(from: fresh).isEmpty
                && space.canaries.map(\.text) == fresh.canaries.map(\.text)
                && space.firstDifference(from: asked.vectors) == nil
        }
        self.init(
            asked.embedder.model, at: endpoint, space: same ?? fresh, asked.embedder.connections)
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
        let asked = try Self.canaries(space.canaries.map(\.text), of: model, at: endpoint)
        self.init(asked.embedder.model, at: endpoint, space: space, asked.embedder.connections)
        try space.check(asked.vectors)
    }

    /// The vectors of canary texts, and an embedder that asks as they were asked for.
    ///
    /// A model whose own dimension is greater is asked once more, with `dimensions`: only then, because many
    /// services refuse a member that they do not know.
    private static func canaries(
        _ texts: [String], of model: ServiceModel, at endpoint: ServiceEndpoint
    ) throws(EmbeddingError) -> (embedder: ServiceEmbedder, vectors: [[Float]]) {
        let blank = model.space(canaries: [])
        let asking = ServiceEmbedder(model, at: endpoint, space: blank, Connections())
        let own: Int
        do throws(Refusal) {
            return (asking, try asking.made(texts, as: .document) { _, _ in })
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
            return (shortened, try shortened.made(texts, as: .document) { _, _ in })
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
        /// The service understood the request and does not do what it says.
        case final(EmbeddingError)
        /// Vectors have another count of numbers.
        case dimension(Int, EmbeddingError)
        /// Another time it may.
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

    /// See ``Embedder``. Several requests are under way at once, and what one of them brings is told although
    /// another fails.
    public func embed(
        _ texts: [String], as role: EmbeddingRole, made: @Sendable (Int, [[Float]]) -> Void
    ) throws(EmbeddingError) -> [[Float]] {
        do throws(Refusal) { return try self.made(texts, as: role, made) } catch {
            throw error.reason
        }
    }

    private func made(
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
            // What would be asked for after a failure would be paid for and thrown away.
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
                    do throws(EmbeddingExchange.Unusable) {
                        return try exchange.vectors(in: answer.bytes)
                    } catch {
                        // Some services and proxies answer errors with status 200 and name the status inside.
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
                    "could not be reached: \(reason)", remedy: "repeat the command when it answers")
            case .failure(.impossible(let reason)):
                throw .final(
                    failure("could not be asked: \(reason)", remedy: ServiceStatus.checkAddress))
            case .failure(.tooLong(let limit)):
                throw .final(
                    failure(
                        "answers with more than \(limit) bytes", remedy: ServiceStatus.checkAddress)
                )
            }
            guard attempt < endpoint.retries else { throw .passing(problem) }
            let usual = 500 << min(attempt, 6)
            // Jitter, so that several programs do not come back together.
            endpoint.pause(
                min(Self.longestPause, max(wanted, usual) + Int.random(in: 0...usual / 2)))
            attempt += 1
        }
    }

    private func send(
        _ body: [UInt8], limit: Int
    ) -> Result<Connection.Answer, Connection.Failure> {
        // The empty line keeps a service from being asked first whether it wants the body.
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
        _ answer: EmbeddingExchange.Unusable, _ said: ServiceExplanation
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
