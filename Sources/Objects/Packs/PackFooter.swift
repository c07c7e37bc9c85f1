/// A pack's index, at the end of its file: the pieces in the pack, and the recipes that join pieces to large objects.
///
/// All numbers are little-endian. In order:
///
/// | field | bytes |
/// |---|---|
/// | magic `ftipack1` | 8 |
/// | random, so that no two packs have the same name | 16 |
/// | number of pieces c, of recipes r, of piece references p, of digest points d | 4 each |
/// | piece identities, ascending | 32 c |
/// | piece entries: offset u64, stored size u32, raw size u32, codec u8, flags u8 (1: an object), gap u8, zero u8, CRC-32C of the stored bytes u32 | 24 c |
/// | recipe identities, ascending | 32 r |
/// | recipe entries: size u64, first reference u32, number of references u32 | 16 r |
/// | references: the identities of pieces in any live pack, recipe after recipe | 32 p |
/// | sizes of the referenced pieces u32 | 4 p |
/// | digest points: reference u32, eight words u32, 64 bytes | 100 d |
/// | length of the footer u64, magic `ftiindex` | 16 |
///
/// The SHA-256 of these bytes is the pack's name. Every byte of the file between its own magic `ftipack1` and
/// the footer belongs to exactly one piece or to the gap before it, and every reference to exactly one recipe.
///
/// A digest point is the state of SHA-256 over a recipe's object before one of its pieces: the chaining value, and the
/// bytes since the last whole block, padded with zeros. Points let several threads verify one object: each thread
/// hashes the span from one point to the next. Only all spans together prove the object.
package struct PackFooter: Sendable {
    /// Where the stored bytes of a piece are, and how to decode them.
    package struct Piece: Hashable, Sendable {
        package var offset: Int
        package var storedSize: Int
        package var size: Int
        package var codec: Codec
        /// Whether the piece is also an object.
        package var isObject: Bool
        /// The number of padding bytes before it, all zero; less than ``PackFooter/alignment``.
        package var gap = 0
        /// The ``Checksum`` of the stored bytes.
        package var checksum: UInt32 = 0

        /// The offset after its last byte in the pack.
        package var end: Int { offset + storedSize }
    }

    /// The pieces that make up a large object.
    package struct Recipe: Equatable, Sendable {
        var size: Int
        package var pieces: [PieceReference]
        /// Ascending by ``DigestPoint/reference``.
        var points: [DigestPoint] = []
    }

    /// One piece of a large object.
    package struct PieceReference: Hashable, Sendable {
        package let id: ObjectID
        package let size: Int
    }

    /// The state of the digest of a large object before one of its pieces, never the first.
    struct DigestPoint: Equatable, Sendable {
        /// The index of the piece in its recipe.
        var reference: Int
        var words: SIMD8<UInt32>
        var rest: SIMD64<UInt8>
    }

    package static let packMagic = Array("ftipack1".utf8)
    static let trailerMagic = Array("ftiindex".utf8)
    static let nonceSize = 16
    /// The most bytes in a piece. Writers stay at ``ObjectWriter/pieceLimit``; the larger limit leaves room for other
    /// writers and still bounds the cost of decoding one piece.
    static let pieceSizeLimit = 16 << 20
    /// A piece that is used in place begins at a multiple of this, so that no vector register crosses a cache line.
    static let alignment = 64
    static let headerSize = 8 + nonceSize + 16
    static let trailerSize = 16
    private static let pieceEntrySize = 24
    private static let recipeEntrySize = 16
    private static let pointSize = 4 + 32 + 64

    private let bytes: [UInt8]
    package let pieceCount: Int
    package let recipeCount: Int
    let referenceCount: Int
    let pointCount: Int

    /// Decodes and validates a footer; `dataEnd` is its offset in the file.
    init(decoding bytes: [UInt8], dataEnd: Int) throws(CodecError) {
        let span = bytes.span
        guard bytes.count >= Self.headerSize + Self.trailerSize,
            bytes.starts(with: Self.packMagic), bytes.suffix(8).elementsEqual(Self.trailerMagic),
            LittleEndian.uint64(span, at: bytes.count - 16) == UInt64(bytes.count)
        else { throw CodecError("it does not end with an index") }
        self.bytes = bytes
        pieceCount = Int(LittleEndian.uint32(span, at: Self.headerSize - 16))
        recipeCount = Int(LittleEndian.uint32(span, at: Self.headerSize - 12))
        referenceCount = Int(LittleEndian.uint32(span, at: Self.headerSize - 8))
        pointCount = Int(LittleEndian.uint32(span, at: Self.headerSize - 4))
        // Counts are below 2^32 and entries are small, so the sum cannot overflow.
        let expected =
            Self.headerSize + pieceCount * (32 + Self.pieceEntrySize)
            + recipeCount * (32 + Self.recipeEntrySize) + referenceCount * 36
            + pointCount * Self.pointSize + Self.trailerSize
        guard expected == bytes.count else { throw CodecError("its index has the wrong length") }
        try validate(dataEnd: dataEnd)
    }

    // MARK: Layout

    var pieceIDs: Int { Self.headerSize }
    private var pieceEntries: Int { pieceIDs + 32 * pieceCount }
    var recipeIDs: Int { pieceEntries + Self.pieceEntrySize * pieceCount }
    private var recipeEntries: Int { recipeIDs + 32 * recipeCount }
    private var referenceIDs: Int { recipeEntries + Self.recipeEntrySize * recipeCount }
    private var referenceSizes: Int { referenceIDs + 32 * referenceCount }
    private var points: Int { referenceSizes + 4 * referenceCount }

    func isAscending(at start: Int, count: Int) -> Bool {
        let span = bytes.span
        return (0..<max(0, count - 1)).allSatisfy {
            ObjectID(bytes: span, at: start + 32 * $0)
                < ObjectID(bytes: span, at: start + 32 * $0 + 32)
        }
    }

    // MARK: Access

    package func pieceID(at index: Int) -> ObjectID {
        ObjectID(bytes: bytes.span, at: pieceIDs + 32 * index)
    }

    package func recipeID(at index: Int) -> ObjectID {
        ObjectID(bytes: bytes.span, at: recipeIDs + 32 * index)
    }

    func piece(at index: Int) throws(CodecError) -> Piece {
        let span = bytes.span
        let entry = pieceEntries + Self.pieceEntrySize * index
        guard let offset = Int(exactly: LittleEndian.uint64(span, at: entry)),
            let codec = Codec(rawValue: span[entry + 16])
        else { throw CodecError("a piece has an unknown codec") }
        guard span[entry + 17] <= 1, span[entry + 18] < Self.alignment, span[entry + 19] == 0 else {
            throw CodecError("a piece has unknown flags")
        }
        return Piece(
            offset: offset, storedSize: Int(LittleEndian.uint32(span, at: entry + 8)),
            size: Int(LittleEndian.uint32(span, at: entry + 12)), codec: codec,
            isObject: span[entry + 17] == 1, gap: Int(span[entry + 18]),
            checksum: LittleEndian.uint32(span, at: entry + 20))
    }

    /// The size of a recipe's object, and the range of its references among all references of the footer.
    func recipeEntry(at index: Int) throws(CodecError) -> (size: Int, pieces: Range<Int>) {
        let span = bytes.span
        let entry = recipeEntries + Self.recipeEntrySize * index
        let first = Int(LittleEndian.uint32(span, at: entry + 8))
        let count = Int(LittleEndian.uint32(span, at: entry + 12))
        guard let size = Int(exactly: LittleEndian.uint64(span, at: entry)),
            first <= referenceCount, count <= referenceCount - first
        else { throw CodecError("a recipe lies outside of the index") }
        return (size, first..<first + count)
    }

    func reference(at index: Int) -> PieceReference {
        PieceReference(
            id: ObjectID(bytes: bytes.span, at: referenceIDs + 32 * index),
            size: referenceSize(at: index))
    }

    func referenceSize(at index: Int) -> Int {
        Int(LittleEndian.uint32(bytes.span, at: referenceSizes + 4 * index))
    }

    func recipe(at index: Int) throws(CodecError) -> Recipe {
        let entry = try recipeEntry(at: index)
        return Recipe(
            size: entry.size, pieces: entry.pieces.map(reference(at:)),
            points: points(before: entry.pieces))
    }

    /// The index, among all references of the footer, of the reference that a digest point precedes.
    func referenceOfPoint(at index: Int) -> Int {
        Int(LittleEndian.uint32(bytes.span, at: points + Self.pointSize * index))
    }

    private func points(before pieces: Range<Int>) -> [DigestPoint] {
        let span = bytes.span
        let first = (0..<pointCount).binarySearch { referenceOfPoint(at: $0) < pieces.lowerBound }
        var result: [DigestPoint] = []
        for index in first..<pointCount {
            let reference = referenceOfPoint(at: index)
            guard reference < pieces.upperBound else { break }
            let start = points + Self.pointSize * index + 4
            var point = DigestPoint(
                reference: reference - pieces.lowerBound, words: SIMD8(), rest: SIMD64())
            for word in 0..<8 {
                point.words[word] = LittleEndian.uint32(span, at: start + 4 * word)
            }
            for byte in 0..<ObjectHasher.blockSize { point.rest[byte] = span[start + 32 + byte] }
            result.append(point)
        }
        return result
    }

    package func indexOfPiece(_ id: ObjectID) -> Int? { search(id, among: .pieces) }

    func indexOfRecipe(_ id: ObjectID) -> Int? { search(id, among: .recipes) }

    /// One of the two sorted lists of identities.
    enum Kind { case pieces, recipes }

    /// The first index whose identity is not below `id`.
    func lowerBound(_ id: ObjectID, among kind: Kind) -> Int {
        let (start, count) = kind == .pieces ? (pieceIDs, pieceCount) : (recipeIDs, recipeCount)
        let span = bytes.span
        return (0..<count).binarySearch { ObjectID(bytes: span, at: start + 32 * $0) < id }
    }

    private func search(_ id: ObjectID, among kind: Kind) -> Int? {
        let index = lowerBound(id, among: kind)
        let (start, count) = kind == .pieces ? (pieceIDs, pieceCount) : (recipeIDs, recipeCount)
        guard index < count, ObjectID(bytes: bytes.span, at: start + 32 * index) == id else {
            return nil
        }
        return index
    }
}

extension PackFooter {
    /// Encodes a footer.
    static func encode(
        pieces: [ObjectID: Piece], recipes: [ObjectID: Recipe], nonce: [UInt8]
    ) -> [UInt8] {
        precondition(nonce.count == nonceSize, "a nonce has 16 bytes")
        let pieceIDs = pieces.keys.sorted()
        let recipeIDs = recipes.keys.sorted()
        let referenceCount = recipes.values.reduce(0) { $0 + $1.pieces.count }
        var bytes = packMagic + nonce
        let pointCount = recipes.values.reduce(0) { $0 + $1.points.count }
        for count in [pieceIDs.count, recipeIDs.count, referenceCount, pointCount] {
            LittleEndian.append(UInt32(count), to: &bytes)
        }
        for id in pieceIDs { id.append(to: &bytes) }
        for id in pieceIDs {
            guard let piece = pieces[id] else { continue }
            LittleEndian.append(UInt64(piece.offset), to: &bytes)
            LittleEndian.append(UInt32(piece.storedSize), to: &bytes)
            LittleEndian.append(UInt32(piece.size), to: &bytes)
            bytes.append(piece.codec.rawValue)
            bytes.append(piece.isObject ? 1 : 0)
            bytes.append(UInt8(piece.gap))
            bytes.append(0)
            LittleEndian.append(piece.checksum, to: &bytes)
        }
        for id in recipeIDs { id.append(to: &bytes) }
        var first = 0
        for id in recipeIDs {
            guard let recipe = recipes[id] else { continue }
            LittleEndian.append(UInt64(recipe.size), to: &bytes)
            LittleEndian.append(UInt32(first), to: &bytes)
            LittleEndian.append(UInt32(recipe.pieces.count), to: &bytes)
            first += recipe.pieces.count
        }
        let pieces = recipeIDs.flatMap { recipes[$0]?.pieces ?? [] }
        for reference in pieces { reference.id.append(to: &bytes) }
        for reference in pieces { LittleEndian.append(UInt32(reference.size), to: &bytes) }
        first = 0
        for id in recipeIDs {
            guard let recipe = recipes[id] else { continue }
            for point in recipe.points {
                LittleEndian.append(UInt32(first + point.reference), to: &bytes)
                for index in 0..<8 { LittleEndian.append(point.words[index], to: &bytes) }
                for index in 0..<ObjectHasher.blockSize { bytes.append(point.rest[index]) }
            }
            first += recipe.pieces.count
        }
        LittleEndian.append(UInt64(bytes.count + trailerSize), to: &bytes)
        bytes.append(contentsOf: trailerMagic)
        return bytes
    }

}

extension PackFooter {
    /// Refuses an index that no writer produces. Such an index could refer to bytes outside of the pack, or make a
    /// small file cost a reader unbounded time and memory.
    func validate(dataEnd: Int) throws(CodecError) {
        guard isAscending(at: pieceIDs, count: pieceCount),
            isAscending(at: recipeIDs, count: recipeCount)
        else { throw CodecError("its index is not sorted") }
        try validatePieces(dataEnd: dataEnd)
        var next = 0
        var point = 0
        for index in 0..<recipeCount {
            let entry = try recipeEntry(at: index)
            guard entry.pieces.lowerBound == next else {
                throw CodecError("two recipes share a reference, or one belongs to no recipe")
            }
            next = entry.pieces.upperBound
            var last = entry.pieces.lowerBound
            while point < pointCount, referenceOfPoint(at: point) < next {
                guard referenceOfPoint(at: point) > last else {
                    throw CodecError("its digest points are not in order")
                }
                last = referenceOfPoint(at: point)
                point += 1
            }
            var sum = 0
            for reference in entry.pieces {
                let size = referenceSize(at: reference)
                guard size > 0, size <= Self.pieceSizeLimit else {
                    throw CodecError("the size of a piece is out of range")
                }
                sum += size
            }
            guard sum == entry.size else {
                throw CodecError("the pieces of a recipe do not add up to its size")
            }
        }
        guard next == referenceCount, point == pointCount else {
            throw CodecError("a reference or a digest point belongs to no recipe")
        }
    }

    private func validatePieces(dataEnd: Int) throws(CodecError) {
        // The pieces, each with the gap before it, cover the data exactly once if and only if two multisets are equal:
        // the begins plus the end of the data, and the ends plus the beginning of the data. Comparing sums of mixed
        // offsets avoids sorting. Forging a sum gains nothing: the digest of each piece is verified on reading.
        var begins = Self.mixed(dataEnd)
        var ends = Self.mixed(Self.packMagic.count)
        for index in 0..<pieceCount {
            let piece = try piece(at: index)
            let storedLimit =
                piece.codec == .leaf ? LeafBlocks.storedLimit(size: piece.size) : piece.size
            guard piece.size <= Self.pieceSizeLimit, piece.storedSize <= storedLimit else {
                throw CodecError("the size of a piece is out of range")
            }
            guard piece.offset >= Self.packMagic.count + piece.gap, piece.offset <= dataEnd,
                piece.storedSize <= dataEnd - piece.offset
            else { throw CodecError("a piece lies outside of it") }
            guard piece.codec != .leaf || piece.offset.isMultiple(of: Self.alignment) else {
                throw CodecError("a leaf is not aligned")
            }
            begins &+= Self.mixed(piece.offset - piece.gap)
            ends &+= Self.mixed(piece.end)
        }
        guard begins == ends else { throw CodecError("its pieces overlap or leave a gap") }
    }

    /// The finaliser of SplitMix64 (Steele, Lea, Flood 2014).
    private static func mixed(_ offset: Int) -> UInt64 {
        var value = UInt64(truncatingIfNeeded: offset) &+ 0x9E37_79B9_7F4A_7C15
        value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
        return value ^ value >> 31
    }
}

extension PackFooter.DigestPoint {
    init(reference: Int, _ hasher: ObjectHasher) {
        self.init(reference: reference, words: hasher.words, rest: hasher.rest)
    }
}
