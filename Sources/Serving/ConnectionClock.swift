/// What the server waits for on one connection, and for how long; decides when it has waited too long.
///
/// It has no timer: ``Connections`` asks every connection for a verdict a few times a second, so that a thousand idle
/// connections cost no more than a walk over a table.
struct ConnectionClock {
    typealias Instant = ContinuousClock.Instant

    /// Why the server gives up on a connection.
    enum Verdict {
        /// No request came; close.
        case idle
        /// The headers came too slowly; answer 408.
        case slowHeaders
        /// The body comes too slowly; answer 408.
        case slowBody
        /// The client took no bytes of a response; close.
        case stalled
        /// The last response was sent and the client had time to read it; close.
        case lingered
    }

    private enum Inbound {
        /// No byte of a next request has come.
        case between(since: Instant)
        /// A part of the headers has come.
        case headers(since: Instant)
        /// The headers have come, and the body has not ended.
        case body(BodyPace)
    }

    private var inbound: Inbound
    /// The requests whose responses have not ended.
    private(set) var outstanding = 0
    private var served = 0
    private var closing: Instant?
    private var drained = 0
    private var progress: Instant

    /// How long a client may take to read the last response before the connection is closed.
    static let lingerTime = Duration.seconds(2)

    init(now: Instant) {
        inbound = .between(since: now)
        progress = now
    }

    /// Whether the body of a request is still coming.
    var isInBody: Bool {
        if case .body = inbound { true } else { false }
    }

    /// Bytes have come; returns whether they are the first of a request.
    mutating func received(now: Instant) -> Bool {
        guard case .between = inbound else { return false }
        inbound = .headers(since: now)
        return true
    }

    /// The headers of a request have come.
    mutating func head(now: Instant) {
        inbound = .body(BodyPace())
        if outstanding == 0 { progress = now }
        outstanding += 1
    }

    /// A part of a body has come.
    mutating func body(_ count: Int, now: Instant) {
        guard case .body(var pace) = inbound else { return }
        pace.received(count, now: now)
        inbound = .body(pace)
    }

    /// The server reads, and so waits for the client.
    mutating func reading(now: Instant) {
        guard case .body(var pace) = inbound, pace.waitingSince == nil else { return }
        pace.waitingSince = now
        inbound = .body(pace)
    }

    /// A request has come to its end.
    mutating func requestEnded(now: Instant) { inbound = .between(since: now) }

    /// A response has been written.
    mutating func responseEnded(now: Instant) {
        outstanding -= 1
        served += 1
        switch inbound {
        case .between: inbound = .between(since: now)
        case .headers: inbound = .headers(since: now)
        case .body: break
        }
    }

    /// Whether the last response has been written.
    var isClosing: Bool { closing != nil }

    /// The last response has been written.
    mutating func close(now: Instant) { closing = closing ?? now }

    /// Notes how far the client has read.
    ///
    /// - Parameters:
    ///   - drained: The bytes that left the server; needs to be exact only in that it grows when they do.
    ///   - isEmpty: Whether nothing waits to be sent.
    mutating func sent(_ drained: Int, isEmpty: Bool, now: Instant) {
        if isEmpty || drained > self.drained { progress = now }
        self.drained = max(drained, self.drained)
    }

    /// Why to give up on the connection; nil to go on.
    func verdict(now: Instant, _ limits: ServerLimits) -> Verdict? {
        if let closing { return now - closing > Self.lingerTime ? .lingered : nil }
        if outstanding > 0, now - progress > limits.stallTime { return .stalled }
        switch inbound {
        case .between(let since) where outstanding == 0:
            let isLate = now - since > (served == 0 ? limits.headerTime : limits.idleTime)
            return isLate ? .idle : nil
        case .headers(let since) where outstanding == 0:
            return now - since > limits.headerTime ? .slowHeaders : nil
        case .body(let pace):
            return pace.isSlow(now: now, limits) ? .slowBody : nil
        default: return nil
        }
    }
}

/// How fast a body comes, not counting the time during which the server itself does not read.
private struct BodyPace {
    var waitingSince: ContinuousClock.Instant?
    private var waited = Duration.zero
    private var count = 0

    mutating func received(_ count: Int, now: ContinuousClock.Instant) {
        self.count += count
        if let since = waitingSince.take() { waited += now - since }
    }

    func isSlow(now: ContinuousClock.Instant, _ limits: ServerLimits) -> Bool {
        let total = waited + (waitingSince.map { now - $0 } ?? .zero)
        return total > limits.bodyTime + .seconds(Double(count) / Double(limits.bodyRate))
    }
}
