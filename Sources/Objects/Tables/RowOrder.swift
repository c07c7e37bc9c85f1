/// Rows of several blocks in key order.
struct RowOrder: Sendable {
    /// Which row of which block.
    struct Place {
        let block: Int32
        let row: Int32
    }

    private(set) var blocks: [RowBlock] = []
    private(set) var places: [Place] = []

    /// Merges the rows of a block, which are in order, into those of the blocks before it; of equal keys those
    /// of earlier blocks come first.
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

    func row(_ place: Place) -> RowBlock.Row { blocks[Int(place.block)].rows[Int(place.row)] }

    func key(_ place: Place) -> [UInt8] { blocks[Int(place.block)].key(Int(place.row)) }

    /// The order of two rows by their keys.
    func compare(_ left: Place, _ right: Place) -> Int {
        let block = blocks[Int(right.block)]
        return compare(left, block.bytes.span.extracting(block.keyRange(Int(right.row))))
    }

    /// The order of a row's key and another key.
    func compare(_ left: Place, _ key: Span<UInt8>) -> Int {
        let block = blocks[Int(left.block)]
        return TableBytes.compare(block.bytes.span.extracting(block.keyRange(Int(left.row))), key)
    }

    /// A block of the rows at some places, in order.
    func copy(_ range: Range<Int>) -> RowBlock {
        var copy = RowBlock()
        for place in places[range] { copy.append(row(place), of: blocks[Int(place.block)]) }
        return copy
    }

    /// The encoded leaf of the rows at some places.
    func leaf(_ range: Range<Int>, dimension: Int) -> (bytes: [UInt8], hint: StorageHint) {
        var keyBytes = 0
        var attributeBytes = 0
        for place in places[range] {
            let row = row(place)
            keyBytes += row.keyCount
            attributeBytes += row.attributeCount
        }
        let vectorOffset = TableLeaf.aligned(
            TableLeaf.headerBytes + 8 * range.count + keyBytes + attributeBytes)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(vectorOffset + 4 * dimension * range.count)
        TableLeaf.appendHeader(
            rows: range.count, dimension: dimension, keyBytes: keyBytes,
            attributeBytes: attributeBytes, to: &bytes)
        var end = 0
        for place in places[range] {
            end += row(place).keyCount
            LittleEndian.append(UInt32(end), to: &bytes)
        }
        end = 0
        for place in places[range] {
            end += row(place).attributeCount
            LittleEndian.append(UInt32(end), to: &bytes)
        }
        appendPart(range, to: &bytes) { $0.start..<$0.start + $0.keyCount }
        appendPart(range, to: &bytes) { row in
            let start = row.start + row.keyCount
            return start..<start + row.attributeCount
        }
        bytes.append(contentsOf: repeatElement(0, count: vectorOffset - bytes.count))
        appendPart(range, to: &bytes) { row in
            let start = row.start + row.keyCount + row.attributeCount
            return start..<start + row.vectorCount
        }
        return (
            bytes, TableLeaf.hint(vectorOffset: vectorOffset, dimension: dimension)
        )
    }

    private func appendPart(
        _ range: Range<Int>, to bytes: inout [UInt8], part: (RowBlock.Row) -> Range<Int>
    ) {
        for place in places[range] {
            let block = blocks[Int(place.block)]
            LittleEndian.append(
                block.bytes.span.extracting(part(block.rows[Int(place.row)])), to: &bytes)
        }
    }
}
