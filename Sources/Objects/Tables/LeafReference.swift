/// A leaf of a table that need not be read yet.
public struct LeafReference: Hashable, Sendable {
    /// The leaf.
    public let id: ObjectID
    /// The number of its rows.
    public let rows: Int
    /// The key of its last row as UTF-8; nil where the leaf is the whole table.
    public let lastKey: [UInt8]?

    /// Reads the leaf.
    ///
    /// - Throws: What reading an object throws; `malformed` when it is no leaf of so many rows.
    public func read(in source: some ObjectSource) throws(ObjectError) -> TableLeaf {
        let leaf = try TableLeaf(try source.read(id, limit: TableLimits.nodeBytes), id: id)
        guard leaf.count == rows else {
            throw .malformed(
                id, as: "table leaf", reason: "it has \(leaf.count) rows and not \(rows)",
                offset: nil)
        }
        return leaf
    }
}

extension Table {
    /// The leaves in key order; reads the nodes above them.
    ///
    /// - Throws: What reading nodes throws.
    public func leaves(
        in source: some ObjectSource, threads: Int = Threads.available
    ) throws(ObjectError) -> [LeafReference] {
        try TableReader(self, in: source).leafPlaces(of: self, threads: threads)
            .map { LeafReference(id: $0.id, rows: $0.rows, lastKey: $0.lastKey) }
    }
}
