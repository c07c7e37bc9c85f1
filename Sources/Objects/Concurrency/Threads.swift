internal import Dispatch
internal import Glibc
internal import Synchronization

/// How many threads large work is given, and how it is given to them.
public enum Threads {
    /// As many as there are processors; more than 16 would mostly wait for the disk.
    public static var available: Int { max(1, min(16, sysconf(Int32(_SC_NPROCESSORS_ONLN)))) }

    /// Calls `work` that many times, at once where there are processors for it, and waits for all of them.
    static func run(_ count: Int, _ work: @Sendable () -> Void) {
        guard count > 1 else {
            work()
            return
        }
        DispatchQueue.concurrentPerform(iterations: count) { _ in work() }
    }

    /// Computes `count` independent results, several at a time, and returns them in order.
    ///
    /// The results do not depend on `threads`, only the time does: which thread computes which result must
    /// not matter to `body`.
    public static func map<Result: Sendable>(
        _ count: Int, threads: Int = available, _ body: @Sendable (Int) -> Result
    ) -> [Result] {
        let workers = min(max(threads, 1), count)
        if workers <= 1 { return (0..<count).map(body) }
        let results = Mutex([Result?](repeating: nil, count: count))
        let next = Atomic(0)
        run(workers) {
            while true {
                let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
                guard index < count else { return }
                let result = body(index)
                results.withLock { $0[index] = result }
            }
        }
        return results.withLock { $0.compactMap(\.self) }
    }
}
