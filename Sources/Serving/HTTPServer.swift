public import Hummingbird
internal import HummingbirdCore
public import Logging
internal import NIOCore
internal import Objects
public import ServiceLifecycle
public import UnixSignals

/// A server for HTTP/1.1 with the limits, the checks and the endpoints that every service needs.
///
/// An app adds its routes to a router whose context is ``ServingContext``. The server adds `/healthz`, `/readyz` and
/// `/metrics`, checks hosts and tokens, keeps ``ServerLimits``, gives each request a deadline, answers errors in
/// OpenAI's form, writes the access log, and stops gracefully.
public final class HTTPServer: Service {
    /// How a server behaves.
    public struct Configuration: Sendable {
        /// Where it listens.
        public var listen = ListenConfiguration()
        /// What clients may ask of it.
        public var limits = ServerLimits()
        /// The tokens that it asks for; nil to ask for none, which only a server on a loopback address may.
        public var tokens: TokenFile?
        /// The paths that need no token, beside those of the health endpoints: exact paths, such as `/`, and all below
        /// a folder, such as `/answers/*`. Their routes still learn the name of a token that a client sends.
        public var openPaths: Set<String> = []
        /// Whether `/metrics` needs a token, where there are tokens.
        public var metricsNeedToken = false
        /// How long `/readyz` says 503 before the server stops to accept connections, so that balancers notice.
        public var announceTime = Duration.zero
        /// How long requests may take to finish once the server has stopped to accept connections.
        public var drainTime = Duration.seconds(20)
        /// The `Content-Security-Policy` of responses that do not bring their own.
        public var contentSecurityPolicy = "default-src 'none'; frame-ancestors 'none'"
        /// Removes what clients must not see from the messages of errors.
        public var redact: @Sendable (String) -> String = { $0 }
        /// Where the server logs; ``LineLogHandler`` writes one line an event.
        public var logger = Logger(label: "serve") { _ in LineLogHandler() }
        /// Called with the port once the server listens.
        public var onListening: @Sendable (_ port: Int) -> Void = { _ in }

        /// The defaults.
        public init() {}

        /// Whether a path is one of ``openPaths``.
        func isOpen(_ path: String) -> Bool {
            openPaths.contains(path)
                || openPaths.contains { $0.hasSuffix("/*") && path.hasPrefix($0.dropLast()) }
        }
    }

    /// The paths that every server has.
    static let healthPaths: Set<String> = ["/healthz", "/readyz", "/metrics"]

    private let configuration: Configuration
    private let application: Application<ServingResponder>
    private let health: Health
    private let housekeeping: Housekeeping

    /// Makes a server, which listens once it runs.
    ///
    /// - Parameters:
    ///   - metrics: Where the server registers its metrics, beside those of the app.
    ///   - routes: Adds the routes of the app.
    /// - Throws: What cannot be used in the configuration; `needsTokens` for an open server on a network.
    public init(
        _ configuration: Configuration, metrics: Metrics = Metrics(), health: Health = Health(),
        routes: (Router<ServingContext>) -> Void
    ) throws(ServingError) {
        try configuration.listen.check()
        try configuration.limits.check()
        guard configuration.tokens != nil || configuration.listen.isLoopback else {
            throw .needsTokens(address: configuration.listen.address)
        }
        self.configuration = configuration
        self.health = health
        let limits = configuration.limits
        let connections = Connections(limits, proxies: configuration.listen.proxies)
        let budget = RequestBudget(limits)
        let observer = ServerObserver(
            metrics, connections: connections, budget: budget, logger: configuration.logger)
        let router = Router(context: ServingContext.self)
        router.add(middleware: FailureMiddleware())
        Self.addHealth(router, health, metrics)
        routes(router)
        let responder = ServingResponder(
            configuration: configuration, router: router.buildResponder(),
            routes: RouteList(router), acceptedHosts: configuration.listen.acceptedHosts,
            connections: connections, budget: budget, observer: observer,
            failures: FailureMapping(redact: configuration.redact))
        var decoder = HTTP1Channel.Configuration.DecoderConfiguration()
        decoder.maxHeaderFieldSize = limits.headerBytes
        decoder.maxHeaderListSize = limits.headerBytes
        decoder.maxHeaderFieldCount = limits.headers
        let http = HTTP1Channel.Configuration(httpDecoderConfiguration: decoder)
        let listen = configuration.listen
        let certificate: CertificateFiles?
        if let tls = listen.tls {
            certificate = try CertificateFiles(tls)
        } else {
            certificate = nil
        }
        housekeeping = Housekeeping(
            connections: connections, observer: observer, tokens: configuration.tokens,
            certificate: certificate, logger: configuration.logger)
        let (logger, onListening) = (configuration.logger, configuration.onListening)
        var quiet = logger
        quiet.logLevel = max(logger.logLevel, .notice)
        application = Application(
            responder: responder,
            server: HTTPServerBuilder { responder in
                GuardedChannel(
                    base: HTTP1Channel(responder: responder, configuration: http),
                    certificate: certificate, connections: connections, observer: observer,
                    limits: limits)
            },
            configuration: ApplicationConfiguration(
                address: .hostname(listen.boundAddress, port: listen.port), backlog: 1024),
            onServerRunning: { channel in
                let port = channel.localAddress?.port ?? listen.port
                logger.notice(
                    "listening",
                    metadata: [
                        "address": .string(listen.address), "port": .stringConvertible(port),
                    ]
                )
                onListening(port)
            },
            logger: quiet)
    }

    private static func addHealth(
        _ router: Router<ServingContext>, _ health: Health, _ metrics: Metrics
    ) {
        router.get("healthz") { _, _ in Response.json(["status": "ok"]) }
        router.get("readyz") { _, _ in
            let (isReady, json) = await health.report()
            return Response.json(json, status: isReady ? .ok : .serviceUnavailable)
        }
        router.get("metrics") { _, _ in
            Response(
                status: .ok,
                headers: [.contentType: "text/plain; version=0.0.4; charset=utf-8"],
                body: .init(byteBuffer: ByteBuffer(string: metrics.text)))
        }
    }

    /// Serves until the surrounding `ServiceGroup` shuts down gracefully and the requests are done, or the task is
    /// cancelled.
    ///
    /// - Throws: ``ServingError/listen(address:port:reason:)`` when the address cannot be used.
    public func run() async throws {
        let announcement = StopAnnouncement(
            health: health, housekeeping: housekeeping, announceTime: configuration.announceTime,
            drainTime: configuration.drainTime)
        var logger = configuration.logger
        // The group logs each step of its own.
        logger.logLevel = max(logger.logLevel, .error)
        // They are told to stop in the opposite order, each once the one after it is done.
        let group = ServiceGroup(
            configuration: .init(
                services: [housekeeping, application, announcement], logger: logger))
        do {
            try await group.run()
        } catch let error as IOError {
            throw ServingError(error, at: configuration.listen)
        }
    }

    /// Serves until the process gets SIGTERM or SIGINT, together with services of the app, which stop after the server.
    ///
    /// - Throws: As ``run()`` does, and the errors of the services.
    public func run(
        with services: [any Service], stoppingOn signals: [UnixSignal] = [.sigterm, .sigint]
    ) async throws {
        var logger = configuration.logger
        logger.logLevel = max(logger.logLevel, .error)
        let group = ServiceGroup(
            configuration: .init(
                services: services + [self], gracefulShutdownSignals: signals, logger: logger))
        try await group.run()
    }
}
