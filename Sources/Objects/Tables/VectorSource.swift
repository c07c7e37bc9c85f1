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
        guard case .chunk(let pack, let chunk)? = try locateObject(leaf), chunk.codec == .leaf,
            let file = pack.map()
        else { return nil }
        return try VectorBlock(
            leaf, in: file, at: chunk.offset..<chunk.offset + chunk.storedSize, size: chunk.size,
            verified: verified, where: pack.place(of: chunk)
        ) { () throws(ObjectError) in
            try TableLeaf(try read(leaf, limit: TableLimits.nodeBytes), id: leaf)
        }
    }
}
