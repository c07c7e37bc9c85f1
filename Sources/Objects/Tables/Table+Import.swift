public import Storage

extension Table {
    /// Stores the rows of JSON Lines, which may come in any order, as a table.
    ///
    /// Every line is read and found to be a row before any is stored; a caller that drops `store` when this
    /// throws has stored nothing. Memory is bounded: rows that do not fit wait in scratch space.
    ///
    /// - Parameters:
    ///   - reader: The rows.
    ///   - predecessor: A table that the new one is a change of. Only what differs is written then, as a
    ///     difference against it; the table is the same as one of the rows alone.
    ///   - store: Where nodes go, and where those of `predecessor` are.
    ///   - makeScratch: Gives space for rows that do not fit into memory.
    /// - Returns: The table; its dimension is 0 when there are no rows.
    /// - Throws: `invalid` with the line, or both lines when a key appears twice.
    public static func importing(
        _ reader: inout JSONLinesReader, succeeding predecessor: Table? = nil,
        in store: some ObjectStore,
        makeScratch: @escaping () throws(ObjectError) -> any StagedBlob
    ) throws(ObjectError) -> Table {
        var sorter = RowSorter(makeScratch: makeScratch)
        while let row = try reader.next() {
            let line = reader.line
            let encoded: EncodedTableRow
            do throws(ObjectError) {
                encoded = try EncodedTableRow(row, dimension: row.vector.count)
            } catch {
                throw .invalid(what: reader.place(ofLine: line), reason: error.message)
            }
            try sorter.append(encoded, line: line)
        }
        let dimension = reader.dimension ?? 0
        if let predecessor, predecessor.dimension == dimension {
            var rows = UniqueRows(try sorter.sorted(), reader)
            if let edits = try edits(from: predecessor, to: &rows, in: store) {
                return try predecessor.applying(edits, in: store)
            }
        }
        var rows = UniqueRows(try sorter.sorted(), reader)
        var builder = try TableBuilder(dimension: dimension, in: store)
        while let row = try rows.next() { try builder.append(row) }
        return try builder.finish()
    }

    /// Bytes of changed rows that are held: with more, there is little to gain from the predecessor.
    private static let editLimit = 64 << 20

    /// What turns a table into one with these rows; nil when that is most of them.
    private static func edits(
        from table: Table, to rows: inout UniqueRows, in source: some ObjectSource
    ) throws(ObjectError) -> [TableEdit]? {
        var edits: [TableEdit] = []
        var size = 0
        var new = try rows.next()
        var cursor = TableCursor(table, in: source)
        func put(_ row: EncodedTableRow) throws(ObjectError) {
            size += row.attributes.count + row.vector.count
            edits.append(.put(try row.decoded()))
        }
        while let leaf = try cursor.nextLeaf() {
            for index in 0..<leaf.count {
                let key = leaf.keyRange(index)
                while let row = new,
                    TableBytes.compare(row.key.span, leaf.bytes.span.extracting(key)) < 0
                {
                    try put(row)
                    new = try rows.next()
                }
                guard let row = new,
                    TableBytes.areEqual(row.key.span, leaf.bytes.span.extracting(key))
                else {
                    edits.append(.remove(leaf.key(at: index)))
                    continue
                }
                if !leaf.holds(row, at: index) { try put(row) }
                new = try rows.next()
            }
            if size > editLimit { return nil }
        }
        while let row = new {
            try put(row)
            if size > editLimit { return nil }
            new = try rows.next()
        }
        return edits
    }
}

/// Rows in key order, of which no two may have the same key.
private struct UniqueRows {
    private var rows: SortedRows
    private let reader: JSONLinesReader
    private var last: RowSorter.Entry?

    init(_ rows: SortedRows, _ reader: JSONLinesReader) {
        self.rows = rows
        self.reader = reader
    }

    mutating func next() throws(ObjectError) -> EncodedTableRow? {
        guard let entry = try rows.next() else { return nil }
        if let last, last.row.key == entry.row.key {
            let key = JSON.string(String(decoding: entry.row.key, as: UTF8.self)).canonicalText
            throw .invalid(
                what: reader.place(ofLine: entry.line),
                reason: "the key \(key) is already on line \(last.line)")
        }
        last = entry
        return entry.row
    }
}

extension TableLeaf {
    /// Whether the row at `index` has the attributes and the vector of another with its key.
    fileprivate func holds(_ row: EncodedTableRow, at index: Int) -> Bool {
        TableBytes.areEqual(bytes.span.extracting(attributeRange(index)), row.attributes.span)
            && TableBytes.areEqual(bytes.span.extracting(vectorRange(index)), row.vector.span)
    }
}
