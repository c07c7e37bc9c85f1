/// A source that can lend vectors where they are stored, without reading the objects they are in.
protocol VectorSource: ObjectSource {
    /// The vectors of a leaf in place; nil where the leaf must be read as an object.
    ///
    /// - Parameter verified: What verified leaves are, and is told of this one; nil where checksums are enough.
    /// - Throws: `missing`; `corrupt` when the place is damaged.
    func vectorBlock(
        of leaf: ObjectID, verified: VerifiedLeaves?
    ) throws(ObjectError) -> VectorBlock?
}

extension PackStore: VectorSource {
    func vectorBlock(
        of leaf: ObjectID, verified: VerifiedLeaves?
    ) throws(ObjectError) -> VectorBlock? {
        guard case .piece(let pack, let piece)? = try locateObject(leaf), piece.codec == .leaf,
            let file = pack.map()
        else { return nil }
        return try VectorBlock(
            leaf, in: file, at: piece.offset..<piece.offset + piece.storedSize, size: piece.size,
            verified: verified, where: pack.stored(leaf, piece).place
        ) { () throws(ObjectError) in
            try TableLeaf(try read(leaf, limit: TableLimits.nodeBytes), id: leaf)
        }
    }
}
