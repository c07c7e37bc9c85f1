internal import NIOPosix
public import Objects
internal import Synchronization

/// Runs blocking work on a few threads of its own, with a bounded queue before them.
///
/// Request handlers are asynchronous and must not block, and the store blocks. Work that does not fit in the queue is
/// refused at once, so a client can go elsewhere instead of waiting for an answer that comes too late. The last quarter
/// of the queue is kept for clients that have nothing in it, so one client cannot lock out the others.
public final class WorkPool: Sendable {
    /// Why work was not done.
    public enum Refusal: Error, Hashable {
        /// The queue is full.
        case full
        /// The deadline passed, or the client left, before the work was done.
        case ended
    }

    /// The number of threads.
    public let width: Int
    private let name: String
    /// The maximum number of pieces of work that wait.
    public let queue: Int
    private let pool: NIOThreadPool
    private let state = Mutex(State())
    private let refused: Metrics.Counter?

    private struct State {
        var running = 0
        var waiting: [Work] = []
    }

    /// Starts a pool.
    ///
    /// - Parameters:
    ///   - name: The pool's name in the metrics.
    ///   - metrics: Where to register `work_running`, `work_waiting` and `work_refused_total`.
    public init(_ name: String = "work", width: Int, queue: Int, metrics: Metrics? = nil) {
        precondition(width > 0 && queue >= 0, "a pool has a thread")
        (self.name, self.width, self.queue) = (name, width, queue)
        pool = NIOThreadPool(numberOfThreads: width)
        refused = metrics?.counter(
            "work_refused_total", "Pieces of work that were not done, by reason.",
            labels: ["pool", "reason"])
        pool.start()
        metrics?.gauge("work_running", "Threads that work.", labels: ["pool"]) { [weak self] in
            [([name], Double(self?.running ?? 0))]
        }
        metrics?.gauge("work_waiting", "Pieces of work that wait for a thread.", labels: ["pool"]) {
            [weak self] in [([name], Double(self?.waiting ?? 0))]
        }
    }

    /// The pieces of work that run or wait.
    public var load: Int { state.withLock { $0.running + $0.waiting.count } }
    /// The threads that work.
    public var running: Int { state.withLock { $0.running } }
    /// The pieces of work that wait.
    public var waiting: Int { state.withLock { $0.waiting.count } }

    /// Runs work on a thread of the pool.
    ///
    /// When the task is cancelled, the deadline is cancelled too and the call ends at once. Work that has begun goes on
    /// until it notices that its deadline has ended; its result is dropped.
    ///
    /// - Parameter client: Whose work it is, for the fair sharing of the queue.
    /// - Throws: ``Refusal``, or the error of the work.
    public func run<Result: Sendable>(
        by deadline: Deadline, for client: String = "",
        _ work: @escaping @Sendable () throws -> Result
    ) async throws -> Result {
        let outcome = Outcome<Result>()
        let piece = Work(client: client) {
            guard !deadline.hasEnded else { return outcome.set(.failure(Refusal.ended)) }
            outcome.set(Swift.Result { try work() })
        }
        do {
            return try await withTaskCancellationHandler {
                try await withCheckedThrowingContinuation { continuation in
                    guard outcome.wait(continuation) else { return }
                    if !admit(piece) { outcome.set(.failure(Refusal.full)) }
                }
            } onCancel: {
                deadline.cancel()
                state.withLock { $0.waiting.removeAll { $0 === piece } }
                outcome.set(.failure(Refusal.ended))
            }
        } catch let refusal as Refusal {
            refused?.add(1, name, refusal == .full ? "full" : "ended")
            throw refusal
        }
    }

    /// Ends the threads once their work is done.
    public func stop() async { try? await pool.shutdownGracefully() }

    /// Starts work or lets it wait; false when there is no room.
    private func admit(_ piece: Work) -> Bool {
        let start: Bool? = state.withLock { state in
            if state.running < width {
                state.running += 1
                return true
            }
            let isWaiting = state.waiting.contains { $0.client == piece.client }
            let places = isWaiting ? queue - queue / 4 : queue
            guard state.waiting.count < places else { return nil }
            state.waiting.append(piece)
            return false
        }
        guard let start else { return false }
        if start { pool.submit { [self] _ in perform(piece) } }
        return true
    }

    /// Does work, and then what waits, until nothing does.
    private func perform(_ first: Work) {
        var next: Work? = first
        while let piece = next {
            piece.body()
            next = state.withLock { state in
                guard !state.waiting.isEmpty else {
                    state.running -= 1
                    return nil
                }
                return state.waiting.removeFirst()
            }
        }
    }
}

/// A piece of work, and whose it is.
private final class Work: Sendable {
    let client: String
    let body: @Sendable () -> Void

    init(client: String, body: @escaping @Sendable () -> Void) {
        self.client = client
        self.body = body
    }
}

/// The result of a piece of work, which the work, a refusal and a cancellation race to set.
private final class Outcome<Result: Sendable>: Sendable {
    private typealias Waiter = CheckedContinuation<Result, any Error>
    private enum State {
        case open
        case waiting(Waiter)
        case set(Swift.Result<Result, any Error>)
        case done
    }

    private let state = Mutex(State.open)

    /// Sets the result unless it is set already.
    func set(_ result: Swift.Result<Result, any Error>) {
        let waiter: Waiter? = state.withLock { state in
            switch state {
            case .open:
                state = .set(result)
                return nil
            case .waiting(let waiter):
                state = .done
                return waiter
            case .set, .done: return nil
            }
        }
        waiter?.resume(with: result)
    }

    /// Resumes a waiter with the result once there is one; false when there is one already.
    func wait(_ waiter: CheckedContinuation<Result, any Error>) -> Bool {
        let result: Swift.Result<Result, any Error>? = state.withLock { state in
            guard case .set(let result) = state else {
                state = .waiting(waiter)
                return nil
            }
            state = .done
            return result
        }
        guard let result else { return true }
        waiter.resume(with: result)
        return false
    }
}
