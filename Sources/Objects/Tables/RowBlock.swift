/// Valid rows as bytes, back to back in one array, so that no row needs an allocation of its own.
struct RowBlock: Sendable {
    /// One row of the block.
    struct Row {
        /// The offset of the key; the attributes and the vector follow it.
        let start: Int
        let keyCount: Int
        let attributeCount: Int
        let vectorCount: Int
        /// The line of input that held the row.
        var line: Int
        /// The ``TableBoundary/hash(ofLeafKey:)`` of the key.
        let hash: UInt64

        var key: Range<Int> { start..<start + keyCount }
        var attributes: Range<Int> { key.upperBound..<key.upperBound + attributeCount }
        var vector: Range<Int> { attributes.upperBound..<attributes.upperBound + vectorCount }
        var bytes: Range<Int> { start..<vector.upperBound }
        /// The bytes that the row adds to a leaf: two offsets, key, attributes, vector.
        var weight: Int { 8 + bytes.count }
    }

    private(set) var bytes: [UInt8] = []
    private(set) var rows: [Row] = []

    var isEmpty: Bool { rows.isEmpty }

    /// The memory that the rows take, in bytes.
    var size: Int { bytes.count + rows.count * MemoryLayout<Row>.stride }

    mutating func reserve(bytes count: Int) { bytes.reserveCapacity(count) }

    /// Adds a valid row.
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
        LittleEndian.append(other.bytes.span.extracting(row.bytes), to: &bytes)
    }

    /// Adds a number to the line numbers of all rows.
    mutating func addToLines(_ count: Int) {
        for index in rows.indices { rows[index].line += count }
    }

    func key(_ index: Int) -> [UInt8] { Array(bytes[rows[index].key]) }

    /// A copy of one row.
    func encoded(_ index: Int) -> EncodedTableRow {
        let row = rows[index]
        return EncodedTableRow(
            key: Array(bytes[row.key]), attributes: Array(bytes[row.attributes]),
            vector: Array(bytes[row.vector]))
    }

    /// Compares the keys of two rows, which may be in different blocks; returns a number below zero, zero or above
    /// zero.
    func compare(_ row: Row, with other: Row, of block: RowBlock) -> Int {
        TableBytes.compare(
            bytes.span.extracting(row.key), block.bytes.span.extracting(other.key))
    }

    /// Sorts the rows by key, and rows with equal keys by line.
    mutating func sort() {
        // Holding the bytes alone leaves the rows unshared, so that they are sorted in place.
        let bytes = bytes
        func precedes(_ left: Row, _ right: Row) -> Bool {
            let order = TableBytes.compare(
                bytes.span.extracting(left.key), bytes.span.extracting(right.key))
            return order == 0 ? left.line < right.line : order < 0
        }
        for index in rows.indices.dropFirst() where precedes(rows[index], rows[index - 1]) {
            rows.sort(by: precedes)
            return
        }
    }
}

/// The rows of several blocks in key order.
struct RowOrder: Sendable {
    /// The place of a row: its block, and its index in the block.
    struct Place {
        let block: Int32
        let row: Int32
    }

    private(set) var blocks: [RowBlock] = []
    private(set) var places: [Place] = []

    init() {}

    /// The rows of one sorted block.
    init(_ block: RowBlock) { append(block) }

    /// Merges the rows of a sorted block into those of the blocks before it; rows with equal keys stay in the order of
    /// their blocks.
    mutating func append(_ block: RowBlock) {
        guard !block.isEmpty else { return }
        let number = Int32(blocks.count)
        blocks.append(block)
        func place(_ row: Int) -> Place { Place(block: number, row: Int32(row)) }
        let first = place(0)
        var low = places.count
        while low > 0, compare(first, places[low - 1]) < 0 { low -= 1 }
        let tail = Array(places[low...])
        places.removeLast(tail.count)
        var next = 0
        for waiting in tail {
            while next < block.rows.count, compare(place(next), waiting) < 0 {
                places.append(place(next))
                next += 1
            }
            places.append(waiting)
        }
        for row in next..<block.rows.count { places.append(place(row)) }
    }

    func row(_ index: Int) -> RowBlock.Row {
        let place = places[index]
        return blocks[Int(place.block)].rows[Int(place.row)]
    }

    func key(_ index: Int) -> [UInt8] {
        let place = places[index]
        return blocks[Int(place.block)].key(Int(place.row))
    }

    /// Compares the keys of two rows; returns a number below zero, zero or above zero.
    func compare(_ left: Place, _ right: Place) -> Int {
        let (first, second) = (blocks[Int(left.block)], blocks[Int(right.block)])
        return first.compare(
            first.rows[Int(left.row)], with: second.rows[Int(right.row)], of: second)
    }

    /// Compares the key of the row at an index with another key; returns a number below zero, zero or above zero.
    func compare(_ index: Int, _ key: Span<UInt8>) -> Int {
        let place = places[index]
        let block = blocks[Int(place.block)]
        return TableBytes.compare(
            block.bytes.span.extracting(block.rows[Int(place.row)].key), key)
    }

    /// Copies the rows in a range into a block.
    func copy(_ range: Range<Int>) -> RowBlock {
        var copy = RowBlock()
        for place in places[range] {
            let block = blocks[Int(place.block)]
            copy.append(block.rows[Int(place.row)], of: block)
        }
        return copy
    }
}
