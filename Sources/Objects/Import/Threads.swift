internal import Dispatch
internal import Glibc

/// How many threads large work is given, and how it is given to them.
enum Threads {
    /// As many as there are processors; more than 16 would mostly wait for the disk.
    static var available: Int { max(1, min(16, sysconf(Int32(_SC_NPROCESSORS_ONLN)))) }

    /// Calls `work` that many times, at once where there are processors for it, and waits for all of them.
    static func run(_ count: Int, _ work: @Sendable () -> Void) {
        guard count > 1 else {
            work()
            return
        }
        DispatchQueue.concurrentPerform(iterations: count) { _ in work() }
    }
}
