internal import Storage
internal import Synchronization

/// Makes a table of JSON Lines with several threads.
///
/// Work goes in rounds. In each, threads parse the next blocks of lines and store the leaves that were planned in
/// the round before; between rounds the rows are put in order and cut into leaves. So the table does not depend on
/// the threads, and memory is that of two rounds.
struct TableImport<Store: ObjectStore>: Sendable {
    let source: JSONLinesSource
    let predecessor: Table?
    let store: Store
    let threads: Int
    /// Bytes of rows that are held while they are sorted.
    var memoryLimit = RowSorter.memoryLimit

    /// Lines that are parsed in one round, about; several blocks for each thread, so that none waits long.
    private var blocksPerRound: Int { min(8 * threads, 64) }
    /// Bytes of sorted rows in one round.
    private static var sortedSize: Int { 8 << 20 }
    /// Places in the lines where the order is looked at.
    private static var samples: Int { 64 }

    func run(
        makeScratch: @escaping () throws(ObjectError) -> any StagedBlob
    ) throws(ObjectError) -> Table {
        // Few rows are sorted in memory at no cost; then all lines are found to be rows before any is stored.
        if source.size > memoryLimit, isInOrder, let table = try importOrdered() { return table }
        return try importSorted(RowSorter(memoryLimit: memoryLimit, makeScratch: makeScratch))
    }

    /// Whether the keys of lines here and there in the source ascend.
    private var isInOrder: Bool {
        var last: [UInt8] = []
        for sample in 0..<Self.samples {
            let index = sample * (source.blockCount - 1) / (Self.samples - 1)
            // What is wrong with a line will be found again.
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

    private enum Outcome: Sendable {
        case block(JSONLinesSource.Block)
        case rows(RowBlock?)
        case leaf(ObjectID)
        case failure(ObjectError)
    }

    /// Checks parsed blocks in order and gives their rows.
    private func rows(
        _ results: some Sequence<Outcome>, _ progress: inout JSONLinesSource.Progress
    ) throws(ObjectError) -> [RowBlock] {
        var blocks: [RowBlock] = []
        for result in results {
            switch result {
            case .failure(let error): throw error
            case .rows(let rows): if let rows { blocks.append(rows) }
            case .leaf: break
            case .block(let block): blocks.append(try source.rows(of: block, after: &progress))
            }
        }
        return blocks
    }

    private func parse(_ index: Int) -> Outcome {
        do throws(ObjectError) { return .block(try source.block(index)) } catch {
            return .failure(error)
        }
    }

    private func write(_ index: Int, of plan: TableLeafPlan) -> Outcome {
        do throws(ObjectError) { return .leaf(try plan.write(index, to: store)) } catch {
            return .failure(error)
        }
    }

    private func ids(_ results: some Sequence<Outcome>) throws(ObjectError) -> [ObjectID] {
        var ids: [ObjectID] = []
        for result in results {
            switch result {
            case .leaf(let id): ids.append(id)
            case .failure(let error): throw error
            case .block, .rows: break
            }
        }
        return ids
    }

    /// The leaves of the predecessor, if the new table can have much the same. A predecessor that cannot be read
    /// costs what it would have saved, no more.
    private func places(_ dimension: Int) -> TableLeafPlaces<Store>? {
        guard let predecessor, predecessor.dimension == dimension else { return nil }
        return try? TableLeafPlaces(predecessor, in: store)
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

    /// Stores rows while lines are parsed; nil when their order is off by more than a block.
    private func importOrdered() throws(ObjectError) -> Table? {
        var progress = JSONLinesSource.Progress()
        var planner: TableLeafPlanner<Store, Store>?
        var plan: TableLeafPlan?
        var next = 0
        while next < source.blockCount || plan != nil {
            let blocks = next..<min(next + blocksPerRound, source.blockCount)
            let current = plan
            let results = Threads.map(
                blocks.count + (current?.leaves.count ?? 0), threads: threads
            ) { index in
                if index < blocks.count { return parse(blocks.lowerBound + index) }
                guard let current else { return .rows(nil) }
                return write(index - blocks.count, of: current)
            }
            if let current {
                try planner?.take(try ids(results[blocks.count...]), of: current)
                plan = nil
            }
            next = blocks.upperBound
            guard !blocks.isEmpty else { continue }
            let parsed = try rows(results[..<blocks.count], &progress)
            guard let dimension = progress.dimension else { continue }
            var planning =
                planner
                ?? TableLeafPlanner(
                    dimension: dimension, in: store, succeeding: places(dimension))
            var order = RowOrder()
            order.append(planning.waiting)
            for block in parsed { order.append(block) }
            let isLast = next == source.blockCount
            let count =
                isLast ? order.places.count : settled(order, before: parsed.last { !$0.isEmpty })
            do throws(RowDisorder) {
                plan = try planning.plan(order, first: count, isLast: isLast)
            } catch {
                if case .late = error { return nil }
                throw explain(error)
            }
            // So many rows wait only when most blocks reach far back.
            if planning.waiting.size > RowSorter.memoryLimit { return nil }
            planner = planning
        }
        guard var planner else { return nil }
        return try planner.finish()
    }

    /// How many rows come before all rows of the last block: the rows of the next one may belong among the others.
    private func settled(_ order: RowOrder, before block: RowBlock?) -> Int {
        guard let block else { return 0 }
        let key = block.key(0)
        var count = order.places.count
        while count > 0, order.compare(order.places[count - 1], key.span) >= 0 { count -= 1 }
        return count
    }

    /// Parses and sorts all rows, and stores them then.
    private func importSorted(_ sorter: RowSorter) throws(ObjectError) -> Table {
        var sorter = sorter
        var progress = JSONLinesSource.Progress()
        var next = 0
        while next < source.blockCount {
            let blocks = next..<min(next + blocksPerRound, source.blockCount)
            let results = Threads.map(blocks.count, threads: threads) {
                parse(blocks.lowerBound + $0)
            }
            for block in try rows(results, &progress) { try sorter.append(block) }
            next = blocks.upperBound
        }
        let sorted = Mutex(try sorter.sorted())
        let dimension = progress.dimension ?? 0
        var planner = TableLeafPlanner(
            dimension: dimension, in: store, succeeding: places(dimension))
        var plan: TableLeafPlan?
        var isLast = false
        while !isLast || plan != nil {
            let current = plan
            let isDone = isLast
            let results = Threads.map(1 + (current?.leaves.count ?? 0), threads: threads) {
                index in
                if index > 0, let current { return write(index - 1, of: current) }
                if isDone { return .rows(nil) }
                do throws(ObjectError) {
                    return .rows(
                        try sorted.withLock { (rows) throws(ObjectError) in
                            try rows.next(atLeast: Self.sortedSize)
                        })
                } catch { return .failure(error) }
            }
            if let current { try planner.take(try ids(results.dropFirst()), of: current) }
            plan = nil
            if isLast { continue }
            let merged = try rows(results.prefix(1), &progress)
            isLast = merged.isEmpty
            var order = RowOrder()
            order.append(planner.waiting)
            for block in merged { order.append(block) }
            do throws(RowDisorder) {
                plan = try planner.plan(order, first: order.places.count, isLast: isLast)
            } catch { throw explain(error) }
        }
        return try planner.finish()
    }
}
