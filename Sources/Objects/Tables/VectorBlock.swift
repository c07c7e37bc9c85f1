internal import Storage

/// The vectors of one leaf of a table: where they are in its pack's file, or a copy where that cannot be mapped
/// or the leaf is stored in another way.
///
/// Small, and cheap to copy; what it lends stays as long as the block does, whatever becomes of the pack's name.
public struct VectorBlock: Sendable {
    private enum Place: Sendable {
        /// A stored leaf that begins at an offset.
        case mapped(MappedFile, at: Int, LeafBlocks)
        case owned([Float])
    }

    /// By what bytes that are used in place are known to be those that the leaf's identity vouches for.
    private struct Proof: Sendable {
        let leaves: VerifiedLeaves
        let digests: VerifiedLeaves.Digests
    }

    /// The leaf, which also has the keys and attributes.
    public let leaf: ObjectID
    /// The number of vectors.
    public let rows: Int
    /// The count of numbers in a vector.
    public let dimension: Int
    private let place: Place
    /// Nil where the vectors are a copy, or their checksum is enough.
    private let proof: Proof?

    /// Whether the vectors are used where they are in the pack.
    public var isInPlace: Bool {
        if case .mapped = place { true } else { false }
    }

    /// Takes the vectors of a stored leaf in place.
    ///
    /// - Parameters:
    ///   - range: The stored leaf in the file.
    ///   - size: The size of the raw leaf.
    ///   - verified: What verified leaves are, and is told of this one; nil where checksums are enough.
    ///   - read: Gives the leaf, compared with its identity.
    /// - Throws: `corrupt`, and what `read` throws.
    init(
        _ leaf: ObjectID, in file: MappedFile, at range: Range<Int>, size: Int,
        verified: VerifiedLeaves?, where description: String,
        read: () throws(ObjectError) -> TableLeaf
    ) throws(ObjectError) {
        let blocks: LeafBlocks
        do throws(CodecError) {
            blocks = try file.withBytes(range) { (stored) throws(CodecError) in
                try LeafBlocks(decoding: stored, size: size, storedSize: range.count)
            }
        } catch { throw .corrupt(leaf, where: description) }
        self.leaf = leaf
        rows = blocks.rows
        dimension = blocks.dimension
        place = .mapped(file, at: range.lowerBound, blocks)
        guard let verified else {
            proof = nil
            return
        }
        if let digests = verified.digests(of: leaf) {
            proof = Proof(leaves: verified, digests: digests)
            return
        }
        let whole = try read()
        guard whole.count == blocks.rows, whole.dimension == blocks.dimension else {
            throw .corrupt(leaf, where: description)
        }
        let vectors = Self.bytes(of: whole.vectors)
        let codes = VectorCodes(rows: rows, dimension: dimension).encoded(of: vectors.span)
        let digests = verified.add(leaf, vectors: vectors.span, codes: codes.span)
        proof = Proof(leaves: verified, digests: digests)
        // The codes in the pack may be read much later; what is wrong with them is said now.
        if blocks.hasCodes { _ = try self.codes() }
    }

    /// Copies the vectors of a leaf.
    init(copying leaf: TableLeaf, id: ObjectID) {
        self.leaf = id
        rows = leaf.count
        dimension = leaf.dimension
        place = .owned(leaf.vectors)
        proof = nil
    }

    private static func bytes(of vectors: [Float]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(4 * vectors.count)
        TableBytes.append(vectors, to: &bytes)
        return bytes
    }

    private static func range(_ range: Range<Int>, at offset: Int) -> Range<Int> {
        offset + range.lowerBound..<offset + range.upperBound
    }

    /// Lends the vectors, fp32[rows, dimension], row-major, after comparing them: where they are in place, with what
    /// was found when the leaf was verified, or with their checksum where that was not asked for.
    ///
    /// - Throws: `corrupt`.
    public func withVectors<Result>(
        _ body: (Span<Float>) -> Result
    ) throws(ObjectError) -> Result {
        switch place {
        case .owned(let vectors): return body(vectors.span)
        case .mapped(let file, let offset, let blocks):
            let range = Self.range(blocks.vectors, at: offset)
            return try file.withBytes(range) { (bytes) throws(ObjectError) in
                let isRight =
                    proof.map { $0.leaves.hash.digest(bytes) == $0.digests.vectors }
                    ?? (Checksum.of(bytes) == blocks.vectorChecksum)
                guard isRight else {
                    throw .corrupt(leaf, where: "its vectors in the pack, from byte \(offset)")
                }
                return TableBytes.withFloats(bytes, body)
            }
        }
    }

    /// Brings the vectors of neighbouring blocks in reach at once, where they are in place.
    static func prefetch(_ blocks: some Sequence<VectorBlock>) {
        var wanted: (file: MappedFile, range: Range<Int>)?
        for block in blocks {
            guard case .mapped(let file, let offset, let parts) = block.place else { continue }
            let range = range(parts.vectors, at: offset)
            if let (last, before) = wanted {
                // What lies between is the codes and the text of leaves, a quarter of all.
                if last === file, range.lowerBound >= before.upperBound,
                    range.lowerBound - before.upperBound < range.count
                {
                    wanted = (file, before.lowerBound..<range.upperBound)
                    continue
                }
                last.prefetch(before)
            }
            wanted = (file, range)
        }
        if let (file, range) = wanted { file.prefetch(range) }
    }

    /// The stored form of the vectors' codes; see ``VectorCodes``. They are those of the vectors: computed, or compared
    /// with what was computed when the leaf was verified.
    ///
    /// - Throws: `corrupt`.
    public func codes() throws(ObjectError) -> [UInt8] {
        guard case .mapped(let file, let offset, let blocks) = place, blocks.hasCodes, let proof
        else {
            return try withVectors { vectors in
                let bytes = Self.bytes(of: vectors.indices.map { vectors[$0] })
                return VectorCodes(rows: rows, dimension: dimension).encoded(of: bytes.span)
            }
        }
        // A copy is compared and not what lies in the pack, which may change in between.
        var codes: [UInt8] = []
        codes.reserveCapacity(blocks.codes.count)
        file.withBytes(Self.range(blocks.codes, at: offset)) {
            LittleEndian.append($0, to: &codes)
        }
        guard proof.leaves.hash.digest(codes.span) == proof.digests.codes else {
            throw .corrupt(leaf, where: "its search codes in the pack, from byte \(offset)")
        }
        return codes
    }
}

extension PackStore {
    /// The vectors of a leaf where they lie in its pack; nil where the leaf must be read as an object.
    ///
    /// - Parameter verified: Remembers verified leaves, and learns this one; nil where checksums are enough.
    /// - Throws: `missing`; `corrupt` when the place is damaged.
    func vectorBlock(
        of leaf: ObjectID, verified: VerifiedLeaves?
    ) throws(ObjectError) -> VectorBlock? {
        guard case .piece(let pack, let piece)? = try locateObject(leaf), piece.codec == .leaf,
            let file = pack.map()
        else { return nil }
        return try VectorBlock(
            leaf, in: file, at: piece.offset..<piece.offset + piece.storedSize, size: piece.size,
            verified: verified, where: pack.place(of: piece)
        ) { () throws(ObjectError) in
            try TableLeaf(try read(leaf, limit: TableLimits.nodeBytes), id: leaf)
        }
    }
}
