internal import Logging
internal import ServiceLifecycle
internal import Storage
internal import Synchronization

/// Looks after a server a few times a second: gives up on clients that are too slow, reads changed files again, and
/// cuts off what has not finished when the server has stopped for too long.
final class Housekeeping: Service {
    private let connections: Connections
    private let observer: ServerObserver
    private let tokens: TokenFile?
    private let certificate: CertificateFiles?
    private let logger: Logger
    private let drainEnd = Mutex<ContinuousClock.Instant?>(nil)

    /// The time between two rounds, which is how exactly limits are kept.
    static let interval = Duration.milliseconds(100)
    /// Every how many rounds files are looked at, and the progress of responses.
    private static let slowRounds = 10

    init(
        connections: Connections, observer: ServerObserver, tokens: TokenFile?,
        certificate: CertificateFiles?, logger: Logger
    ) {
        self.connections = connections
        self.observer = observer
        self.tokens = tokens
        self.certificate = certificate
        self.logger = logger
    }

    /// Lets requests finish until a moment.
    func drain(until end: ContinuousClock.Instant) { drainEnd.withLock { $0 = end } }

    func run() async throws {
        do {
            try await cancelWhenGracefulShutdown { [self] in try await loop() }
        } catch is CancellationError {
            // The server was cancelled: nothing may keep its connections open.
            connections.closeAll()
        }
    }

    private func loop() async throws {
        for round in 1... {
            try await Task.sleep(for: Self.interval)
            let now = ContinuousClock.now
            let isSlow = round.isMultiple(of: Self.slowRounds)
            connections.sweep(now: now, measures: isSlow) { observer.refused("stalled") }
            if isSlow { refreshFiles() }
            if let end = drainEnd.withLock({ $0 }), now > end { connections.closeAll() }
        }
    }

    private func refreshFiles() {
        do throws(ServingError) {
            if let tokens, try tokens.refresh() { logger.notice("read the tokens again") }
        } catch { report(error, "the tokens stay as they were") }
        do throws(ServingError) {
            if let certificate, try certificate.refresh() {
                logger.notice("read the certificate again")
            }
        } catch { report(error, "the certificate stays as it was") }
    }

    private func report(_ error: ServingError, _ consequence: String) {
        logger.error("\(error.message); \(consequence)")
    }
}

/// The first service to be told that the server stops: lets `/readyz` say so for a while before the server itself
/// stops.
struct StopAnnouncement: Service {
    let health: Health
    let housekeeping: Housekeeping
    let announceTime: Duration
    let drainTime: Duration

    func run() async throws {
        try await gracefulShutdown()
        health.stop()
        try await Task.sleep(for: announceTime)
        housekeeping.drain(until: .now + drainTime)
    }
}
