/// Rows in order, cut into leaves that may be encoded and stored in any order.
struct TableLeafPlan: Sendable {
    /// One leaf.
    struct Leaf: Sendable {
        let rows: Range<Int>
        let predecessor: ObjectID?
        /// The nodes of the older table that the leaf's entry comes from.
        let path: [(id: ObjectID, level: Int)]
    }

    let order: RowOrder
    let dimension: Int
    fileprivate(set) var leaves: [Leaf] = []

    /// Encodes and stores a leaf.
    func write(_ index: Int, to sink: some ObjectSink) throws(ObjectError) -> ObjectID {
        let leaf = leaves[index]
        let (bytes, hint) = order.leaf(leaf.rows, dimension: dimension)
        return try sink.write(bytes, hint: hint, predecessor: leaf.predecessor)
    }
}

/// Why rows cannot be planned.
enum RowDisorder: Error {
    /// A row's key is on two lines.
    case repeated(key: [UInt8], line: Int, earlier: Int)
    /// A row's key is not above that of a leaf that was planned.
    case late
}

/// Makes a table of rows that come in order, leaf by leaf: plans leaves, and takes their identities once they
/// are stored. What is planned between two calls may be stored by any number of threads.
struct TableLeafPlanner<Sink: ObjectSink, Source: ObjectSource> {
    private let dimension: Int
    private var assembler: TableAssembler<Sink>
    private var places: TableLeafPlaces<Source>?
    private var lastKey: [UInt8] = []
    private var rows = 0
    /// Rows that no leaf was planned of.
    private(set) var waiting = RowBlock()

    /// Begins a table; nodes that are much the same in an older one, whose leaves are `places`, are stored as
    /// differences.
    init(dimension: Int, in sink: Sink, succeeding places: TableLeafPlaces<Source>? = nil) {
        self.dimension = dimension
        assembler = TableAssembler(dimension: dimension, in: sink)
        self.places = places
    }

    /// Plans leaves of the first `count` rows; those after the last cut, and all others, are ``waiting`` then.
    ///
    /// - Parameters:
    ///   - order: All waiting rows and those that follow them.
    ///   - isLast: Whether no more rows come.
    mutating func plan(
        _ order: RowOrder, first count: Int, isLast: Bool
    ) throws(RowDisorder) -> TableLeafPlan {
        var plan = TableLeafPlan(order: order, dimension: dimension)
        var boundary = TableBoundary(level: 0)
        var start = 0
        for index in 0..<count {
            let place = order.places[index]
            let row = order.row(place)
            if index > 0 {
                let before = order.places[index - 1]
                guard order.compare(before, place) != 0 else {
                    throw .repeated(
                        key: order.key(place), line: row.line, earlier: order.row(before).line)
                }
            } else if !lastKey.isEmpty, order.compare(place, lastKey.span) <= 0 {
                throw .late
            }
            if boundary.cuts(afterKeyWithHash: row.hash, weight: 8 + row.size) {
                append(start..<index + 1, to: &plan)
                boundary = TableBoundary(level: 0)
                start = index + 1
            }
        }
        if isLast, start < count {
            append(start..<count, to: &plan)
            start = count
        }
        waiting = order.copy(start..<order.places.count)
        return plan
    }

    private mutating func append(_ range: Range<Int>, to plan: inout TableLeafPlan) {
        let order = plan.order
        lastKey = order.key(order.places[range.upperBound - 1])
        rows += range.count
        var predecessor: ObjectID?
        do throws(ObjectError) {
            let middle = order.key(order.places[range.lowerBound + range.count / 2])
            try places?.advance(to: middle.span)
            predecessor = places?.leaf
            let last = lastKey
            try places?.advance(to: last.span)
        } catch { places = nil }
        plan.leaves.append(
            TableLeafPlan.Leaf(rows: range, predecessor: predecessor, path: places?.path ?? []))
    }

    /// Takes the identities of a plan's leaves, which follow those that were taken before.
    mutating func take(_ ids: [ObjectID], of plan: TableLeafPlan) throws(ObjectError) {
        for (leaf, id) in zip(plan.leaves, ids) {
            for node in leaf.path { assembler.setOrigin(node.id, level: node.level) }
            let last = plan.order.places[leaf.rows.upperBound - 1]
            try assembler.append(
                TableEntry(id: id, rows: leaf.rows.count, lastKey: plan.order.key(last)), level: 0)
        }
    }

    /// Ends the table, once all leaves are taken.
    mutating func finish() throws(ObjectError) -> Table {
        let top = try assembler.finish()
        return Table(root: top.entry.id, rows: rows, dimension: dimension)
    }
}
