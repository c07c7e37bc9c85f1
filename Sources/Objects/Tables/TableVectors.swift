/// All vectors of a table in key order, leaf by leaf, in place wherever their packs can be mapped.
///
/// Opening reads the nodes above the leaves and, of each leaf that is in place, a header: what it costs follows the count of
/// leaves. A leaf that is to be verified and never was is read whole. It holds packs open, so that the vectors outlive every change of the repository.
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
    ///   - verified: What verified leaves are: every leaf is compared with its identity the first time, and what is used in
    ///     place with this from then on. Nil where checksums are enough, which find damage and no forgery.
    ///   - threads: How many threads work at it; the result does not depend on it.
    /// - Throws: What reading nodes throws; `corrupt` when a leaf is not what its identity says.
    public init(
        _ table: Table, in source: some ObjectSource, verified: VerifiedLeaves?,
        threads: Int = Threads.available
    ) throws(ObjectError) {
        self.table = table
        let reader = TableReader(table, in: source)
        let places = try reader.leafPlaces(of: table, threads: threads)
        blocks = try Threads.map(places, threads: threads) { (place) throws(ObjectError) in
            try reader.vectors(at: place, verified: verified)
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

    /// The leaf with the keys and attributes of a block's rows.
    ///
    /// - Throws: What reading an object throws.
    public func leaf(
        _ block: Int, in source: some ObjectSource
    ) throws(ObjectError) -> TableLeaf {
        let block = blocks[block]
        return try LeafReference(id: block.leaf, rows: block.rows, lastKey: nil).read(in: source)
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
    fileprivate func vectors(
        at place: TablePlace, verified: VerifiedLeaves?
    ) throws(ObjectError) -> VectorBlock {
        if let source = source as? any VectorSource,
            let block = try source.vectorBlock(of: place.id, verified: verified)
        {
            guard block.rows == place.rows, block.dimension == dimension else {
                throw .malformed(
                    place.id, as: "table leaf", reason: "it is not what its parent says",
                    offset: nil)
            }
            return block
        }
        return VectorBlock(copying: try leaf(at: place), id: place.id)
    }
}
