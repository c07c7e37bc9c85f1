internal import Hummingbird
internal import NIOCore
internal import NIOHTTP1

/// The first handler of a connection: counts it, and tells its clock when bytes come.
final class ByteGuard: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let connection: Connection
    private let connections: Connections
    private let observer: ServerObserver

    init(_ connection: Connection, _ connections: Connections, _ observer: ServerObserver) {
        self.connection = connection
        self.connections = connections
        self.observer = observer
    }

    func channelActive(context: ChannelHandlerContext) {
        let address = context.remoteAddress
        connection.opened(from: IPAddress(address), text: address?.ipAddress ?? "unknown")
        if let refusal = connections.add(connection) {
            observer.refused(refusal.rawValue)
            context.close(promise: nil)
        }
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        connections.remove(connection)
        connection.closed()
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = unwrapInboundIn(data)
        observer.received(bytes.readableBytes)
        connection.received(bytes)
        context.fireChannelRead(data)
    }
}

/// Stands between the HTTP parser and Hummingbird: lets only requests through that keep to ``RequestRules``, answers
/// the others, and sees to it that a connection closes when it must and not before its responses are sent.
final class RequestGuard: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    /// A request that was let through and whose response has not been written.
    private struct Awaited {
        let version: HTTPVersion
        let isHead: Bool
        let isLast: Bool
    }

    private let connection: Connection
    private let observer: ServerObserver
    private let limits: ServerLimits
    private var awaited = CircularBuffer<Awaited>(initialCapacity: 2)
    /// Whether no further request is let through.
    private var isShut = false
    /// The answer to a malformed request that came while earlier ones were being handled.
    private var postponed: HTTPFailure?
    /// Whether the response that is being written is the last.
    private var closesAfterResponse = false
    private var bodyBytes = 0
    /// The responses that were written and have not left the server.
    private var unsent = 0
    private var closesWhenSent = false

    /// How long a client that closed its sending side may wait for the response; most such clients have left.
    private static let halfClosedTime = TimeAmount.milliseconds(500)

    init(_ connection: Connection, _ observer: ServerObserver, _ limits: ServerLimits) {
        self.connection = connection
        self.observer = observer
        self.limits = limits
    }

    // MARK: Requests

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            guard !isShut else { return }
            do throws(HTTPFailure) {
                try accept(try RequestRules.checked(head, limits), context)
            } catch { refuse(error, context) }
        case .body(let buffer):
            guard connection.clock({ clock, _ in clock.isInBody }), !isLingering else { return }
            connection.clock { clock, now in clock.body(buffer.readableBytes, now: now) }
            context.fireChannelRead(data)
        case .end:
            guard connection.clock({ clock, _ in clock.isInBody }), !isLingering else { return }
            connection.requestEnded()
            context.fireChannelRead(data)
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        context.fireChannelReadComplete()
        // Hummingbird may have stopped reading; what still comes must be dropped all the same.
        if isLingering { context.read() }
    }

    private func accept(
        _ head: HTTPRequestHead, _ context: ChannelHandlerContext
    ) throws(HTTPFailure) {
        let expectations = head.headers["expect"]
        if !expectations.isEmpty {
            guard expectations.count == 1, expectations[0].lowercased() == "100-continue" else {
                throw HTTPFailure(
                    .expectationFailed, "the server meets no expectation but 100-continue",
                    code: "expectation_failed")
            }
        }
        // The parser reads no further request after an upgrade.
        let isLast =
            head.version == .http1_0 || !head.isKeepAlive || head.headers.contains(name: "upgrade")
        let isFirst = awaited.isEmpty && unsent == 0
        awaited.append(
            Awaited(version: head.version, isHead: head.method == .HEAD, isLast: isLast))
        isShut = isLast
        connection.clock { clock, now in clock.head(now: now) }
        context.fireChannelRead(wrapInboundOut(.head(head)))
        let length = head.headers.first(name: "content-length").flatMap { Int($0) } ?? 0
        if !expectations.isEmpty, isFirst, head.version == .http1_1, length <= limits.bodyBytes {
            let head = HTTPResponseHead(version: .http1_1, status: .continue)
            context.writeAndFlush(wrapOutboundOut(.head(head)), promise: nil)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard let error = error as? HTTPParserError else {
            context.fireErrorCaught(error)
            context.close(promise: nil)
            return
        }
        if connection.clock({ clock, _ in clock.isInBody }) {
            // The handler of the request is told, and its answer closes the connection.
            isShut = true
            connection.endBody(.malformedBody)
            context.fireErrorCaught(error)
        } else if !isShut {
            refuse(RequestRules.failure(error, beginning: connection.beginning), context)
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case Connection.Command.refuse(let failure):
            let isDue = connection.clock { clock, now in
                clock.verdict(now: now, limits) == .slowHeaders
            }
            if isDue, !isShut { refuse(failure, context) }
        case Connection.Command.abort: context.close(promise: nil)
        case ChannelEvent.inputClosed:
            if !awaited.isEmpty {
                context.eventLoop.scheduleTask(in: Self.halfClosedTime) { [connection] in
                    connection.end(.clientLeft)
                }
            }
            context.fireUserInboundEventTriggered(event)
        default: context.fireUserInboundEventTriggered(event)
        }
    }

    func read(context: ChannelHandlerContext) {
        connection.clock { clock, now in clock.reading(now: now) }
        context.read()
    }

    // MARK: Responses

    func write(
        context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?
    ) {
        switch unwrapOutboundIn(data) {
        case .head(var head):
            guard let request = awaited.first else {
                promise?.fail(ChannelError.ioOnClosedChannel)
                return
            }
            guard head.status.code >= 200 else {
                context.write(data, promise: promise)
                return
            }
            let isReading = awaited.count == 1 && connection.clock { clock, _ in clock.isInBody }
            closesAfterResponse = request.isLast || isReading
            // A client of HTTP/1.0 knows no chunks; the end of the connection ends its body.
            head.version = request.version
            if closesAfterResponse { head.headers.replaceOrAdd(name: "connection", value: "close") }
            context.write(wrapOutboundOut(.head(head)), promise: promise)
        case .body(let part):
            bodyBytes += part.readableBytes
            connection.wrote(part.readableBytes)
            context.write(data, promise: promise)
        case .end:
            let request = awaited.popFirst()
            connection.responseWritten()
            if closesAfterResponse { isShut = true }
            // The encoder would end a body of unknown length with an empty chunk, but the answer to HEAD has no body.
            let end =
                request?.isHead == true
                ? wrapOutboundOut(.body(.byteBuffer(ByteBuffer()))) : data
            finish(end, context, promise, isLast: closesAfterResponse)
        }
    }

    /// Writes the end of a response, and does what has to be done once it has left.
    private func finish(
        _ data: NIOAny, _ context: ChannelHandlerContext, _ promise: EventLoopPromise<Void>?,
        isLast: Bool
    ) {
        let bytes = bodyBytes
        bodyBytes = 0
        unsent += 1
        let sent = promise ?? context.eventLoop.makePromise(of: Void.self)
        sent.futureResult.assumeIsolated().whenComplete { [self] _ in
            unsent -= 1
            observer.sent(bytes)
            connection.responseEnded(bytes: bytes)
            if closesWhenSent, unsent == 0 {
                context.close(promise: nil)
            } else if isLast {
                linger(context)
            }
        }
        context.writeAndFlush(data, promise: sent)
        if awaited.isEmpty, let failure = postponed.take() { answer(failure, context) }
    }

    /// Closes only when what was written has left.
    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        guard mode == .all, unsent > 0, !closesWhenSent else {
            context.close(mode: mode, promise: promise)
            return
        }
        closesWhenSent = true
        if let promise { context.channel.closeFuture.cascade(to: promise) }
    }

    // MARK: Refusals

    /// Lets nothing further through, and answers once the earlier requests are answered.
    private func refuse(_ failure: HTTPFailure, _ context: ChannelHandlerContext) {
        isShut = true
        if awaited.isEmpty {
            answer(failure, context)
        } else {
            postponed = failure
        }
    }

    private func answer(_ failure: HTTPFailure, _ context: ChannelHandlerContext) {
        observer.refused(failure, address: connection.addressText)
        let bytes = failure.bytes
        var head = HTTPResponseHead(
            version: .http1_1, status: .init(statusCode: failure.status.code))
        head.headers = [
            "content-type": "application/json", "content-length": String(bytes.count),
            "cache-control": "no-store", "x-content-type-options": "nosniff",
            "connection": "close",
        ]
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: bytes)))), promise: nil)
        let sent = context.eventLoop.makePromise(of: Void.self)
        sent.futureResult.assumeIsolated().whenComplete { [self] _ in linger(context) }
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: sent)
    }

    private var isLingering: Bool { connection.clock { clock, _ in clock.isClosing } }

    /// Ends the sending side and drops what still comes, for as long as the clock allows: closing at once would reset
    /// the connection, and the client could lose the response.
    private func linger(_ context: ChannelHandlerContext) {
        connection.clock { clock, now in clock.close(now: now) }
        context.close(mode: .output, promise: nil)
        context.read()
    }
}
