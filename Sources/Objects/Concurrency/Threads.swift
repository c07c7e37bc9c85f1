internal import Glibc
internal import Synchronization

/// Runs work on several threads.
public enum Threads {
    /// The number of processors, at most 16: more threads would mostly wait for the disk.
    public static var available: Int { max(1, min(16, sysconf(Int32(_SC_NPROCESSORS_ONLN)))) }

    /// Calls `work` `count` times, but at least once, and waits for all calls to return.
    ///
    /// One call is made on this thread, and so are those for which the system provides no thread; the others each get a
    /// new thread.
    ///
    /// Uses plain threads: those of a dispatch queue need file descriptors, and kill the process when there are none.
    package static func run(_ count: Int, _ work: @Sendable () -> Void) {
        guard count > 1 else {
            work()
            return
        }
        withoutActuallyEscaping(work) { work in
            let job = Job(work)
            var threads: [pthread_t] = []
            for _ in 1..<count {
                guard let thread = job.start() else { break }
                threads.append(thread)
            }
            for _ in threads.count..<count { work() }
            for thread in threads { pthread_join(thread, nil) }
        }
    }

    private final class Job: Sendable {
        private let work: @Sendable () -> Void

        init(_ work: @escaping @Sendable () -> Void) { self.work = work }

        /// Starts a thread that does the work; returns nil when the system has no more threads.
        func start() -> pthread_t? {
            var thread = pthread_t()
            let job = Unmanaged.passRetained(self)
            let code = pthread_create(
                &thread, nil,
                { argument in
                    if let argument {
                        Unmanaged<Job>.fromOpaque(argument).takeRetainedValue().work()
                    }
                    return nil
                }, job.toOpaque())
            guard code != 0 else { return thread }
            job.release()
            return nil
        }
    }

    /// Computes `count` independent results, several at a time, and returns them in order.
    ///
    /// The results must not depend on which thread computes them, so `threads` affects only the time.
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

    /// Computes `count` independent results as the function above does, all of them even if one fails.
    ///
    /// - Throws: The error of the first of them, in order, that failed; so the error does not depend on the threads.
    public static func mapAll<Value: Sendable>(
        _ count: Int, threads: Int = available,
        _ body: @Sendable (Int) throws(ObjectError) -> Value
    ) throws(ObjectError) -> [Value] {
        let results = map(count, threads: threads) { index in
            Result { () throws(ObjectError) in try body(index) }
        }
        return try results.map { (result) throws(ObjectError) in try result.get() }
    }

    /// Computes a result from each item on several threads, and returns the results in the order of the items.
    ///
    /// - Parameter group: The number of items that a thread takes at a time, which amortises the cost of handing out
    ///   work; by default, every thread gets several groups.
    /// - Throws: The error of `body` for one of the items; threads then take no more groups.
    public static func map<Item: Sendable, Result: Sendable>(
        _ items: [Item], threads: Int, group: Int? = nil,
        _ body: @Sendable (Item) throws(ObjectError) -> Result
    ) throws(ObjectError) -> [Result] {
        let group = group ?? max(1, min(64, items.count / (8 * max(threads, 1))))
        let hasFailed = Atomic(false)
        let groups = Threads.map((items.count + group - 1) / group, threads: threads) { index in
            let range = index * group..<min(items.count, (index + 1) * group)
            var results: [Result] = []
            guard !hasFailed.load(ordering: .relaxed) else {
                return (results, ObjectError?.none)
            }
            results.reserveCapacity(range.count)
            do throws(ObjectError) {
                for item in items[range] { results.append(try body(item)) }
            } catch {
                hasFailed.store(true, ordering: .relaxed)
                return (results, error)
            }
            return (results, nil)
        }
        for (_, error) in groups { if let error { throw error } }
        return groups.flatMap(\.0)
    }
}
