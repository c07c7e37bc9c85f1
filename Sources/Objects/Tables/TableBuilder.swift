/// Stores rows that come in key order as a table; memory is a few megabytes, whatever the table's size.
///
/// Leaves are encoded and stored by several threads; the table does not depend on that.
public struct TableBuilder<Sink: ObjectSink>: ~Copyable {
    private let sink: Sink
    private let dimension: Int
    private let threads: Int
    private var planner: TableLeafPlanner<Sink, MemoryStore>
    /// Rows that follow those that wait in the planner.
    private var block = RowBlock()
    private var lastKey: [UInt8] = []
    /// The number of rows so far.
    public private(set) var rows = 0

    /// Bytes of rows from which leaves are made at once: about a hundred leaves.
    private static var roundSize: Int { 4 << 20 }

    /// Begins a table whose vectors have `dimension` numbers: 0 when its rows have none.
    ///
    /// - Throws: `invalid` when the dimension is beyond ``TableLimits/dimension``.
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
        planner = TableLeafPlanner(dimension: dimension, in: sink)
    }

    /// Adds a row, whose key must be above all keys so far, by bytes.
    ///
    /// - Throws: `invalid` when it is not, or when the row is against ``TableLimits``: a key without bytes
    ///   or with control characters, another dimension, a number that is not finite.
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
        var order = RowOrder()
        order.append(planner.waiting)
        order.append(block)
        block = RowBlock()
        let plan: TableLeafPlan
        do throws(RowDisorder) {
            plan = try planner.plan(order, first: order.places.count, isLast: isLast)
        } catch { throw Self.disorder(lastKey, isRepeated: false) }
        let sink = sink
        let results = Threads.map(plan.leaves.count, threads: threads) { index in
            Result { () throws(ObjectError) in try plan.write(index, to: sink) }
        }
        var ids: [ObjectID] = []
        for result in results { ids.append(try result.get()) }
        try planner.take(ids, of: plan)
    }

    /// Ends the table; without rows it is the empty table of its dimension.
    public consuming func finish() throws(ObjectError) -> Table {
        try flush(isLast: true)
        return try planner.finish()
    }
}
