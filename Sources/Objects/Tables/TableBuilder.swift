/// Stores rows that come in key order as a table; memory is one node a level, whatever the table's size.
public struct TableBuilder<Sink: ObjectSink>: ~Copyable {
    private var assembler: TableAssembler<Sink>
    private let dimension: Int
    private var lastKey: [UInt8] = []
    /// The number of rows so far.
    public private(set) var rows = 0

    /// Begins a table whose vectors have `dimension` numbers: 0 when its rows have none.
    ///
    /// - Throws: `invalid` when the dimension is beyond ``TableLimits/dimension``.
    public init(dimension: Int, in sink: Sink) throws(ObjectError) {
        guard (0...TableLimits.dimension).contains(dimension) else {
            throw .invalid(
                what: "vectors of \(dimension) numbers",
                reason: "a table's vectors have 0 to \(TableLimits.dimension)")
        }
        self.dimension = dimension
        assembler = TableAssembler(dimension: dimension, in: sink)
    }

    /// Adds a row, whose key must be above all keys so far, by bytes.
    ///
    /// - Throws: `invalid` when it is not, or when the row is against ``TableLimits``: a key without bytes
    ///   or with control characters, another dimension, a number that is not finite.
    public mutating func append(_ row: TableRow) throws(ObjectError) {
        try append(try EncodedTableRow(row, dimension: dimension))
    }

    mutating func append(_ row: EncodedTableRow) throws(ObjectError) {
        let order = TableBytes.compare(lastKey.span, row.key.span)
        guard order < 0 else {
            let key = JSON.string(String(decoding: row.key, as: UTF8.self)).canonicalText
            throw .invalid(
                what: "row \(key)",
                reason: order == 0 ? "its key appears twice" : "its key is not in order")
        }
        lastKey = row.key
        rows += 1
        try assembler.append(row)
    }

    /// Ends the table; without rows it is the empty table of its dimension.
    public consuming func finish() throws(ObjectError) -> Table {
        var assembler = assembler
        let top = try assembler.finish()
        return Table(root: top.entry.id, rows: rows, dimension: dimension)
    }
}
