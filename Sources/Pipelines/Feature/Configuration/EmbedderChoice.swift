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
        /// The headers that requests have besides.
        public var headers: [HeaderTemplate]
        /// The most texts of one request.
        public var batch: Int?
        /// The most seconds of one request.
        public var timeout: Int?

        /// Makes a service.
        public init(
            _ address: ServiceAddress, model: ServiceModel, keyVariable: String? = nil,
            headers: [HeaderTemplate] = [], batch: Int? = nil, timeout: Int? = nil
        ) {
            self.address = address
            self.model = model
            self.keyVariable = keyVariable
            self.headers = headers
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
            service.params
        }
    }

    /// Whether its vectors have to be paid for, so that those of an interrupted run are kept.
    var isService: Bool { if case .service = self { true } else { false } }

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
                    reason: "needs a key: the environment variable \(name) is not set", .usage,
                    remedy: "export \(name)=KEY")
            }
            endpoint.headers =
                service.headers.isEmpty
                ? try ServiceEndpoint.headers(variable)
                : try service.headers.map { (header) throws(EmbeddingError) in
                    try header.resolved(for: service.address, variable)
                }
            endpoint.batch = service.batch ?? endpoint.batch
            endpoint.timeout = service.timeout ?? endpoint.timeout
            return try ServiceEmbedder(service.model, at: endpoint, known: known)
        }
    }
}

extension EmbedderChoice.Service {
    /// What a snapshot says of it: nothing of keys and headers.
    fileprivate var params: JSON {
        var object = JSONObject()
        object["name"] = .string(ServiceModel.embedder)
        object["model"] = .string(model.name)
        object["url"] = .string(address.description)
        object["dimension"] = .integer(model.dimension)
        if !model.request.isEmpty { object["request"] = model.request.json }
        return .object(object)
    }
}
