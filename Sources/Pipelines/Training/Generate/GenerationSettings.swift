public import Artifacts
internal import Objects
internal import YAML

/// How a language model makes examples from the features: the key `generate` of a configuration.
public struct GenerationSettings: Hashable, Sendable {
    /// What one request shows to the model.
    public enum Unit: String, CaseIterable, Sendable {
        /// One chunk.
        case chunk
        /// All chunks of a section.
        case section
        /// All chunks of a document.
        case document

        /// The noun for a number of them.
        public func counted(_ count: Int) -> String {
            "\(count) \(rawValue)\(count == 1 ? "" : "s")"
        }
    }

    /// The address of the service, as the configuration has it: it may contain a password.
    public var url: String
    /// The service's name for the model.
    public var model: String
    /// The environment variable that holds the service's key; nil where it needs none.
    public var keyVariable: String?
    /// The file with other instructions; nil for the built-in ones.
    public var prompt: String?
    /// What one request shows.
    public var unit = Unit.section
    /// The number of questions to ask for in a request.
    public var questions = 2
    /// The maximum number of requests in one run; nil for any number.
    public var requestLimit: Int?
    /// The maximum number of tokens in a reply.
    public var tokenLimit = 1024
    /// The randomness of replies.
    public var temperature = 0.0
    /// The seed that the service gets; nil for none.
    public var seed: Int?
    /// The maximum number of seconds for a request with its retries.
    public var timeout = 120
    /// How often to retry a request that got lost or met a busy service.
    public var retries = 4
    /// The number of requests at once.
    public var atOnce = 4

    /// Makes settings with the defaults.
    public init(url: String, model: String) {
        self.url = url
        self.model = model
    }

    /// The settings that decide what the model is asked, as snapshots record them.
    var params: JSON {
        [
            "model": .string(model), "per": .string(unit.rawValue),
            "questions": .integer(questions), "temperature": .number(temperature),
            "seed": seed.map { .integer($0) } ?? .null, "maxTokens": .integer(tokenLimit),
        ]
    }
}

extension GenerationSettings {
    private static let seeds = 0...Int(Int32.max)

    /// Reads the key `generate` of a configuration.
    init(
        _ mapping: inout YAMLMapping, folder: String
    ) throws(ConfigurationError) {
        guard let url = try mapping.text("url") else {
            throw mapping.error("generate.url is missing: the address of a chat service")
        }
        guard let model = try mapping.text("model") else {
            throw mapping.error("generate.model is missing: the service's name for the model")
        }
        self.init(url: url.value, model: model.value)
        keyVariable = try mapping.text("key")?.value
        prompt = try mapping.text("prompt").map { YAMLMapping.located($0.value, in: folder) }
        if let per = try mapping.text("per") {
            guard let unit = Unit(rawValue: per.value) else {
                throw mapping.error(
                    "generate.per must be chunk, section or document", line: per.line)
            }
            self.unit = unit
        }
        questions = try mapping.integer("questions", in: 1...20) ?? questions
        requestLimit = try mapping.integer("maxRequests", in: 0...JSON.largestInteger)
        tokenLimit = try mapping.integer("maxTokens", in: 16...100_000) ?? tokenLimit
        temperature = try mapping.number("temperature", in: 0...2) ?? temperature
        seed = try mapping.integer("seed", in: Self.seeds)
        timeout =
            try mapping.duration("timeout", in: .seconds(1) ... .seconds(3600))
            .map { Int($0.components.seconds) } ?? timeout
        retries = try mapping.integer("retries", in: 0...10) ?? retries
        atOnce = try mapping.integer("atOnce", in: 1...256) ?? atOnce
        try mapping.finish(known: [
            "url", "model", "key", "prompt", "per", "questions", "maxRequests", "maxTokens",
            "temperature", "seed", "timeout", "retries", "atOnce",
        ])
    }
}

/// The language model that makes examples.
public struct ExampleModel: Sendable {
    /// The model.
    public let model: any ChatModel
    /// The address of its service, without credentials.
    public let address: String

    /// Names a model and its address, which must be free of credentials: datasets record it.
    public init(_ model: any ChatModel, at address: String) {
        self.model = model
        self.address = address
    }
}
