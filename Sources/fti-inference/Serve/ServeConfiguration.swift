import Artifacts
import CommandSupport
import Conditions
import InferencePipeline
import ModelServices
import Objects
import Serving
import Storage
import YAML

/// The configuration of `fti-inference serve`: the contents of its YAML file.
struct ServeConfiguration {
    /// What writes answers.
    enum GeneratorKind {
        /// Sentences of the documents.
        case extractive
        /// A language model behind an endpoint.
        case service(ChatEndpoint)
    }

    /// A language model and its endpoint, before environment variables are read.
    struct ChatEndpoint {
        var address: ServiceAddress
        var model: String
        /// The environment variable with the key; nil where the endpoint needs none.
        var keyVariable: String?
        var temperature = 0.0
        /// The maximum number of seconds for one answer.
        var timeout = 60
        var retries = 2
        /// The maximum number of requests to it at once.
        var atOnce = 8
        /// The maximum number of tokens in a period; nil for no limit.
        var budget: TokenBudget?
    }

    /// What reorders passages.
    struct Rerank {
        /// The revision of a reranker's model; nil for the one that the release binds.
        var model: String?
        /// The number of passages that it scores.
        var candidates = Reranking.usualCandidates
    }

    /// Where answers are kept for later requests.
    enum Answers {
        /// The newest ones, in memory.
        case keep(Int)
        /// All of them, as files in a folder.
        case files(String)
    }

    /// The path of the repository; nil to search for it as every command does.
    var repository: String?
    /// The versions to serve.
    var selection = Selection.release("releases/prod")
    /// Where to listen.
    var listen = ListenConfiguration()
    /// The limits of the server.
    var limits = ServerLimits()
    /// How long `/readyz` says 503 before the server stops to listen; nil for the default.
    var announceTime: Duration?
    /// The file of tokens; nil to serve loopback addresses only, without tokens.
    var tokens: String?
    /// See ``GeneratorKind``.
    var generator = GeneratorKind.extractive
    /// Settings that override the ranker's.
    var retrieval = RetrievalOverrides()
    /// See ``Rerank``.
    var rerank = Rerank()
    /// The number of passages of an answer; nil for the ranker's own number.
    var passages: Int?
    /// A condition on the rows that answers come from; nil for all rows.
    var condition: Condition?
    /// See ``Answers``.
    var answers = Answers.keep(1000)
    /// The folder that receives feedback; nil to accept none.
    var feedback: String?
    /// How often to look for moved refs.
    var poll = Duration.milliseconds(500)
    /// The name of this replica; nil for the host's name and the process.
    var replica: String?
    /// Whether logs contain questions and answers.
    var logsQuestions = false
    /// Whether the page at `/` is served.
    var hasPage = true
    /// Whether `/metrics` demands a token.
    var metricsNeedToken = false

    /// The most bytes of a configuration file.
    private static let sizeLimit = 1 << 20

    /// Reads a configuration file; relative paths start at its folder.
    ///
    /// - Throws: `usage`, with the line of the mistake; ``StorageError`` when the file cannot be read.
    init(reading path: String) throws {
        let bytes = try LocalFile.read(path, limit: Self.sizeLimit)
        do {
            try read(String(decoding: bytes, as: UTF8.self), path: path)
        } catch let error as ConfigurationError {
            let place = error.line.map { "\(error.path):\($0)" } ?? error.path
            throw CommandError.usage("\(place): \(error.reason)")
        }
    }

    private mutating func read(_ yaml: String, path: String) throws {
        let folder = YAMLMapping.folder(of: path)
        func located(_ text: String) -> String { YAMLMapping.located(text, in: folder) }
        var top = try YAMLMapping(document: yaml, path: path, isEmptyAllowed: true)
        repository = try top.text("repo").map { located($0.value) }
        try readSelection(&top, located)
        if var inner = try top.mapping("listen") { try readListen(&inner, located) }
        if var inner = try top.mapping("limits") { try readLimits(&inner) }
        tokens = try top.text("tokens").map { located($0.value) }
        if var inner = try top.mapping("generator") {
            generator = try Self.generator(&inner)
        }
        if var inner = try top.mapping("retrieval") { try readRetrieval(&inner) }
        if var inner = try top.mapping("rerank") { try readRerank(&inner) }
        if var inner = try top.mapping("answers") {
            let kept = try inner.integer("keep", in: 0...10_000_000)
            let file = try inner.text("file")
            guard kept == nil || file == nil else {
                throw inner.error("answers takes either keep or file")
            }
            answers =
                if let file { .files(located(file.value)) } else { .keep(kept ?? 1000) }
            try inner.finish(known: ["keep", "file"])
        }
        if var inner = try top.mapping("feedback") {
            guard let found = try inner.text("folder") else {
                throw inner.error("feedback.folder is missing")
            }
            feedback = located(found.value)
            try inner.finish(known: ["folder"])
        }
        poll = try top.duration("poll", in: .milliseconds(10) ... .seconds(3600)) ?? poll
        replica = try top.text("replica")?.value
        if var inner = try top.mapping("logs") {
            logsQuestions = try inner.flag("questions") ?? false
            try inner.finish(known: ["questions"])
        }
        hasPage = try top.flag("page") ?? true
        if var inner = try top.mapping("metrics") {
            metricsNeedToken = try inner.flag("token") ?? false
            try inner.finish(known: ["token"])
        }
        try top.finish(known: [
            "repo", "serve", "listen", "limits", "tokens", "generator", "retrieval", "rerank",
            "answers", "feedback", "poll", "replica", "logs", "page", "metrics",
        ])
    }
}

extension ServeConfiguration {
    /// Reads `serve`: a release, or a mapping with features and a model, or with a lock file.
    private mutating func readSelection(
        _ top: inout YAMLMapping, _ located: (String) -> String
    ) throws {
        guard let entry = try top.textOrMapping("serve") else { return }
        switch entry {
        case .text(let release): selection = .release(release)
        case .mapping(var inner):
            let pin = try inner.text("pin")
            let features = try inner.text("features")
            let model = try inner.text("model")
            try inner.finish(known: ["features", "model", "pin"])
            if let pin {
                guard features == nil, model == nil else {
                    throw inner.error("serve takes either pin, or features and model")
                }
                selection = try .pinned(by: located(pin.value))
            } else {
                guard let features, let model else {
                    throw inner.error("serve needs features and model, or pin")
                }
                selection = .revisions(features: features.value, model: model.value)
            }
        }
    }

    private mutating func readListen(
        _ inner: inout YAMLMapping, _ located: (String) -> String
    ) throws {
        let address = try inner.text("address")
        listen.address = address?.value ?? listen.address
        listen.port = try inner.integer("port", in: 0...65_535) ?? listen.port
        if var tls = try inner.mapping("tls") {
            guard let certificate = try tls.text("certificate"), let key = try tls.text("key")
            else { throw tls.error("listen.tls needs certificate and key") }
            listen.tls = .init(
                certificate: located(certificate.value), key: located(key.value))
            try tls.finish(known: ["certificate", "key"])
        }
        // Each is checked when it is read, so that the error has its line.
        func check(_ line: Int?) throws(ConfigurationError) {
            do throws(ServingError) { try listen.check() } catch {
                throw inner.error(error.message, line: line)
            }
        }
        try check(address?.line)
        for host in try inner.texts("hosts") ?? [] {
            listen.hosts.append(host.value)
            try check(host.line)
        }
        listen.proxies =
            try inner.texts("proxies")?.map { found in
                guard let range = AddressRange(found.value) else {
                    throw inner.error(
                        "listen.proxies must be addresses or networks such as 10.0.0.0/8",
                        line: found.line)
                }
                return range
            } ?? []
        try inner.finish(known: ["address", "port", "tls", "hosts", "proxies"])
    }

    private static func generator(_ inner: inout YAMLMapping) throws -> GeneratorKind {
        guard let kind = try inner.text("kind") else {
            throw inner.error("generator.kind is missing")
        }
        switch kind.value {
        case "extractive":
            try inner.finish(known: ["kind"])
            return .extractive
        case "openai":
            guard let url = try inner.text("url") else {
                throw inner.error("generator.url is missing")
            }
            let address: ServiceAddress
            do throws(ServiceAddress.Malformed) {
                address = try ServiceAddress(url.value, of: .chat)
            } catch { throw inner.error("generator.url \(error.reason)", line: url.line) }
            guard let model = try inner.text("model") else {
                throw inner.error("generator.model is missing")
            }
            let key = try inner.text("key")
            guard key.map({ ServiceKey.isVariable($0.value) }) ?? true else {
                throw inner.error(
                    ServiceKeyError.notVariable(setting: "generator.key").message, line: key?.line)
            }
            var endpoint = ChatEndpoint(
                address: address, model: model.value, keyVariable: key?.value)
            endpoint.temperature =
                try inner.number("temperature", in: 0...2) ?? endpoint.temperature
            endpoint.timeout =
                try inner.duration("timeout", in: .seconds(1) ... .seconds(3600))
                .map { Int($0.components.seconds) } ?? endpoint.timeout
            endpoint.retries = try inner.integer("retries", in: 0...10) ?? endpoint.retries
            endpoint.atOnce = try inner.integer("atOnce", in: 1...1024) ?? endpoint.atOnce
            if var budget = try inner.mapping("budget") {
                guard let tokens = try budget.integer("tokens", in: 1...1_000_000_000_000) else {
                    throw budget.error("generator.budget.tokens is missing")
                }
                let named = try budget.text("per")
                guard let period = TokenBudget.Period(rawValue: named?.value ?? "day") else {
                    throw budget.error(
                        "generator.budget.per must be hour or day", line: named?.line)
                }
                endpoint.budget = TokenBudget(tokens: tokens, per: period)
                try budget.finish(known: ["tokens", "per"])
            }
            try inner.finish(known: [
                "kind", "url", "model", "key", "temperature", "timeout", "retries", "atOnce",
                "budget",
            ])
            return .service(endpoint)
        default:
            throw inner.error("generator.kind must be extractive or openai", line: kind.line)
        }
    }

    private mutating func readRerank(_ inner: inout YAMLMapping) throws {
        rerank.model = try inner.text("model")?.value
        rerank.candidates =
            try inner.integer("candidates", in: Reranking.candidateRange) ?? rerank.candidates
        try inner.finish(known: ["model", "candidates"])
        switch selection {
        case .release: break
        case .revisions:
            guard rerank.model != nil else {
                throw inner.error("rerank.model is missing: serve names no release, which has one")
            }
        case .pinned:
            guard rerank.model == nil else {
                throw inner.error(
                    "rerank.model is not for serve.pin: a pinned release has its own")
            }
        }
    }

    private mutating func readRetrieval(_ inner: inout YAMLMapping) throws {
        if let found = try inner.text("mode") {
            guard let mode = RetrievalSettings.Mode(rawValue: found.value) else {
                throw inner.error(
                    "retrieval.mode must be hybrid, vector or lexical", line: found.line)
            }
            retrieval.mode = mode
        }
        passages = try inner.integer("k", in: RetrievalSettings.countRange)
        retrieval.candidates = try inner.integer(
            "candidates", in: RetrievalSettings.candidateRange)
        retrieval.perDocument = try inner.integer("perDocument", in: 0...1000)
        if let found = try inner.text("where") {
            do throws(ConditionError) { condition = try Condition(found.value) } catch {
                throw inner.error("retrieval.where: \(error.message)", line: found.line)
            }
        }
        try inner.finish(known: ["mode", "k", "candidates", "perDocument", "where"])
    }
}
