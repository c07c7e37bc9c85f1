/// All vectors of a table in key order, leaf by leaf, in place wherever their packs can be mapped.
///
/// Opening reads the nodes above the leaves and, of each leaf that is in place, a header and the codes: what it costs
/// follows the count of leaves. It holds packs open, so that the vectors outlive every change of the repository.
public struct TableVectors: Sendable {
    /// The table.
    public let table: Table
    /// Its leaves, in key order.
    public let blocks: [VectorBlock]
    /// The number of the first row of each block.
    public let firstRows: [Int]

    /// Opens the vectors of a table.
    ///
    /// - Parameters:
    ///   - codes: Whether the vectors' codes are wanted too: they are verified, and made for leaves that are
    ///     stored without.
    ///   - threads: How many threads work at it; the result does not depend on it.
    /// - Throws: What reading nodes throws; `corrupt` when vectors or codes are damaged.
    public init(
        _ table: Table, in source: some ObjectSource, codes: Bool,
        threads: Int = Threads.available
    ) throws(ObjectError) {
        self.table = table
        let reader = TableReader(table, in: source)
        let places = try reader.leafPlaces(of: table, threads: threads)
        blocks = try Threads.map(places, threads: threads) { (place) throws(ObjectError) in
            try reader.vectors(at: place, codes: codes)
        }
        var firstRows: [Int] = []
        firstRows.reserveCapacity(blocks.count)
        var row = 0
        for block in blocks {
            firstRows.append(row)
            row += block.rows
        }
        self.firstRows = firstRows
    }

    /// Where a row of the table is: the number of its block, and its own in the block.
    public func position(of row: Int) -> (block: Int, row: Int) {
        precondition(row >= 0 && row < table.rows, "a row of the table")
        var low = 0
        var high = firstRows.count - 1
        while low < high {
            let middle = (low + high + 1) / 2
            if firstRows[middle] <= row { low = middle } else { high = middle - 1 }
        }
        return (low, row - firstRows[low])
    }

    /// The keys of all rows, in order; no vector is read for them where a block is in place.
    ///
    /// - Throws: What reading nodes throws.
    public func keys(
        in source: some ObjectSource, threads: Int = Threads.available
    ) throws(ObjectError) -> [String] {
        let keys = try Threads.map(blocks, threads: threads) {
            (block) throws(ObjectError) -> [String] in
            if let source = source as? any VectorSource, let text = try source.text(of: block) {
                return text.keys
            }
            let bytes = try source.read(block.leaf, limit: TableLimits.nodeBytes)
            return try TableLeaf(bytes, id: block.leaf).keys
        }
        var all: [String] = []
        all.reserveCapacity(table.rows)
        for keys in keys { all += keys }
        guard all.count == table.rows else {
            throw .malformed(
                table.root, as: "table", reason: "it has \(all.count) keys", offset: nil)
        }
        return all
    }

    /// The leaf with the keys and attributes of a block's rows.
    ///
    /// - Throws: What reading an object throws.
    public func leaf(
        _ block: Int, in source: some ObjectSource
    ) throws(ObjectError) -> TableLeaf {
        let block = blocks[block]
        let bytes = try source.read(block.leaf, limit: TableLimits.nodeBytes)
        let leaf = try TableLeaf(bytes, id: block.leaf)
        guard leaf.count == block.rows else {
            throw .malformed(
                block.leaf, as: "table leaf",
                reason: "it has \(leaf.count) rows and not \(block.rows)", offset: nil)
        }
        return leaf
    }
}

extension TableReader {
    /// The places of all leaves, in key order.
    func leafPlaces(of table: Table, threads: Int) throws(ObjectError) -> [TablePlace] {
        let root = TablePlace.root(of: table)
        guard case .inner(let inner) = try node(at: root) else { return [root] }
        var places = root.children(of: inner.node)
        while let level = places.first?.level, level > 0 {
            places = try expand(places, threads: threads)
        }
        return places
    }

    /// The vectors of the leaf at a place.
    fileprivate func vectors(at place: TablePlace, codes: Bool) throws(ObjectError) -> VectorBlock {
        if let source = source as? any VectorSource,
            let block = try source.vectorBlock(of: place.id, codes: codes)
        {
            guard block.rows == place.rows, block.dimension == dimension else {
                throw .malformed(
                    place.id, as: "table leaf", reason: "it is not what its parent says",
                    offset: nil)
            }
            return block
        }
        return VectorBlock(copying: try leaf(at: place), id: place.id, codes: codes)
    }
}
