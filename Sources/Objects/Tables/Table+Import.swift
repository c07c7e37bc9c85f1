extension Table {
    /// Stores the rows of JSON Lines, which may come in any order, as a table.
    ///
    /// Nothing is written before the whole input has been read and found valid; until then the rows are
    /// held in memory as the bytes that are stored. Rows that are known to be in key order can be fed to a
    /// ``TableBuilder`` instead, with the memory of one leaf.
    ///
    /// - Returns: The table; its dimension is 0 when there are no rows.
    /// - Throws: `invalid` with the line, or both lines when a key appears twice.
    public static func importing(
        _ reader: inout JSONLinesReader, in sink: some ObjectSink
    ) throws(ObjectError) -> Table {
        var rows: [(row: EncodedTableRow, line: Int)] = []
        while let row = try reader.next() {
            let line = reader.line
            do throws(ObjectError) {
                rows.append((try EncodedTableRow(row, dimension: row.vector.count), line))
            } catch {
                throw .invalid(what: reader.place(ofLine: line), reason: error.message)
            }
        }
        // Equal keys stay in the order of their lines.
        rows.sort { left, right in
            let order = TableBytes.compare(left.row.key.span, right.row.key.span)
            return order == 0 ? left.line < right.line : order < 0
        }
        for (first, second) in zip(rows, rows.dropFirst()) where first.row.key == second.row.key {
            let key = JSON.string(String(decoding: first.row.key, as: UTF8.self)).canonicalText
            throw .invalid(
                what: reader.place(ofLine: second.line),
                reason: "the key \(key) is already on line \(first.line)")
        }
        var builder = try TableBuilder(dimension: reader.dimension ?? 0, in: sink)
        for (row, _) in rows { try builder.append(row) }
        return try builder.finish()
    }
}
