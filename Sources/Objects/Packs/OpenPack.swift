package import Storage
internal import Synchronization

/// What the log records about a pack: enough to open it and to prove that its index is the right one.
public struct PackReference: Hashable, Sendable {
    /// The SHA-256 of the pack's footer, which is also its file name.
    public let name: ObjectID
    /// The size of the file in bytes.
    public let size: Int
    /// The offset of the footer in the file.
    public let indexOffset: Int

    /// Makes a reference; opening the pack checks it.
    public init(name: ObjectID, size: Int, indexOffset: Int) {
        self.name = name
        self.size = size
        self.indexOffset = indexOffset
    }

    /// The blob that holds the pack.
    package var blobName: BlobName { BlobName(.packs, name.hex) }
}

/// A pack whose footer has been read and hashes to the pack's name.
package struct OpenPack: Sendable {
    package let reference: PackReference
    package let footer: PackFooter
    private let blob: any Blob

    /// The largest footer to read, in bytes; it can index 38 million pieces.
    static let footerLimit = 2 << 30

    init(_ reference: PackReference, in bucket: any Bucket) throws(ObjectError) {
        try self.init(reference, blob: Self.blob(of: reference, in: bucket))
    }

    package init(_ reference: PackReference, blob: any Blob) throws(ObjectError) {
        let name = reference.name
        try Self.checkSize(of: blob, reference)
        guard reference.indexOffset >= PackFooter.packMagic.count,
            reference.indexOffset <= reference.size,
            reference.size - reference.indexOffset <= Self.footerLimit
        else { throw .damagedPack(name, reason: "its index lies outside of it") }
        let bytes = try blob.bytes(
            at: reference.indexOffset, count: reference.size - reference.indexOffset)
        guard ObjectID(of: bytes.span) == name else {
            throw .damagedPack(name, reason: "its index does not hash to its name")
        }
        do throws(CodecError) {
            footer = try PackFooter(decoding: bytes, dataEnd: reference.indexOffset)
        } catch { throw .damagedPack(name, reason: error.reason) }
        self.blob = blob
        self.reference = reference
    }

    // MARK: The file

    /// The file of a pack.
    ///
    /// - Throws: `packGone`; `damagedPack` when the file has the wrong size, or is not a regular file; `storage`.
    package static func blob(
        of reference: PackReference, in bucket: any Bucket
    ) throws(ObjectError) -> any Blob {
        let found: (any Blob)?
        do throws(StorageError) { found = try bucket.open(reference.blobName) } catch {
            // A directory or a device has the pack's name.
            if case .damaged(_, let reason) = error {
                throw .damagedPack(reference.name, reason: reason)
            }
            throw .storage(error)
        }
        guard let found else { throw .packGone(reference.name) }
        try checkSize(of: found, reference)
        return found
    }

    private static func checkSize(
        of blob: any Blob, _ reference: PackReference
    ) throws(ObjectError) {
        guard blob.size != reference.size else { return }
        throw .damagedPack(
            reference.name, reason: "it has \(blob.size) bytes instead of \(reference.size)")
    }

    /// The range of a pack's index in its file; nil unless the file exists and has the right size.
    package static func indexRange(
        of reference: PackReference, in bucket: any Bucket
    ) -> Range<Int>? {
        guard reference.indexOffset <= reference.size,
            (try? blob(of: reference, in: bucket)) != nil
        else { return nil }
        return reference.indexOffset..<reference.size
    }

    /// The mapped file; nil where the bucket cannot map it.
    func map() -> MappedFile? { blob.map() }

    /// Whether the mapped file is damaged; the pack may be sound again once it is opened anew.
    var isDamaged: Bool { blob.isDamaged }

    /// Bytes of the file, unchecked.
    func bytes(_ range: Range<Int>) throws(ObjectError) -> [UInt8] {
        try blob.bytes(at: range.lowerBound, count: range.count)
    }

    /// Checks the bytes before the first piece: no checksum covers them and no reader needs them.
    package func checkMagic() throws(ObjectError) {
        let magic = PackFooter.packMagic
        guard try blob.bytes(at: 0, count: magic.count) == magic else {
            throw .damagedPack(reference.name, reason: "its first bytes are not those of a pack")
        }
    }

    /// Checks that the padding before a piece is zero: no checksum covers it and no reader needs it.
    package func checkGap(before piece: PackFooter.Piece) throws(ObjectError) {
        guard piece.gap > 0 else { return }
        let gap = try blob.bytes(at: piece.offset - piece.gap, count: piece.gap)
        guard gap.allSatisfy({ $0 == 0 }) else {
            throw .damagedPack(
                reference.name, reason: "the gap before byte \(piece.offset) is not zero")
        }
    }

    /// The base of a piece that is stored as a delta, unverified; nil for any other piece.
    func deltaBase(of piece: PackFooter.Piece) throws(ObjectError) -> ObjectID? {
        guard piece.codec == .delta else { return nil }
        let stored = try blob.bytes(
            at: piece.offset, count: min(piece.storedSize, ObjectID.byteCount + 1))
        return try? PieceCoder.deltaBase(stored.span)
    }

    // MARK: The index

    package func piece(at index: Int) throws(ObjectError) -> PackFooter.Piece {
        try indexed(footer.piece(at: index))
    }

    /// The copy of a piece that the index lists at a place.
    package func storedPiece(at index: Int) throws(ObjectError) -> StoredPiece {
        stored(footer.pieceID(at: index), try piece(at: index))
    }

    /// The copy of a piece that an entry of this pack's index describes.
    ///
    /// - Parameter file: Another file to read the stored bytes from; nil for the pack's own.
    package func stored(
        _ id: ObjectID, _ entry: PackFooter.Piece, in file: (any Blob)? = nil
    ) -> StoredPiece {
        StoredPiece(id: id, entry: entry, pack: reference.name, file: file ?? blob)
    }

    package func recipe(at index: Int) throws(ObjectError) -> PackFooter.Recipe {
        try indexed(footer.recipe(at: index))
    }

    package func recipeSize(at index: Int) throws(ObjectError) -> Int {
        try recipeEntry(at: index).size
    }

    /// The pieces of a recipe that overlap a range of its object, and the offset of the first of them in the object.
    ///
    /// Other pieces are not decoded from the index.
    func pieces(
        ofRecipe index: Int, in range: Range<Int>
    ) throws(ObjectError) -> (start: Int, pieces: [PackFooter.PieceReference]) {
        let all = try recipeEntry(at: index).pieces
        var first = all.lowerBound
        var start = 0
        while first < all.upperBound, start + footer.referenceSize(at: first) <= range.lowerBound {
            start += footer.referenceSize(at: first)
            first += 1
        }
        var pieces: [PackFooter.PieceReference] = []
        var end = start
        while first < all.upperBound, end < range.upperBound {
            pieces.append(footer.reference(at: first))
            end += footer.referenceSize(at: first)
            first += 1
        }
        return (start, pieces)
    }

    private func recipeEntry(
        at index: Int
    ) throws(ObjectError) -> (size: Int, pieces: Range<Int>) {
        try indexed(footer.recipeEntry(at: index))
    }

    private func indexed<Value>(
        _ read: @autoclosure () throws(CodecError) -> Value
    ) throws(ObjectError) -> Value {
        do throws(CodecError) { return try read() } catch {
            throw .damagedPack(reference.name, reason: error.reason)
        }
    }

    /// The lowest objects whose identities begin with `prefix`, at most `limit` pieces and `limit` recipes.
    func objects(withPrefix prefix: ObjectIDPrefix, limit: Int) throws(ObjectError) -> [ObjectID] {
        var found: [ObjectID] = []
        var index = footer.lowerBound(prefix.lowest, among: .pieces)
        while index < footer.pieceCount, found.count < limit {
            let id = footer.pieceID(at: index)
            guard prefix.matches(id) else { break }
            if try piece(at: index).isObject { found.append(id) }
            index += 1
        }
        // Either list may hold the lowest ones, so each is read up to the limit.
        index = footer.lowerBound(prefix.lowest, among: .recipes)
        for index in (index..<footer.recipeCount).prefix(limit) {
            let id = footer.recipeID(at: index)
            guard prefix.matches(id) else { break }
            found.append(id)
        }
        return found
    }
}

/// The packs of one bucket whose indexes have been read, shared by all stores over the bucket.
///
/// A pack's bytes never change and its name is the hash of its index, so stores over different states of the log can
/// share the indexes. Safe to use from several threads.
public final class OpenPacks: Sendable {
    /// The number of packs that may be open beyond twice the listed ones; see ``keep(_:)``. Readers of older states use
    /// packs that the newest store does not list.
    private static let slack = 64

    private let packs = Mutex<[ObjectID: OpenPack]>([:])

    /// Begins with no open packs.
    public init() {}

    /// The pack, if it was opened under an equal reference and its mapped file is not damaged.
    subscript(_ reference: PackReference) -> OpenPack? {
        let pack = packs.withLock { $0[reference.name] }
        return pack?.reference == reference && pack?.isDamaged == false ? pack : nil
    }

    func insert(_ pack: OpenPack) { packs.withLock { $0[pack.reference.name] = pack } }

    /// Closes the packs that are not listed, once more packs are open than twice the listed ones plus ``slack``.
    func keep(_ listed: [PackReference]) {
        packs.withLock { packs in
            guard packs.count > 2 * listed.count + Self.slack else { return }
            let names = Set(listed.map(\.name))
            packs = packs.filter { names.contains($0.key) }
        }
    }
}

extension Blob {
    /// Reads exactly `count` bytes.
    ///
    /// - Throws: `storage`.
    func bytes(at offset: Int, count: Int) throws(ObjectError) -> [UInt8] {
        try inStorage(read(at: offset, count: count))
    }
}
