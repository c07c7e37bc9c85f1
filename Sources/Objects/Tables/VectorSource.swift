/// A source that can lend vectors where they are stored, without reading the objects they are in.
protocol VectorSource: ObjectSource {
    /// The vectors of a leaf in place; nil where the leaf must be read as an object.
    ///
    /// - Parameter codes: Whether the vectors' codes are wanted too.
    /// - Throws: `missing`; `corrupt` when the place is damaged.
    func vectorBlock(of leaf: ObjectID, codes: Bool) throws(ObjectError) -> VectorBlock?

    /// The leaf of a block that is in place, without its vectors; nil for another.
    func text(of block: VectorBlock) throws(ObjectError) -> TableLeaf?
}

extension PackStore: VectorSource {
    func vectorBlock(of leaf: ObjectID, codes: Bool) throws(ObjectError) -> VectorBlock? {
        guard case .chunk(let pack, let chunk)? = try locateObject(leaf), chunk.codec == .leaf,
            let file = pack.map()
        else { return nil }
        return try VectorBlock(
            leaf, in: file, at: chunk.offset..<chunk.offset + chunk.storedSize, size: chunk.size,
            codes: codes, where: pack.place(of: chunk))
    }

    func text(of block: VectorBlock) throws(ObjectError) -> TableLeaf? {
        try withCoder { (coder) throws(ObjectError) in try block.text(coder) }
    }
}
