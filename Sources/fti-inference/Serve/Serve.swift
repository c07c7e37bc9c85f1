import ArgumentParser
import Artifacts
import CommandSupport
import Dispatch
import Encoders
import Glibc
import InferencePipeline
import Logging
import ModelServices
import Objects
import Refs
import ServiceLifecycle
import Serving
import Storage
import Synchronization

/// `fti-inference serve CONFIG`.
struct Serve: Command {
    static let configuration = CommandConfiguration(
        abstract: "Answer questions over HTTP, with OpenAI's API, and follow the refs.",
        discussion: ArgumentHelp.discussion(
            """
            Reads a YAML file that names the versions to serve, where to listen, and what writes \
            answers: quotes of the documents, or a language model behind an endpoint with OpenAI's \
            API. When a ref moves, new versions are loaded beside the old ones and replace them; \
            versions that do not fit are parked, and the old ones go on answering. SIGTERM ends the \
            service once its requests are done. docs/serving.md describes the configuration.
            """,
            examples: ["fti-inference serve inference.yaml", "fti-inference serve c.yaml --check"]))

    @OptionGroup var options: GlobalOptions

    @Argument(help: ArgumentHelp("The configuration, a YAML file.", valueName: "config"))
    var config: String

    @Flag(help: "Load everything, say what would be served, and end.")
    var check = false

    func run(_ context: CommandContext) throws {
        let configuration = try ServeConfiguration(reading: config)
        let path = try context.repositoryLocation(configured: configuration.repository)
        let verified = try context.verifiedLeaves(of: path)
        defer { verified.save() }
        let repository = try context.repository(at: path)
        ProcessLimits.raiseOpenFiles()
        // A file that someone truncates under the service costs an answer, not the process.
        try MappedFile.surviveDamage()
        let metrics = Metrics()
        let logger = Logger(label: "fti-inference") { _ in LineLogHandler() }
        let service = try AnswerService(
            try settings(configuration, verified, path, context), in: repository)
        defer { service.stop() }
        verified.save()
        let store = AnswerStore(in: try configuration.medium(of: service.replicaName))
        let retrievalPool = WorkPool(
            "retrieval", width: Threads.available, queue: configuration.limits.queue,
            metrics: metrics)
        let answerPool: WorkPool =
            if case .service(let endpoint) = configuration.generator {
                WorkPool(
                    "answers", width: 2 * endpoint.atOnce, queue: configuration.limits.queue,
                    metrics: metrics)
            } else { retrievalPool }
        let measures = InferenceMeasures(
            metrics, of: service, serving: configuration.servedName, store: store)
        let api = InferenceAPI(
            service: service, servedName: configuration.servedName, retrievalPool: retrievalPool,
            answerPool: answerPool,
            answers: AnswerLog(
                store: store, feedback: try configuration.feedbackLines(of: service.replicaName),
                repository: repository, replica: service.replicaName, now: Writer.systemClock),
            measures: measures, logsQuestions: configuration.logsQuestions,
            started: context.now.milliseconds / 1000)
        var server = HTTPServer.Configuration()
        server.listen = configuration.listen
        server.limits = configuration.limits
        server.announceTime =
            configuration.announceTime ?? (configuration.listen.isLoopback ? .zero : .seconds(2))
        server.tokens = try configuration.tokens.map { try TokenFile($0) }
        server.metricsNeedToken = configuration.metricsNeedToken
        server.redact = { Secrets.redacted($0) }
        server.logger = logger
        let page = try configuration.page(of: api, tokens: server.tokens)
        if page != nil { server.openPaths = Page.openPaths }
        let http = try HTTPServer(server, metrics: metrics, health: api.health) { router in
            api.add(to: router)
            page?.add(to: router)
        }
        try report(service, configuration, tokens: server.tokens, context)
        if check { return }
        let following = Following(
            service: service, interval: configuration.poll, switches: measures.switches,
            onSwitch: { verified.save() }, logger: logger)
        try Self.blocking {
            try await http.run(with: [following])
            await retrievalPool.stop()
            await answerPool.stop()
        }
    }

    /// Runs asynchronous work to its end on other threads.
    private static func blocking(_ work: @escaping @Sendable () async throws -> Void) throws {
        final class Outcome: Sendable {
            let failure = Mutex<(any Error)?>(nil)
        }
        let outcome = Outcome()
        let done = DispatchSemaphore(value: 0)
        Task.detached {
            do { try await work() } catch { outcome.failure.withLock { $0 = error } }
            done.signal()
        }
        done.wait()
        if let failure = outcome.failure.withLock({ $0 }) { throw failure }
    }

    private func settings(
        _ configuration: ServeConfiguration, _ verified: VerifiedLeavesFile, _ path: String,
        _ context: CommandContext
    ) throws -> AnswerService.Settings {
        var loading = try LoadingOptions(of: path, verified, context)
        loading.condition = configuration.condition
        loading.retrieval = configuration.retrieval
        loading.reranking.model = configuration.rerank.model
        loading.reranking.candidates = configuration.rerank.candidates
        // Requests run beside each other, one on each thread of the pool.
        loading.threads = 1
        var settings = AnswerService.Settings(
            configuration.selection, loading: loading, now: Writer.systemClock)
        settings.passages = configuration.passages
        // A service listens soon, whatever its language model does.
        settings.firstCheck = check ? nil : .seconds(10)
        settings.engine = try configuration.engine()
        settings.replica = try configuration.replicaIdentity()
        return settings
    }

    /// Says what is served, to whom, and by which language model.
    ///
    /// - Throws: With `--check`, the error of a language model that is not used.
    private func report(
        _ service: AnswerService, _ configuration: ServeConfiguration, tokens: TokenFile?,
        _ context: CommandContext
    ) throws {
        let versions = service.current
        let roles = versions.versions.roles
        let listen = configuration.listen
        let scheme = listen.tls == nil ? "http" : "https"
        let host = listen.address.contains(":") ? "[\(listen.address)]" : listen.address
        var lines = [("listen", "\(scheme)://\(host):\(listen.port)")]
        if case .service(let endpoint) = configuration.generator {
            lines.append(("engine", "\(endpoint.model) at \(endpoint.address)"))
            lines.append(("prompt", versions.opened.promptID?.hex ?? "none"))
            lines.append(("canary", roles.canary?.hex ?? "none, so answers are not verified"))
        } else {
            lines.append(("engine", "quotes"))
        }
        lines.append(("tokens", tokens.map { "\($0.names.count)" } ?? "none"))
        lines.append(("feedback", configuration.feedback ?? "none"))
        if context.output.isJSON {
            var object = ServedVersions(versions, in: service).json
            object["serving"] = .string(configuration.servedName)
            for (name, value) in lines where object[name] == nil { object[name] = .string(value) }
            try context.output.emit(object)
        } else {
            lines.insert(("serving", configuration.servedName), at: 0)
            let snapshots = versions.versions.snapshots.sorted { $0.key < $1.key }
            lines.insert(contentsOf: snapshots.map { ($0.key, $0.value.hex) }, at: 1)
            lines.append(("transaction", "\(versions.versions.transaction)"))
            for (name, value) in lines {
                let gap = String(repeating: " ", count: max(1, 13 - name.utf8.count))
                try context.output.line(name + gap + value)
            }
        }
        try context.output.flush()
        if case .extractive = configuration.generator, roles.canary != nil {
            try context.output.warn(
                "the release binds the canary of a language model, but answers are quotes: the configuration has no "
                    + "generator of the kind openai")
        }
        if case .failed(let error) = versions.opened.engineCheck {
            if check { throw error }
            try context.output.warn(error.message)
        }
    }
}

/// Follows the refs for as long as the server runs.
private struct Following: Service {
    let service: AnswerService
    let interval: Duration
    let switches: Metrics.Counter
    let onSwitch: @Sendable () -> Void
    let logger: Logger

    func run() async throws {
        let pool = WorkPool(width: 2, queue: 0)
        await withGracefulShutdownHandler {
            await cancelWhenGracefulShutdown {
                async let watching: Void = again(on: pool) { service.endOutdatedCheck() }
                await again(on: pool) { if let change = service.follow() { report(change) } }
                await watching
            }
        } onGracefulShutdown: {
            service.stopChecking()
        }
        await pool.stop()
    }

    /// Does work once in every interval, until the task is cancelled.
    private func again(on pool: WorkPool, _ work: @escaping @Sendable () -> Void) async {
        while !Task.isCancelled {
            try? await pool.run(by: Deadline(after: .seconds(3600)), for: "", work)
            try? await Task.sleep(for: interval)
        }
    }

    private func report(_ change: AnswerService.Change?) {
        switch change {
        case nil: break
        case .switched:
            switches.add()
            onSwitch()
            let chosen = service.current.versions
            var metadata: Logger.Metadata = ["transaction": .stringConvertible(chosen.transaction)]
            for (role, id) in chosen.snapshots { metadata[role] = .string(id.short) }
            logger.notice("switched", metadata: metadata)
        case .parked(let parked):
            logger.warning(
                "new versions rejected; still serving the previous ones",
                metadata: [
                    "reason": .string(Secrets.redacted(parked.error.message)),
                    "versions": .string(
                        parked.snapshots.sorted { $0.key < $1.key }.map {
                            "\($0.key) \($0.value.short)"
                        }
                        .joined(separator: ", ")),
                ])
        case .checked(.failed(let error)):
            logger.warning(
                "the language model is not used",
                metadata: ["reason": .string(Secrets.redacted(error.message))])
        case .checked:
            logger.notice("the language model answers as the release records, and is used")
        }
    }
}

extension LoadingOptions {
    /// The options for the repository at a path: the user's caches, and the embedding service that the environment
    /// names.
    init(of path: String, _ verified: VerifiedLeavesFile, _ context: CommandContext) throws {
        self.init()
        embedders = EmbedderRegistry([
            BertProvider(),
            ServiceProvider(try ServiceEndpoint(environment: Environment.variable)),
        ])
        reranking.provider = CrossEncoderProvider()
        self.verified = verified.leaves
        segments = SegmentCache(at: context.cachePath(of: path, ending: "segments"))
    }
}
