internal import Hummingbird
internal import NIOCore
internal import Objects
internal import Synchronization

/// One connection: its clock and the requests that it carries.
final class Connection: Sendable {
    /// What the server asks of the handlers of a connection.
    enum Command: Sendable {
        /// Answer with a failure, and close.
        case refuse(HTTPFailure)
        /// Close at once, whatever still waits to be sent.
        case abort
    }

    /// The connection whose requests the current task handles.
    @TaskLocal static var current: Connection?

    private struct State {
        var clock: ConnectionClock
        var address: IPAddress?
        var addressText = "unknown"
        var written = 0
        /// The requests whose responses are not yet sent, in their order.
        var exchanges: [Exchange] = []
        var isClosed = false
        var beginning: ByteBuffer?
    }

    let channel: any Channel
    /// Runs the tasks of its requests.
    let executor: EventLoopExecutor
    private let state: Mutex<State>

    init(_ channel: any Channel) {
        self.channel = channel
        executor = EventLoopExecutor(channel.eventLoop)
        state = Mutex(State(clock: ConnectionClock(now: .now)))
    }

    /// The other end.
    var address: IPAddress? { state.withLock { $0.address } }
    /// The address of the other end as text.
    var addressText: String { state.withLock { $0.addressText } }

    func opened(from address: IPAddress?, text: String) {
        state.withLock { ($0.address, $0.addressText) = (address, text) }
    }

    /// Changes the clock.
    func clock<Result>(
        _ change: (inout ConnectionClock, ContinuousClock.Instant) -> Result
    ) -> Result {
        state.withLock { change(&$0.clock, .now) }
    }

    /// The first bytes of the newest request, as far as they came together.
    var beginning: ByteBuffer? { state.withLock { $0.beginning } }

    /// Bytes have come.
    func received(_ bytes: ByteBuffer) {
        state.withLock { state in
            guard state.clock.received(now: .now) else { return }
            state.beginning = bytes.getSlice(
                at: bytes.readerIndex, length: min(bytes.readableBytes, 32))
        }
    }

    /// A request has come to its end.
    func requestEnded() {
        state.withLock { state in
            state.clock.requestEnded(now: .now)
            state.beginning = nil
        }
    }

    /// A request is handled from now on.
    func begin(_ exchange: Exchange) {
        let isClosed = state.withLock { state in
            state.exchanges.append(exchange)
            return state.isClosed
        }
        if isClosed { closed() }
    }

    /// Bytes of a body were handed over to be sent.
    func wrote(_ count: Int) { state.withLock { $0.written += count } }

    /// A response was handed over to its end.
    ///
    /// A request counts for the limit of requests until then: a client that sends many and reads no response must not
    /// use up the limit of all.
    func responseWritten() {
        let exchange = state.withLock { state in state.exchanges.first { !$0.isWritten } }
        exchange?.written()
    }

    /// A response was sent to its end, with so many bytes in its body.
    func responseEnded(bytes: Int) {
        let exchange: Exchange? = state.withLock { state in
            state.clock.responseEnded(now: .now)
            return state.exchanges.isEmpty ? nil : state.exchanges.removeFirst()
        }
        exchange?.finish(bytes: bytes)
    }

    /// Ends what the connection carries.
    func end(_ ending: Exchange.Ending) {
        for exchange in state.withLock({ $0.exchanges }) { exchange.end(ending) }
    }

    /// Ends the request whose body is coming, if it is being handled.
    func endBody(_ ending: Exchange.Ending) {
        let exchange: Exchange? = state.withLock { state in
            let isHandled = state.exchanges.count == state.clock.outstanding
            return isHandled ? state.exchanges.last : nil
        }
        exchange?.end(ending)
    }

    /// The connection is closed.
    func closed() {
        let exchanges = state.withLock { state in
            state.isClosed = true
            defer { state.exchanges = [] }
            return state.exchanges
        }
        for exchange in exchanges {
            exchange.end(.clientLeft)
            exchange.finish()
        }
    }

    /// Gives up on the connection, or on what it carries, if the client took too long.
    func check(now: ContinuousClock.Instant, _ limits: ServerLimits) -> ConnectionClock.Verdict? {
        let (verdict, exchanges) = state.withLock { state in
            (state.clock.verdict(now: now, limits), state.exchanges)
        }
        for exchange in exchanges where now >= exchange.deadline.moment {
            exchange.end(.deadline)
        }
        switch verdict {
        case nil: return nil
        case .slowHeaders:
            send(
                .refuse(
                    HTTPFailure(
                        .requestTimeout, "the headers come too slowly", code: "slow_headers")))
        case .slowBody:
            // The handler is told, and its answer closes the connection.
            endBody(.slowBody)
        case .stalled:
            for exchange in exchanges { exchange.end(.stalled) }
            send(.abort)
        case .idle, .lingered: send(.abort)
        }
        return verdict
    }

    /// Looks how far the client has read the response.
    func measure() {
        guard state.withLock({ $0.clock.outstanding > 0 }) else { return }
        channel.eventLoop.execute { [self] in
            let option = ChannelOptions.bufferedWritableBytes
            guard let buffered = try? channel.syncOptions?.getOption(option) else { return }
            state.withLock { state in
                state.clock.sent(
                    state.written - buffered, isEmpty: buffered == 0, now: .now)
            }
        }
    }

    /// Asks the handlers for something.
    func send(_ command: Command) {
        channel.pipeline.fireUserInboundEventTriggered(command)
    }
}
