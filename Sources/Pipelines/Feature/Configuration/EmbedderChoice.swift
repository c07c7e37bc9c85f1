internal import Artifacts
internal import Encoders
public import ModelServices
internal import Objects
internal import Refs
internal import Storage
internal import YAML

/// The embedder of a run.
public enum EmbedderChoice: Hashable, Sendable {
    /// The built-in embedder.
    case builtin(dimension: Int)
    /// A sentence embedder of the BERT family, whose model is in the repository at a revision.
    case bert(model: String)
    /// An embedder behind a service.
    case service(Service)

    /// A service, without secrets.
    public struct Service: Hashable, Sendable {
        /// The address of the service.
        public var address: ServiceAddress
        /// The model to request.
        public var model: ServiceModel
        /// The environment variable that holds the key; nil for the default variable, which may be unset.
        public var keyVariable: String?
        /// Further request headers.
        public var headers: [HeaderTemplate]
        /// The maximum number of texts in one request.
        public var batch: Int?
        /// The maximum number of seconds for one request.
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

    /// The embedder as snapshots record it.
    var params: JSON {
        switch self {
        case .builtin(let dimension):
            ["name": .string(BuiltinEmbedder.name), "dimension": .integer(dimension)]
        case .bert(let model):
            ["name": .string(SentenceEncoder.name), "model": .string(model)]
        case .service(let service):
            service.params
        }
    }

    /// Whether vectors cost so much time or money that an interrupted run keeps them.
    var isExpensive: Bool { if case .builtin = self { false } else { true } }
}

extension EmbedderChoice.Service {
    /// Opens the service.
    ///
    /// - Parameters:
    ///   - known: Spaces that already hold vectors, in order of preference.
    ///   - variable: Returns the value of an environment variable; nil when it is not set.
    /// - Throws: `service`.
    func open(
        known: [EmbeddingSpace], variable: (String) -> String?
    ) throws(EmbeddingError) -> any Embedder {
        var endpoint = ServiceEndpoint(address)
        endpoint.key = try wrapping(as: EmbeddingError.init) {
            () throws(ServiceKey.Unusable) in
            try ServiceKey(named: keyVariable ?? ServiceEndpoint.keyVariable, variable)
        }
        if endpoint.key == nil, let name = keyVariable {
            throw .service(
                name: address.description,
                reason: "needs a key: the environment variable \(name) is not set", .usage,
                remedy: "export \(name)=KEY")
        }
        endpoint.headers =
            headers.isEmpty
            ? try ServiceHeader.fromEnvironment(variable)
            : try headers.map { (header) throws(EmbeddingError) in
                try header.resolved(for: address, variable)
            }
        endpoint.batch = batch ?? endpoint.batch
        endpoint.timeout = timeout ?? endpoint.timeout
        return try ServiceEmbedder.open(model, at: endpoint, known: known)
    }

    /// The service as snapshots record it, without key and headers.
    fileprivate var params: JSON {
        var object = JSONObject()
        object["name"] = .string(EmbeddingSpace.serviceName)
        object["model"] = .string(model.name)
        object["url"] = .string(address.description)
        object["dimension"] = .integer(model.dimension)
        if !model.request.isEmpty { object["request"] = model.request.json }
        return .object(object)
    }
}

extension EmbedderChoice {
    /// Reads the key `embed` of a configuration; a `url` selects a service, otherwise the `name` decides.
    init(_ mapping: YAMLMapping?) throws(ConfigurationError) {
        guard var mapping else {
            self = .builtin(dimension: 384)
            return
        }
        if let url = try mapping.text("url") {
            self = .service(try Self.service(url, &mapping))
        } else {
            self = try Self.local(&mapping)
        }
    }

    /// An embedder that runs here.
    private static func local(_ mapping: inout YAMLMapping) throws(ConfigurationError) -> Self {
        let name = try mapping.text("name")
        switch name?.value ?? BuiltinEmbedder.name {
        case BuiltinEmbedder.name: return .builtin(dimension: try builtin(&mapping))
        case SentenceEncoder.name:
            guard let model = try mapping.text("model") else {
                throw mapping.error(
                    "embed.model is missing: a revision of the model in the repository, such as "
                        + "models/embedder", line: name?.line)
            }
            do throws(RefError) { _ = try Revision(model.value) } catch {
                throw mapping.error("embed.model: \(error.message)", line: model.line)
            }
            try mapping.finish(known: ["name", "model"])
            return .bert(model: model.value)
        default:
            throw mapping.error(
                "embed.name is \(name?.value ?? ""): without a url, the embedders are "
                    + "\(BuiltinEmbedder.name) and \(SentenceEncoder.name)", line: name?.line)
        }
    }

    private static func builtin(_ mapping: inout YAMLMapping) throws(ConfigurationError) -> Int {
        let dimension = try mapping.integer("dimension")
        try mapping.finish(known: ["name", "dimension", "url"])
        do throws(EmbeddingError) {
            _ = try BuiltinEmbedder(dimension: dimension?.value ?? 384)
        } catch { throw mapping.error(error.message, line: dimension?.line) }
        return dimension?.value ?? 384
    }

    private static func service(
        _ url: YAMLMapping.Located<String>, _ mapping: inout YAMLMapping
    ) throws(ConfigurationError) -> Service {
        let address: ServiceAddress
        do throws(ServiceAddress.Malformed) { address = try ServiceAddress(url.value) } catch {
            throw mapping.error("embed.url \(error.reason)", line: url.line)
        }
        guard let name = try mapping.text("model") else {
            throw mapping.error("embed.model is missing: the service's name for the model")
        }
        guard let dimension = try mapping.integer("dimension", in: ServiceModel.dimensions) else {
            throw mapping.error("embed.dimension is missing: the dimension of the model's vectors")
        }
        var model = ServiceModel(name.value, dimension: dimension)
        model.tolerance = try mapping.number("tolerance", in: 0...0.5) ?? model.tolerance
        model.queryPrefix = try mapping.text("query-prefix")?.value ?? ""
        model.documentPrefix = try mapping.text("document-prefix")?.value ?? ""
        let key = try mapping.text("key")
        guard key.map({ ServiceKey.isVariable($0.value) }) ?? true else {
            // The message omits the value, which may be the key itself.
            throw mapping.error(
                "embed.key must be the name of an environment variable that holds the key, such as "
                    + "FTI_EMBED_KEY, not the key itself", line: key?.line)
        }
        model.request = try request(&mapping)
        let headers = try headers(&mapping)
        let batch = try mapping.integer("batch", in: 1...2048)
        let timeout = try mapping.integer("timeout", in: 1...3600)
        try mapping.finish(known: [
            "url", "model", "dimension", "key", "tolerance", "query-prefix", "document-prefix",
            "request", "query-request", "document-request", "headers", "batch", "timeout",
        ])
        return Service(
            address, model: model, keyVariable: key?.value, headers: headers, batch: batch,
            timeout: timeout)
    }

    /// The request members of both roles: the shared ones, and each role's own.
    private static func request(
        _ mapping: inout YAMLMapping
    ) throws(ConfigurationError) -> RequestMembers {
        let both = try members("request", &mapping)
        func joined(_ own: JSONObject) -> JSONObject {
            own.reduce(into: both) { $0[$1.key] = $1.value }
        }
        let document = try members("document-request", &mapping)
        let query = try members("query-request", &mapping)
        return RequestMembers(document: joined(document), query: joined(query))
    }

    private static func members(
        _ key: String, _ mapping: inout YAMLMapping
    ) throws(ConfigurationError) -> JSONObject {
        guard let members = try mapping.object(key) else { return JSONObject() }
        for name in ["model", "input"] where members.value[name] != nil {
            throw mapping.error(
                "embed.\(key) must not have \(name): the program sets it", line: members.line)
        }
        if let format = members.value["encoding_format"], format != .null, format != "float" {
            throw mapping.error(
                "embed.\(key).encoding_format must be float, or null to leave it out",
                line: members.line)
        }
        return members.value
    }

    private static func headers(
        _ mapping: inout YAMLMapping
    ) throws(ConfigurationError) -> [HeaderTemplate] {
        guard let inner = try mapping.mapping("headers") else { return [] }
        return try inner.allTexts().map { (header) throws(ConfigurationError) in
            // The message omits the value, which may be a secret.
            guard ServiceHeader.isName(header.key),
                let template = HeaderTemplate(
                    header.key, header.value)
            else {
                throw mapping.error(
                    "embed.headers.\(header.key) is a header that cannot be set, or has a $ "
                        + "without a variable name",
                    line: header.line)
            }
            guard !template.showsSecret else {
                throw mapping.error(
                    "embed.headers.\(header.key) must name an environment variable that holds the "
                        + "secret, such as $FTI_EMBED_KEY", line: header.line)
            }
            return template
        }
    }
}
