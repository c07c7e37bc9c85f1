internal import Storage

/// The vectors of one leaf of a table, mapped from the file of its pack, or copied where the leaf is stored in
/// another form or cannot be mapped.
///
/// Cheap to copy. The block keeps its mapping valid even after the pack is deleted.
public struct VectorBlock: Sendable {
    private enum Place: Sendable {
        /// The stored leaf begins at this offset of the file.
        case mapped(MappedFile, at: Int, LeafBlocks)
        case owned([Float])
    }

    /// The hashes with which mapped bytes are compared; they come from bytes that matched the leaf's identity.
    private struct Proof: Sendable {
        let leaves: VerifiedLeaves
        let digests: VerifiedLeaves.Digests
    }

    /// The leaf, which also holds the keys and attributes.
    public let leaf: ObjectID
    /// The number of vectors.
    public let rows: Int
    /// The number of elements in a vector.
    public let dimension: Int
    private let place: Place
    /// Nil when the vectors are a copy, or when checksums are enough.
    private let proof: Proof?

    /// Whether the vectors are mapped from the pack.
    public var isInPlace: Bool {
        if case .mapped = place { true } else { false }
    }

    /// Whether a later version of the table may go on with this block.
    ///
    /// - Parameter verified: Whether the later version compares its leaves with their identities.
    func isUsable(verified: Bool) -> Bool {
        guard case .mapped(let file, _, _) = place else { return true }
        return !file.isDamaged && (proof != nil || !verified)
    }

    /// Maps the vectors of a stored leaf.
    ///
    /// - Parameters:
    ///   - range: The stored leaf in the file.
    ///   - size: The size of the decoded leaf.
    ///   - verified: Remembers verified leaves, and learns this one; nil when checksums are enough.
    ///   - read: Returns the leaf after comparing it with its identity.
    /// - Throws: `corrupt`, and the errors of `read`.
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
        } catch { throw Self.damage(of: file) ?? .corrupt(leaf, where: description) }
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
        // Check the codes now: a search may read them much later.
        if blocks.hasCodes { _ = try self.codes() }
    }

    private static func damage(of file: MappedFile) -> ObjectError? {
        file.damage.map { ObjectError.storage($0) }
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

    /// Lends the vectors, fp32[rows, dimension], row-major, after checking them. Mapped vectors are compared with their
    /// digest from the verification of the leaf, or with their checksum if checksums are enough.
    ///
    /// - Throws: `corrupt`; `storage` when the file was damaged while it was mapped.
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
                    throw Self.damage(of: file)
                        ?? .corrupt(leaf, where: "its vectors in the pack, from byte \(offset)")
                }
                let result = TableBytes.withFloats(bytes, body)
                // The bytes may have become zeros after the comparison.
                if let damage = Self.damage(of: file) { throw damage }
                return result
            }
        }
    }

    /// Prefetches the mapped vectors of neighbouring blocks with as few calls as possible.
    static func prefetch(_ blocks: some Sequence<VectorBlock>) {
        var wanted: (file: MappedFile, range: Range<Int>)?
        for block in blocks {
            guard case .mapped(let file, let offset, let parts) = block.place else { continue }
            let range = range(parts.vectors, at: offset)
            if let (last, before) = wanted {
                // The gap between the vectors of two leaves holds codes and text, about a quarter of the bytes.
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

    /// The stored form of the vectors' codes; see ``VectorCodes``. Stored codes are used only if the leaf was verified,
    /// and compared with those from its verification; otherwise the codes are computed.
    ///
    /// - Throws: `corrupt`; `storage` when the file was damaged while it was mapped.
    public func codes() throws(ObjectError) -> [UInt8] {
        guard case .mapped(let file, let offset, let blocks) = place, blocks.hasCodes, let proof
        else {
            return try withVectors { vectors in
                let bytes = Self.bytes(of: vectors.indices.map { vectors[$0] })
                return VectorCodes(rows: rows, dimension: dimension).encoded(of: bytes.span)
            }
        }
        // Compare a copy, because the bytes in the pack could change after the comparison.
        var codes: [UInt8] = []
        codes.reserveCapacity(blocks.codes.count)
        file.withBytes(Self.range(blocks.codes, at: offset)) {
            LittleEndian.append($0, to: &codes)
        }
        guard proof.leaves.hash.digest(codes.span) == proof.digests.codes else {
            throw Self.damage(of: file)
                ?? .corrupt(leaf, where: "its search codes in the pack, from byte \(offset)")
        }
        return codes
    }
}

extension PackStore {
    /// Maps the vectors of a leaf from its pack; nil when the leaf must be read as an object.
    ///
    /// - Parameter verified: Remembers verified leaves, and learns this one; nil when checksums are enough.
    /// - Throws: `missing`; `corrupt` when the stored leaf is damaged.
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
