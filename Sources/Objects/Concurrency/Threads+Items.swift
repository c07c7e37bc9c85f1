internal import Synchronization

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
