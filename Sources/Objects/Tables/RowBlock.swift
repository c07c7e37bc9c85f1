/// Checked rows as bytes, back to back: a block of memory however many they are.
struct RowBlock: Sendable {
    /// One row of the block.
    struct Row {
        /// Where its key begins; its attributes and its vector follow.
        let start: Int
        let keyCount: Int
        let attributeCount: Int
        let vectorCount: Int
        /// The line it was on.
        var line: Int
        /// What ``TableBoundary/hash(ofLeafKey:)`` says of its key.
        let hash: UInt64

        var size: Int { keyCount + attributeCount + vectorCount }
    }

    private(set) var bytes: [UInt8] = []
    private(set) var rows: [Row] = []

    var isEmpty: Bool { rows.isEmpty }

    /// The memory that the rows take.
    var size: Int { bytes.count + rows.count * MemoryLayout<Row>.stride }

    mutating func reserve(bytes count: Int) { bytes.reserveCapacity(count) }

    /// Adds a row, which must be checked.
    mutating func append(
        key: Span<UInt8>, attributes: Span<UInt8>, vector: Span<UInt8>, line: Int
    ) {
        rows.append(
            Row(
                start: bytes.count, keyCount: key.count, attributeCount: attributes.count,
                vectorCount: vector.count, line: line,
                hash: TableBoundary.hash(ofLeafKey: key)))
        LittleEndian.append(key, to: &bytes)
        LittleEndian.append(attributes, to: &bytes)
        LittleEndian.append(vector, to: &bytes)
    }

    /// Adds a row of another block.
    mutating func append(_ row: Row, of other: RowBlock) {
        rows.append(
            Row(
                start: bytes.count, keyCount: row.keyCount, attributeCount: row.attributeCount,
                vectorCount: row.vectorCount, line: row.line, hash: row.hash))
        LittleEndian.append(
            other.bytes.span.extracting(row.start..<row.start + row.size), to: &bytes)
    }

    mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        rows.removeAll(keepingCapacity: true)
    }

    /// Counts lines from elsewhere.
    mutating func addToLines(_ count: Int) {
        for index in rows.indices { rows[index].line += count }
    }

    func keyRange(_ index: Int) -> Range<Int> {
        rows[index].start..<rows[index].start + rows[index].keyCount
    }

    func key(_ index: Int) -> [UInt8] { Array(bytes[keyRange(index)]) }

    /// A row by itself.
    func encoded(_ index: Int) -> EncodedTableRow {
        let row = rows[index]
        let attributes = row.start + row.keyCount
        let vector = attributes + row.attributeCount
        return EncodedTableRow(
            key: Array(bytes[row.start..<attributes]),
            attributes: Array(bytes[attributes..<vector]),
            vector: Array(bytes[vector..<vector + row.vectorCount]))
    }

    /// Puts the rows in key order, equal keys in the order of their lines.
    mutating func sort() {
        let bytes = bytes
        func precedes(_ left: Row, _ right: Row) -> Bool {
            let order = TableBytes.compare(
                bytes.span.extracting(left.start..<left.start + left.keyCount),
                bytes.span.extracting(right.start..<right.start + right.keyCount))
            return order == 0 ? left.line < right.line : order < 0
        }
        for index in rows.indices.dropFirst() where precedes(rows[index], rows[index - 1]) {
            rows.sort(by: precedes)
            return
        }
    }
}
