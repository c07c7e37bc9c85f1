/// Stores rows that arrive in key order as a table; takes a few megabytes of memory for a table of any size.
///
/// Several threads encode and store the leaves; the table does not depend on their number.
public struct TableBuilder<Sink: ObjectSink>: ~Copyable {
    private let sink: Sink
    private let dimension: Int
    private let threads: Int
    private var planner: TablePlanner<Sink, MemoryStore>
    /// The rows after those that wait in the planner.
    private var block = RowBlock()
    private var lastKey: [UInt8] = []
    /// The number of rows so far.
    public private(set) var rows = 0

    /// The bytes of rows that are cut into leaves in one round: about a hundred leaves.
    private static var roundSize: Int { 4 << 20 }

    /// Begins a table whose vectors have `dimension` numbers; 0 for rows without vectors.
    ///
    /// - Throws: `invalid` when the dimension exceeds ``TableLimits/dimension``.
    public init(
        dimension: Int, in sink: Sink, threads: Int = Threads.available
    ) throws(ObjectError) {
        guard (0...TableLimits.dimension).contains(dimension) else {
            throw .invalid(
                what: "vectors of \(dimension) numbers",
                reason: "a table's vectors have 0 to \(TableLimits.dimension)")
        }
        self.sink = sink
        self.dimension = dimension
        self.threads = threads
        planner = TablePlanner(dimension: dimension, in: sink)
    }

    /// Adds a row whose key is above all earlier keys in byte order.
    ///
    /// - Throws: `invalid` when the key is not above them, or when the row breaks ``TableLimits``: an empty key, a
    ///   key with control characters, a vector of another dimension, a number that is not finite.
    public mutating func append(_ row: TableRow) throws(ObjectError) {
        let row = try EncodedTableRow(row, dimension: dimension)
        let order = TableBytes.compare(lastKey.span, row.key.span)
        guard order < 0 else { throw Self.disorder(row.key, isRepeated: order == 0) }
        lastKey = row.key
        rows += 1
        block.append(
            key: row.key.span, attributes: row.attributes.span, vector: row.vector.span, line: rows)
        if block.size >= Self.roundSize { try flush(isLast: false) }
    }

    private static func disorder(_ key: [UInt8], isRepeated: Bool) -> ObjectError {
        let text = JSON.string(String(decoding: key, as: UTF8.self)).canonicalText
        return .invalid(
            what: "row \(text)",
            reason: isRepeated ? "its key appears twice" : "its key is not in order")
    }

    private mutating func flush(isLast: Bool) throws(ObjectError) {
        let order = planner.order(with: [block])
        block = RowBlock()
        let plan: TablePlan
        do throws(RowDisorder) {
            plan = try planner.plan(order, first: order.places.count, isLast: isLast)
        } catch { throw Self.disorder(lastKey, isRepeated: false) }
        let ids = try PlannedLeaf.write(plan.leaves, to: sink, threads: threads)
        try planner.take(ids, of: plan)
    }

    /// Ends the table; without rows it is the empty table of its dimension.
    public consuming func finish() throws(ObjectError) -> Table {
        try flush(isLast: true)
        return try planner.finish()
    }
}

/// Consecutive leaves that threads may encode and store in any order.
struct TablePlan: Sendable {
    fileprivate(set) var leaves: [PlannedLeaf] = []
    /// For each leaf, the older nodes that its entry comes from.
    fileprivate var origins: [[(id: ObjectID, level: Int)]] = []
}

/// Why rows cannot be planned.
enum RowDisorder: Error {
    /// Two lines have the same key.
    case repeated(key: [UInt8], line: Int, earlier: Int)
    /// A key is not above the last key of a planned leaf.
    case late
}

/// Cuts ordered rows into leaves, and builds the table above the leaves once they are stored.
///
/// Between ``plan(_:first:isLast:)`` and ``take(_:of:)`` any number of threads may store the planned leaves.
struct TablePlanner<Sink: ObjectSink, Source: ObjectSource> {
    private var assembler: TableAssembler<Sink>
    private var places: LeafWalk<Source>?
    private let dimension: Int
    private var lastKey: [UInt8] = []
    private var rows = 0
    /// The rows for which no leaf has been planned yet.
    private(set) var waiting = RowBlock()

    /// Begins a table. Nodes that resemble nodes of an older table, whose leaves `places` walks, may be stored as
    /// deltas.
    init(dimension: Int, in sink: Sink, succeeding places: LeafWalk<Source>? = nil) {
        self.dimension = dimension
        assembler = TableAssembler(dimension: dimension, in: sink)
        self.places = places
    }

    /// The waiting rows merged with the rows of further blocks.
    func order(with blocks: [RowBlock]) -> RowOrder {
        var order = RowOrder(waiting)
        for block in blocks { order.append(block) }
        return order
    }

    /// Plans leaves for the first `count` rows. The rows after the last cut, and all later rows, become ``waiting``.
    ///
    /// - Parameters:
    ///   - order: The result of ``order(with:)``.
    ///   - isLast: Whether no more rows follow.
    mutating func plan(
        _ order: RowOrder, first count: Int, isLast: Bool
    ) throws(RowDisorder) -> TablePlan {
        var plan = TablePlan()
        var boundary = TableBoundary(level: 0)
        var start = 0
        for index in 0..<count {
            let row = order.row(index)
            if index > 0 {
                guard order.compare(order.places[index - 1], order.places[index]) != 0 else {
                    throw .repeated(
                        key: order.key(index), line: row.line, earlier: order.row(index - 1).line)
                }
            } else if !lastKey.isEmpty, order.compare(0, lastKey.span) <= 0 {
                throw .late
            }
            if boundary.cuts(afterKeyWithHash: row.hash, weight: row.weight) {
                append(order, start..<index + 1, to: &plan)
                boundary = TableBoundary(level: 0)
                start = index + 1
            }
        }
        if isLast, start < count {
            append(order, start..<count, to: &plan)
            start = count
        }
        waiting = order.copy(start..<order.places.count)
        return plan
    }

    private mutating func append(
        _ order: RowOrder, _ range: Range<Int>, to plan: inout TablePlan
    ) {
        lastKey = order.key(range.upperBound - 1)
        rows += range.count
        var predecessor: ObjectID?
        do throws(ObjectError) {
            try places?.advance(to: order.key(range.lowerBound + range.count / 2).span)
            predecessor = places?.leaf
            let last = lastKey
            try places?.advance(to: last.span)
        } catch { places = nil }
        plan.leaves.append(
            PlannedLeaf(
                order: order, range: range, dimension: dimension, predecessor: predecessor))
        plan.origins.append(places?.path ?? [])
    }

    /// Adds the stored leaves of a plan to the table, given their identities in order.
    mutating func take(_ ids: [ObjectID], of plan: TablePlan) throws(ObjectError) {
        for (index, id) in ids.enumerated() {
            for node in plan.origins[index] { assembler.setOrigin(node.id, level: node.level) }
            try assembler.append(plan.leaves[index].entry(id), level: 0)
        }
    }

    /// Ends the table; all planned leaves must have been taken.
    mutating func finish() throws(ObjectError) -> Table {
        let top = try assembler.finish()
        return Table(root: top.entry.id, rows: rows, dimension: dimension)
    }
}

/// Walks forward over the leaves of an older table without reading them, to find the nodes that new rows resemble.
struct LeafWalk<Source: ObjectSource> {
    /// A node above the leaves, and the index of the child where the walk is.
    private struct Step {
        let id: ObjectID
        let level: Int
        let children: [TablePlace]
        var index = 0
    }

    private let reader: TableReader<Source>
    private var steps: [Step] = []
    /// The leaf where the walk is.
    private(set) var leaf: ObjectID

    /// Begins at the first leaf.
    init(_ table: Table, in source: Source) throws(ObjectError) {
        reader = TableReader(table, in: source)
        leaf = table.root
        try descend(to: .root(of: table))
        if !steps.isEmpty { try descend() }
    }

    /// The nodes above the leaf.
    var path: [(id: ObjectID, level: Int)] { steps.map { ($0.id, $0.level) } }

    /// Moves to the leaf that would hold a row with this key. Keys must not descend from call to call.
    mutating func advance(to key: Span<UInt8>) throws(ObjectError) {
        var depth = 0
        while depth < steps.count {
            let step = steps[depth]
            var index = step.index
            while index + 1 < step.children.count, !step.children[index].reaches(key) {
                index += 1
            }
            if index != step.index {
                steps[depth].index = index
                steps.removeLast(steps.count - depth - 1)
                try descend()
            }
            depth += 1
        }
    }

    /// Descends from the child of the last step to its first leaf.
    private mutating func descend() throws(ObjectError) {
        while let step = steps.last {
            let child = step.children[step.index]
            guard step.level > 1 else {
                leaf = child.id
                return
            }
            try descend(to: child)
        }
    }

    private mutating func descend(to place: TablePlace) throws(ObjectError) {
        guard case .inner(let inner) = try reader.node(at: place) else { return }
        steps.append(
            Step(id: place.id, level: inner.level, children: place.children(of: inner)))
    }
}
