internal import Glibc
internal import Synchronization

/// How many threads large work is given, and how it is given to them.
public enum Threads {
    /// As many as there are processors; more than 16 would mostly wait for the disk.
    public static var available: Int { max(1, min(16, sysconf(Int32(_SC_NPROCESSORS_ONLN)))) }

    /// Calls `work` that many times, each time by a thread of its own as far as the system has any, and waits for all
    /// of them.
    ///
    /// Plain threads, because those of a dispatch queue need descriptors, and end the process where there are none.
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

    /// What a thread does.
    private final class Job: Sendable {
        private let work: @Sendable () -> Void

        init(_ work: @escaping @Sendable () -> Void) { self.work = work }

        /// Does it in a new thread; nil when the system has no more.
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

extension Threads {
    /// Computes something of each item, by several threads, until one fails; in the order of the items.
    ///
    /// - Throws: What `body` throws for one of the items.
    public static func map<Item: Sendable, Result: Sendable>(
        _ items: [Item], threads: Int,
        _ body: @Sendable (Item) throws(ObjectError) -> Result
    ) throws(ObjectError) -> [Result] {
        // A group of items amortises what handing out work costs, and there are enough groups for nobody to wait.
        let group = max(1, min(64, items.count / (8 * max(threads, 1))))
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
