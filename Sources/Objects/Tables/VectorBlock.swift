internal import Storage

/// The vectors of one leaf of a table: where they are in its pack's file, or a copy where that cannot be mapped
/// or the leaf is stored in another way.
///
/// Small, and cheap to copy; what it lends stays as long as the block does, whatever becomes of the pack's name.
public struct VectorBlock: Sendable {
    private enum Place: Sendable {
        /// A stored leaf that begins at an offset.
        case mapped(MappedFile, at: Int, LeafBlocks)
        case owned([Float], codes: [UInt8])
    }

    /// The leaf, which also has the keys and attributes.
    public let leaf: ObjectID
    /// The number of vectors.
    public let rows: Int
    /// The count of numbers in a vector.
    public let dimension: Int
    private let place: Place
    private let hasCodes: Bool

    /// Whether the vectors are used where they are in the pack.
    public var isInPlace: Bool {
        if case .mapped = place { true } else { false }
    }

    /// Takes the vectors of a stored leaf in place.
    ///
    /// - Parameters:
    ///   - range: The stored leaf in the file.
    ///   - size: The size of the raw leaf.
    ///   - codes: Whether ``withCodes(_:)`` will be called; they are verified here, once.
    /// - Throws: `corrupt`.
    init(
        _ leaf: ObjectID, in file: MappedFile, at range: Range<Int>, size: Int, codes: Bool,
        where description: String
    ) throws(ObjectError) {
        let blocks: LeafBlocks
        do throws(CodecError) {
            blocks = try file.withBytes(range) { (stored) throws(CodecError) in
                let blocks = try LeafBlocks(decoding: stored, size: size, storedSize: range.count)
                guard
                    !codes || !blocks.hasCodes
                        || Checksum.of(stored.extracting(blocks.codes)) == blocks.codeChecksum
                else { throw CodecError("a leaf's codes are damaged") }
                return blocks
            }
        } catch { throw .corrupt(leaf, where: description) }
        self.leaf = leaf
        rows = blocks.rows
        dimension = blocks.dimension
        hasCodes = codes
        if codes, !blocks.hasCodes {
            let vectors = file.withBytes(Self.range(blocks.vectors, at: range.lowerBound)) {
                var vectors: [Float] = []
                TableBytes.appendFloats($0, 0..<$0.count, to: &vectors)
                return vectors
            }
            place = .owned(vectors, codes: Self.codes(of: vectors, rows, dimension))
        } else {
            place = .mapped(file, at: range.lowerBound, blocks)
        }
    }

    /// Copies the vectors of a leaf, and makes their codes.
    init(copying leaf: TableLeaf, id: ObjectID, codes: Bool) {
        self.leaf = id
        rows = leaf.count
        dimension = leaf.dimension
        hasCodes = codes
        let vectors = leaf.vectors
        place = .owned(vectors, codes: codes ? Self.codes(of: vectors, rows, dimension) : [])
    }

    private static func codes(of vectors: [Float], _ rows: Int, _ dimension: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        TableBytes.append(vectors, to: &bytes)
        return VectorCodes(rows: rows, dimension: dimension).encoded(of: bytes.span)
    }

    private static func range(_ range: Range<Int>, at offset: Int) -> Range<Int> {
        offset + range.lowerBound..<offset + range.upperBound
    }

    /// Lends the vectors, fp32[rows, dimension], row-major, after verifying them: with the checksum that they
    /// were stored with where they are in place, as a part of the whole leaf otherwise.
    ///
    /// - Throws: `corrupt`.
    public func withVectors<Result>(
        _ body: (Span<Float>) -> Result
    ) throws(ObjectError) -> Result {
        switch place {
        case .owned(let vectors, _): return body(vectors.span)
        case .mapped(let file, let offset, let blocks):
            let range = Self.range(blocks.vectors, at: offset)
            return try file.withBytes(range) { (bytes) throws(ObjectError) in
                guard Checksum.of(bytes) == blocks.vectorChecksum else {
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

    /// The leaf without its vectors, from its text in the pack; nil where the block is not in place.
    ///
    /// - Throws: `corrupt` when it is not what was stored; `malformed` when that is no leaf.
    func text(_ coder: PooledCoder) throws(ObjectError) -> TableLeaf? {
        guard case .mapped(let file, let offset, let blocks) = place else { return nil }
        let bytes: [UInt8]
        do throws(CodecError) {
            var stored: [UInt8] = []
            file.withBytes(Self.range(blocks.text, at: offset)) {
                LittleEndian.append($0, to: &stored)
            }
            bytes = try coder.leafText(stored, blocks)
        } catch { throw .corrupt(leaf, where: "its text in the pack, from byte \(offset)") }
        return try TableLeaf(bytes, id: leaf, textOnly: true)
    }

    /// Lends the stored form of the vectors' codes; see ``VectorCodes``.
    ///
    /// The block must have been opened for codes. They were verified then, and are good for finding candidates only.
    public func withCodes<Result>(_ body: (Span<UInt8>) -> Result) -> Result {
        precondition(hasCodes, "the block was opened for its codes")
        switch place {
        case .owned(_, let codes): return body(codes.span)
        case .mapped(let file, let offset, let blocks):
            return file.withBytes(Self.range(blocks.codes, at: offset), body)
        }
    }
}
