public import Artifacts
public import Objects
internal import Storage
internal import Synchronization

/// An embedder behind a service with OpenAI's embeddings API.
///
/// Thread-safe: each thread uses a connection of its own. Vectors are scaled to length 1.
public struct ServiceEmbedder: Embedder {
    /// See ``Embedder``.
    public let space: EmbeddingSpace
    private let model: ServiceModel
    private let client: ServiceClient

    /// The maximum number of bytes of text in a request of several texts.
    private static let requestBytes = 512 << 10
    /// The number of concurrent requests; services would only throttle more.
    private static let requestsAtOnce = 4

    private init(_ model: ServiceModel, _ client: ServiceClient, space: EmbeddingSpace) {
        self.model = model
        self.client = client
        self.space = space
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
            asked.embedder.model, asked.embedder.client, space: same ?? fresh)
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
        return ServiceEmbedder(asked.embedder.model, asked.embedder.client, space: space)
    }

    /// The vectors of canary texts, and an embedder with the request format that produced them.
    ///
    /// When the model's own dimension is greater than the configured one, a second request sets `dimensions`. The
    /// first request omits it, because many services refuse members that they do not know.
    private static func canaries(
        _ texts: [String], of model: ServiceModel, at endpoint: ServiceEndpoint
    ) throws(EmbeddingError) -> (embedder: ServiceEmbedder, vectors: [[Float]]) {
        let blank = model.space(canaries: [])
        let asking = ServiceEmbedder(
            model, ServiceClient(endpoint, model: model.name), space: blank)
        let own: Int
        do throws(Refusal) {
            return (asking, try asking.request(texts, as: .document) { _, _ in })
        } catch {
            guard case .dimension(let found, _) = error, found > model.dimension,
                model.request.document[EmbeddingExchange.dimensionMember] == nil
            else { throw asking.failure(error.problem) }
            own = found
        }
        var model = model
        model.asksForDimension = true
        let shortened = ServiceEmbedder(model, asking.client, space: blank)
        do throws(Refusal) {
            return (shortened, try shortened.request(texts, as: .document) { _, _ in })
        } catch {
            var problem = error.problem
            if error.isFinal {
                problem.reason =
                    "answers with vectors of \(own) numbers; asked for \(model.dimension), it "
                    + problem.reason
                problem.remedy = "set embed.dimension to \(own)"
            }
            throw shortened.failure(problem)
        }
    }

    /// Why texts have no vectors.
    private enum Refusal: Error {
        /// The service failed, or refuses the request.
        case service(ServiceProblem, isFinal: Bool)
        /// The vectors have another number of components.
        case dimension(Int, ServiceProblem)

        var problem: ServiceProblem {
            switch self {
            case .service(let problem, _), .dimension(_, let problem): problem
            }
        }

        var isFinal: Bool { if case .service(_, false) = self { false } else { true } }
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
            throw failure(error.problem)
        }
    }

    /// See ``Embedder``.
    public func requests(for texts: [String]) -> Int { batches(texts, .document).count }

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
            if batch.count == client.endpoint.batch
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
        var other: Int?
        do throws(ServiceFailure) {
            return try client.retrying { () throws(ServiceFailure) in
                let (answer, head) = try client.answer(to: body, limit: exchange.limit)
                do throws(EmbeddingExchange.UnusableAnswer) {
                    return try exchange.vectors(in: answer)
                } catch {
                    let said = ServiceExplanation(answer)
                    // Some services and proxies return errors with status 200 and put the real status in the body.
                    if error.dimension == nil, let status = said.status {
                        throw client.failure(status, said, retryAfter: head.retryAfter)
                    }
                    other = error.dimension
                    throw .final(
                        client.unusable(
                            error.reason, other == nil ? said : nil,
                            remedy: other.map { "set embed.dimension to \($0)" }))
                }
            }
        } catch {
            guard let problem = error.problem else { preconditionFailure("there is no deadline") }
            if let other { throw .dimension(other, problem) }
            if case .passing = error { throw .service(problem, isFinal: false) }
            throw .service(problem, isFinal: true)
        }
    }

    private func failure(_ problem: ServiceProblem) -> EmbeddingError {
        .service(
            name: client.endpoint.address.description, reason: problem.reason, problem.fault,
            remedy: problem.remedy, said: problem.explanation)
    }
}

/// Opens embedders behind the service that the user names.
public struct ServiceProvider: EmbedderProvider {
    private let endpoint: ServiceEndpoint?

    /// See ``EmbedderProvider``.
    public let name = EmbeddingSpace.serviceName

    /// Makes a provider.
    ///
    /// - Parameter endpoint: The service to use; nil where the user names none.
    public init(_ endpoint: ServiceEndpoint?) { self.endpoint = endpoint }

    /// See ``EmbedderProvider``.
    public func open(
        _ space: EmbeddingSpace, in source: any ObjectSource
    ) throws(EmbeddingError) -> any Embedder {
        guard let endpoint else { throw .serviceUnknown(space: space.id, model: space.version) }
        return try ServiceEmbedder.open(space, at: endpoint)
    }
}
