internal import Dispatch
public import Hummingbird
internal import Logging
internal import NIOCore
public import Objects
internal import Synchronization

/// A response that blocking work writes part by part, at the speed of the client.
///
/// See ``ServingContext/stream(on:contentType:_:)``.
public final class ResponseStream: Sendable {
    private struct State {
        var pending = ByteBuffer()
        var headers: HTTPFields = [:]
        var parts = 0
        var outcome: Result<Void, any Error>?
        var reader: CheckedContinuation<ByteBuffer?, any Error>?
    }

    /// The bytes that may wait for the client before ``send(_:)`` blocks.
    static let capacity = 64 << 10

    private let deadline: Deadline
    private let state = Mutex(State())
    private let room = DispatchSemaphore(value: 0)

    init(_ deadline: Deadline) { self.deadline = deadline }

    /// Adds headers to the response; only before the first ``send(_:)``.
    public func setHeaders(_ headers: HTTPFields) {
        state.withLock { state in
            precondition(state.parts == 0, "headers come before the body")
            for field in headers { state.headers[field.name] = field.value }
        }
    }

    /// Sends bytes. Blocks the calling thread while the client has not taken what was sent before.
    ///
    /// - Throws: `ended` once the client left or the deadline passed.
    public func send(_ bytes: some Collection<UInt8>) throws(WorkPool.Refusal) {
        while true {
            guard !deadline.hasEnded else { throw .ended }
            var reader: CheckedContinuation<ByteBuffer?, any Error>?
            var part = ByteBuffer()
            let step: Bool? = state.withLock { state in
                guard state.outcome == nil else { return nil }
                guard state.pending.readableBytes < Self.capacity else { return false }
                state.parts += 1
                state.pending.writeBytes(bytes)
                reader = state.reader.take()
                if reader != nil { swap(&part, &state.pending) }
                return true
            }
            guard let step else { throw .ended }
            if step {
                reader?.resume(returning: part)
                return
            }
            // Woken when there is room; looks at the deadline in between.
            _ = room.wait(timeout: .now() + .milliseconds(100))
        }
    }

    /// Sends a server-sent event with JSON as its data.
    ///
    /// - Throws: As ``send(_:)`` does.
    public func sendEvent(_ json: JSON) throws(WorkPool.Refusal) {
        try send(Self.event(json))
    }

    /// Sends a server-sent event with a line of text as its data, such as `[DONE]`.
    ///
    /// - Throws: As ``send(_:)`` does.
    public func sendEvent(_ line: String) throws(WorkPool.Refusal) {
        try send(Self.event(line))
    }

    /// A server-sent event with a line of text as its data, such as `[DONE]`.
    public static func event(_ line: String) -> [UInt8] {
        precondition(!line.utf8.contains(0x0A) && !line.utf8.contains(0x0D), "one line")
        return Array("data: \(line)\n\n".utf8)
    }

    /// A server-sent event with JSON as its data.
    ///
    /// - Parameter name: The type of the event; nil for none.
    public static func event(_ json: JSON, named name: String? = nil) -> [UInt8] {
        var bytes = Array("\(name.map { "event: \($0)\n" } ?? "")data: ".utf8)
        json.appendCanonical(to: &bytes)
        bytes.append(contentsOf: [0x0A, 0x0A])
        return bytes
    }

    /// No more will be sent. The first outcome counts.
    func finish(_ outcome: Result<Void, any Error>) {
        let reader: CheckedContinuation<ByteBuffer?, any Error>? = state.withLock { state in
            guard state.outcome == nil else { return nil }
            state.outcome = outcome
            return state.reader.take()
        }
        room.signal()
        reader?.resume(with: outcome.map { nil })
    }

    /// The number of times that ``send(_:)`` succeeded.
    var partCount: Int { state.withLock { $0.parts } }

    /// The headers that the work set.
    var headers: HTTPFields { state.withLock { $0.headers } }

    /// The next bytes; nil at the end. Called by one task at a time.
    func next() async throws -> ByteBuffer? {
        try await withCheckedThrowingContinuation { reader in
            let next: Result<ByteBuffer?, any Error>? = state.withLock { state in
                if state.pending.readableBytes > 0 {
                    var part = ByteBuffer()
                    swap(&part, &state.pending)
                    return .success(part)
                }
                if let outcome = state.outcome { return outcome.map { nil } }
                state.reader = reader
                return nil
            }
            if let next {
                room.signal()
                reader.resume(with: next)
            }
        }
    }
}

extension ServingContext {
    /// Runs blocking work on a pool that writes the response part by part.
    ///
    /// Waits for the first part, so that work that fails before it gets the status of its error. Work that fails later
    /// ends server-sent events with an event of the failure, and any other response by closing the connection.
    ///
    /// - Parameter failureEvent: Makes that event of the failure and the number of parts that were sent before it; by
    ///   default, its data is `{"error": …}`.
    /// - Throws: `WorkPool.Refusal`, or the error of the work.
    public func stream(
        on pool: WorkPool, contentType: String = "text/event-stream",
        failureEvent: @escaping @Sendable (HTTPFailure, _ partCount: Int) -> [UInt8] = {
            failure, _ in ResponseStream.event(failure.json)
        },
        _ produce: @escaping @Sendable (ResponseStream) throws -> Void
    ) async throws -> Response {
        let stream = ResponseStream(deadline)
        let context = self
        let producer = Task {
            do {
                try await context.run(on: pool) { try produce(stream) }
                stream.finish(.success(()))
            } catch {
                stream.finish(.failure(error))
            }
        }
        exchange?.onEnd {
            stream.finish(.failure(WorkPool.Refusal.ended))
            producer.cancel()
        }
        let first = try await stream.next()
        var headers = stream.headers
        headers[.contentType] = contentType
        let isEvents = contentType == "text/event-stream"
        let body = ResponseBody { writer in
            defer { producer.cancel() }
            if let first { try await writer.write(first) }
            while true {
                let part: ByteBuffer?
                do {
                    part = try await stream.next()
                } catch  where isEvents {
                    let ending = context.exchange?.ending
                    let failure = context.failures.failure(error, ending: ending)
                    // The status was sent long ago, so only this line tells an operator.
                    if ending == nil, FailureMapping.isUnexpected(error) {
                        context.logger.error("\(FailureMapping.text(of: error))")
                    }
                    part = ByteBuffer(bytes: failureEvent(failure, stream.partCount))
                    if let part { try await writer.write(part) }
                    break
                }
                guard let part else { break }
                try await writer.write(part)
            }
            try await writer.finish(nil)
        }
        return Response(status: .ok, headers: headers, body: body)
    }
}
