public import Objects
internal import NIOPosix
internal import Synchronization

/// Runs blocking work on a few threads of its own, with a bounded queue before them.
///
/// Request handlers are asynchronous and must not block, and the store blocks. Work that does not fit in the queue is
/// refused at once, so a client can go elsewhere instead of waiting for an answer that comes too late.
public final class WorkPool: Sendable {
    /// Why work was not done.
    public enum Refusal: Error, Hashable {
        /// The queue is full.
        case full
        /// The deadline passed, or the client left, while the work waited in the queue.
        case ended
    }

    /// The number of threads.
    public let width: Int
    /// The maximum number of pieces of work that wait.
    public let queue: Int
    private let pool: NIOThreadPool
    private let admitted = Atomic(0)

    /// Starts a pool.
    public init(width: Int, queue: Int) {
        precondition(width > 0 && queue >= 0, "a pool has a thread")
        (self.width, self.queue) = (width, queue)
        pool = NIOThreadPool(numberOfThreads: width)
        pool.start()
    }

    /// The pieces of work that run or wait.
    public var load: Int { admitted.load(ordering: .relaxed) }

    /// Runs work on a thread of the pool.
    ///
    /// - Throws: ``Refusal``, or the error of the work.
    public func run<Result: Sendable>(
        by deadline: Deadline, _ work: @escaping @Sendable () throws -> Result
    ) async throws -> Result {
        let place = admitted.wrappingAdd(1, ordering: .relaxed).newValue
        defer { admitted.wrappingSubtract(1, ordering: .relaxed) }
        guard place <= width + queue else { throw Refusal.full }
        return try await withTaskCancellationHandler {
            try await pool.runIfActive {
                guard !deadline.hasEnded else { throw Refusal.ended }
                return try work()
            }
        } onCancel: {
            deadline.cancel()
        }
    }

    /// Ends the threads once their work is done.
    public func stop() async { try? await pool.shutdownGracefully() }
}
