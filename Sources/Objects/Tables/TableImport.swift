internal import Storage
internal import Synchronization

/// Builds a table from JSON Lines with several threads.
///
/// Work goes in rounds. In each round, threads fetch the next rows and store the leaves planned in the round before.
/// Between rounds, one thread orders the rows and cuts them into leaves. So the table does not depend on the number
/// of threads, and memory is bounded by two rounds.
struct TableImport<Store: ObjectStore>: Sendable {
    let source: JSONLinesSource
    let predecessor: Table?
    let store: Store
    let threads: Int
    /// The maximum number of bytes of rows in memory while they are sorted.
    var memoryLimit = RowSorter.memoryLimit

    /// The number of blocks of lines that one round parses: several for each thread, so that no thread waits long.
    private var blocksPerRound: Int { min(8 * threads, 64) }
    /// The bytes of sorted rows in one round.
    private static var sortedSize: Int { 8 << 20 }
    /// The number of lines whose order is sampled.
    private static var samples: Int { 64 }

    func run(
        makeScratch: @escaping () throws(ObjectError) -> any StagedBlob
    ) throws(ObjectError) -> Table {
        // Sorting a small file in memory costs little, and checks every line before anything is stored.
        if source.size > memoryLimit, isInOrder, let table = try importOrdered() { return table }
        return try importSorted(RowSorter(memoryLimit: memoryLimit, makeScratch: makeScratch))
    }

    /// Whether the keys of sampled lines ascend.
    private var isInOrder: Bool {
        var last: [UInt8] = []
        for sample in 0..<Self.samples {
            let index = sample * (source.blockCount - 1) / (Self.samples - 1)
            // The import itself will report a line that cannot be parsed.
            guard let block = try? source.block(index, atMost: 1), !block.rows.isEmpty else {
                continue
            }
            let key = block.rows.key(0)
            if TableBytes.compare(key.span, last.span) < 0 { return false }
            last = key
        }
        return true
    }

    // MARK: Rounds

    private typealias Planner = TablePlanner<Store, Store>

    /// Does `count` items of work while other threads store the planned leaves.
    private func round<Item: Sendable>(
        _ count: Int, storing plan: TablePlan?,
        _ work: @Sendable (Int) throws(ObjectError) -> Item
    ) throws(ObjectError) -> (items: [Item], leaves: [ObjectID]) {
        let leaves = plan?.leaves ?? []
        let results = Threads.map(count + leaves.count, threads: threads) { index in
            Result { () throws(ObjectError) -> (item: Item?, leaf: ObjectID?) in
                guard index >= count else { return (try work(index), nil) }
                return (nil, try leaves[index - count].write(to: store))
            }
        }
        var ids: [ObjectID] = []
        for result in results[count...] { if let id = try result.get().leaf { ids.append(id) } }
        var items: [Item] = []
        for result in results[..<count] {
            if let item = try result.get().item { items.append(item) }
        }
        return (items, ids)
    }

    /// Begins a table, as a new version of the predecessor if their vectors have the same dimension. If the predecessor
    /// cannot be read, the import only loses the space that deltas would have saved.
    private func planner(_ dimension: Int) -> Planner {
        var places: LeafWalk<Store>?
        if let predecessor, predecessor.dimension == dimension {
            places = try? LeafWalk(predecessor, in: store)
        }
        return Planner(dimension: dimension, in: store, succeeding: places)
    }

    private func explain(_ error: RowDisorder) -> ObjectError {
        switch error {
        case .late:
            return .invalid(what: source.place(ofLine: 0), reason: "its key is not in order")
        case .repeated(let key, let line, let earlier):
            let text = JSON.string(String(decoding: key, as: UTF8.self)).canonicalText
            return source.invalid("the key \(text) is already on line \(earlier)", line: line)
        }
    }

    // MARK: The two ways

    /// Stores rows while it parses lines. Returns nil, so that the caller sorts all rows, when a row is more than a
    /// block behind its place, when too many rows wait, or when there are no rows.
    private func importOrdered() throws(ObjectError) -> Table? {
        var progress = JSONLinesSource.Progress()
        var planner: Planner?
        var plan: TablePlan?
        var next = 0
        while next < source.blockCount || plan != nil {
            let blocks = next..<min(next + blocksPerRound, source.blockCount)
            let parsed = try round(blocks.count, storing: plan) { (index) throws(ObjectError) in
                try source.block(blocks.lowerBound + index)
            }
            if let plan { try planner?.take(parsed.leaves, of: plan) }
            plan = nil
            next = blocks.upperBound
            let rows = try source.rows(of: parsed.items, after: &progress)
            guard !blocks.isEmpty, let dimension = progress.dimension else { continue }
            var planning = planner ?? self.planner(dimension)
            let order = planning.order(with: rows)
            let isLast = next == source.blockCount
            let count =
                isLast ? order.places.count : settled(order, before: rows.last { !$0.isEmpty })
            do throws(RowDisorder) {
                plan = try planning.plan(order, first: count, isLast: isLast)
            } catch {
                if case .late = error { return nil }
                throw explain(error)
            }
            // This many rows wait only when most blocks contain rows that belong far back.
            if planning.waiting.size > RowSorter.memoryLimit { return nil }
            planner = planning
        }
        guard var planner else { return nil }
        return try planner.finish()
    }

    /// The number of rows that precede all rows of the last block. Rows of the next block may belong between the
    /// others.
    private func settled(_ order: RowOrder, before block: RowBlock?) -> Int {
        guard let block else { return 0 }
        let key = block.key(0)
        var count = order.places.count
        while count > 0, order.compare(count - 1, key.span) >= 0 { count -= 1 }
        return count
    }

    /// Parses and sorts all rows, then stores them.
    private func importSorted(_ sorter: RowSorter) throws(ObjectError) -> Table {
        var sorter = sorter
        var progress = JSONLinesSource.Progress()
        try source.forEachBlock(
            perRound: blocksPerRound, threads: threads, after: &progress
        ) { (block) throws(ObjectError) in try sorter.append(block) }
        let sorted = Mutex(try sorter.sorted())
        let dimension = progress.dimension ?? 0
        var planner = planner(dimension)
        var plan: TablePlan?
        var isLast = false
        while !isLast || plan != nil {
            let merged = try round(isLast ? 0 : 1, storing: plan) {
                (_) throws(ObjectError) -> RowBlock? in
                try sorted.withLock { (rows) throws(ObjectError) in
                    try rows.next(atLeast: Self.sortedSize)
                }
            }
            if let plan { try planner.take(merged.leaves, of: plan) }
            plan = nil
            guard !isLast else { continue }
            let rows = merged.items.compactMap { $0 }
            isLast = rows.isEmpty
            let order = planner.order(with: rows)
            do throws(RowDisorder) {
                plan = try planner.plan(order, first: order.places.count, isLast: isLast)
            } catch { throw explain(error) }
        }
        return try planner.finish()
    }
}
