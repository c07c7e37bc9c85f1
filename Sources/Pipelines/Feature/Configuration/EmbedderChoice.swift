public import EmbeddingService
internal import Artifacts
internal import Objects
internal import Storage

/// What makes the vectors of a run.
public enum EmbedderChoice: Hashable, Sendable {
    /// The embedder of this program.
    case builtin(dimension: Int)
    /// An embedder behind a service.
    case service(Service)

    /// A service, without any secret.
    public struct Service: Hashable, Sendable {
        /// Where it answers.
        public var address: ServiceAddress
        /// The model that it is asked for.
        public var model: ServiceModel
        /// The environment variable that holds the key; nil for the usual one, which need not be set.
        public var keyVariable: String?
        /// The most texts of one request.
        public var batch: Int?
        /// The most seconds of one request.
        public var timeout: Int?

        /// Makes a service.
        public init(
            _ address: ServiceAddress, model: ServiceModel, keyVariable: String? = nil,
            batch: Int? = nil, timeout: Int? = nil
        ) {
            self.address = address
            self.model = model
            self.keyVariable = keyVariable
            self.batch = batch
            self.timeout = timeout
        }
    }

    /// The numbers of a vector.
    public var dimension: Int {
        switch self {
        case .builtin(let dimension): dimension
        case .service(let service): service.model.dimension
        }
    }

    /// What a snapshot says of it.
    var params: JSON {
        switch self {
        case .builtin(let dimension):
            ["name": .string(BuiltinEmbedder.name), "dimension": .integer(dimension)]
        case .service(let service):
            [
                "name": .string(ServiceModel.embedder), "model": .string(service.model.name),
                "url": .string(service.address.description),
                "dimension": .integer(service.model.dimension),
            ]
        }
    }

    /// The embedder, ready.
    ///
    /// - Parameters:
    ///   - known: Spaces that vectors exist in, the preferred ones first.
    ///   - variable: The value of an environment variable, nil when it is not set.
    /// - Throws: `service`, `invalidDimension`.
    func open(
        known: [EmbeddingSpace], variable: (String) -> String?
    ) throws(EmbeddingError) -> any Embedder {
        switch self {
        case .builtin(let dimension): return try BuiltinEmbedder(dimension: dimension)
        case .service(let service):
            var endpoint = ServiceEndpoint(service.address)
            endpoint.key = try ServiceEndpoint.key(
                named: service.keyVariable ?? ServiceEndpoint.keyVariable, variable)
            if endpoint.key == nil, let name = service.keyVariable {
                throw .service(
                    name: service.address.description,
                    reason: "needs a key: the environment variable \(name) is not set", .usage)
            }
            endpoint.batch = service.batch ?? endpoint.batch
            endpoint.timeout = service.timeout ?? endpoint.timeout
            return try ServiceEmbedder(service.model, at: endpoint, known: known)
        }
    }
}
