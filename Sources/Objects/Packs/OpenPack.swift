package import Storage
internal import Synchronization

/// A pack whose footer has been read and found to be the one its name vouches for.
package struct OpenPack: Sendable {
    package let reference: PackReference
    package let footer: PackFooter
    private let blob: any Blob

    /// A footer of more bytes than this is refused: it would index some 36 million pieces.
    static let footerLimit = 2 << 30

    init(_ reference: PackReference, in bucket: any Bucket) throws(ObjectError) {
        try self.init(reference, blob: Self.blob(of: reference, in: bucket))
    }

    package init(_ reference: PackReference, blob: any Blob) throws(ObjectError) {
        let name = reference.name.hex
        guard blob.size == reference.size else {
            throw .damagedPack(
                name, reason: "it has \(blob.size) bytes in place of \(reference.size)")
        }
        self.blob = blob
        guard reference.indexOffset >= PackFooter.packMagic.count,
            reference.indexOffset <= reference.size,
            reference.size - reference.indexOffset <= Self.footerLimit
        else { throw .damagedPack(name, reason: "its index lies outside of it") }
        let bytes: [UInt8]
        do throws(StorageError) {
            bytes = try blob.read(
                at: reference.indexOffset, count: reference.size - reference.indexOffset)
        } catch { throw .storage(error) }
        guard ObjectID(of: bytes.span) == reference.name else {
            throw .damagedPack(name, reason: "its index is not the one that its name vouches for")
        }
        do throws(CodecError) {
            footer = try PackFooter(decoding: bytes, dataEnd: reference.indexOffset)
        } catch { throw .damagedPack(name, reason: error.reason) }
        self.reference = reference
    }

    /// The file of a pack, which has the right size.
    package static func blob(
        of reference: PackReference, in bucket: any Bucket
    ) throws(ObjectError) -> any Blob {
        let name = reference.name.hex
        let found: (any Blob)?
        do throws(StorageError) { found = try bucket.open(reference.blobName) } catch {
            // Something that is no file stands in its place.
            if case .damaged(_, let reason) = error { throw .damagedPack(name, reason: reason) }
            throw .storage(error)
        }
        guard let found else { throw .packGone(reference.name) }
        guard found.size == reference.size else {
            throw .damagedPack(
                name, reason: "it has \(found.size) bytes in place of \(reference.size)")
        }
        return found
    }

    /// Where the index of a pack is, if its file is there and has the right size.
    package static func indexRange(of reference: PackReference, in bucket: any Bucket) -> Range<
        Int
    >? {
        guard reference.indexOffset <= reference.size,
            (try? blob(of: reference, in: bucket)) != nil
        else { return nil }
        return reference.indexOffset..<reference.size
    }

    /// The file's bytes in place; nil where they must be read.
    func map() -> MappedFile? { blob.map() }

    /// Checks the bytes before the first piece, which no identity vouches for and no reader needs.
    package func checkMagic() throws(ObjectError) {
        let bytes: [UInt8]
        do throws(StorageError) {
            bytes = try blob.read(at: 0, count: PackFooter.packMagic.count)
        } catch { throw .storage(error) }
        guard bytes == PackFooter.packMagic else {
            throw .damagedPack(reference.name.hex, reason: "it does not begin as packs do")
        }
    }

    /// Checks that the bytes between a piece and what is before it are zero: no reader needs them, and no
    /// checksum covers them.
    package func checkGap(before piece: PackFooter.Piece) throws(ObjectError) {
        guard piece.gap > 0 else { return }
        let bytes: [UInt8]
        do throws(StorageError) {
            bytes = try blob.read(at: piece.offset - piece.gap, count: piece.gap)
        } catch { throw .storage(error) }
        guard bytes.allSatisfy({ $0 == 0 }) else {
            throw .damagedPack(
                reference.name.hex, reason: "the gap before byte \(piece.offset) is not zero")
        }
    }

    /// The stored bytes of a piece, which are those that the index has the checksum of.
    package func storedBytes(
        of id: ObjectID, _ piece: PackFooter.Piece
    ) throws(ObjectError) -> [UInt8] {
        let bytes: [UInt8]
        do throws(StorageError) {
            bytes = try blob.read(at: piece.offset, count: piece.storedSize)
        } catch { throw .storage(error) }
        guard Checksum.of(bytes.span) == piece.checksum else {
            throw .corrupt(id, where: place(of: piece))
        }
        return bytes
    }

    /// Bytes of the file as they are.
    func bytes(_ range: Range<Int>) throws(StorageError) -> [UInt8] {
        try blob.read(at: range.lowerBound, count: range.count)
    }

    /// Where a piece is, for messages.
    package func place(of piece: PackFooter.Piece) -> String {
        "pack \(reference.name.short) at byte \(piece.offset)"
    }

    /// The piece that a piece is stored as a difference against; nil when it is stored for itself.
    func deltaBase(of piece: PackFooter.Piece) throws(ObjectError) -> ObjectID? {
        guard piece.codec == .delta else { return nil }
        do throws(StorageError) {
            let count = min(piece.storedSize, ObjectID.byteCount + 1)
            let stored = try blob.read(at: piece.offset, count: count)
            return try? PieceCoder.deltaBase(stored.span)
        } catch { throw .storage(error) }
    }

    package func piece(at index: Int) throws(ObjectError) -> PackFooter.Piece {
        do throws(CodecError) { return try footer.piece(at: index) } catch {
            throw .damagedPack(reference.name.hex, reason: error.reason)
        }
    }

    package func recipe(at index: Int) throws(ObjectError) -> PackFooter.Recipe {
        do throws(CodecError) { return try footer.recipe(at: index) } catch {
            throw .damagedPack(reference.name.hex, reason: error.reason)
        }
    }

    package func recipeSize(at index: Int) throws(ObjectError) -> Int {
        try recipeEntry(at: index).size
    }

    /// The pieces of a recipe that have bytes in a range of its object, and where the first of them begins;
    /// the others are passed over without being made.
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
        do throws(CodecError) { return try footer.recipeEntry(at: index) } catch {
            throw .damagedPack(reference.name.hex, reason: error.reason)
        }
    }
}

extension PackReference {
    /// The blob that holds the pack.
    package var blobName: BlobName { BlobName(.packs, name.hex) }
}

/// What the log says of a pack: enough to open it and to know that its index is the right one.
public struct PackReference: Hashable, Sendable {
    /// The SHA-256 of the pack's footer, which is also its file name.
    public let name: ObjectID
    /// The size of the file in bytes.
    public let size: Int
    /// Where the footer begins.
    public let indexOffset: Int

    /// Makes a reference.
    public init(name: ObjectID, size: Int, indexOffset: Int) {
        self.name = name
        self.size = size
        self.indexOffset = indexOffset
    }
}

/// The packs of one bucket whose indexes have been read, for all stores over it.
///
/// A pack's bytes never change and its name vouches for its index, so what one store has read is good for
/// every other, whatever state of the log each is for. Safe to use from several threads.
public final class OpenPacks: Sendable {
    /// Packs that are kept although the newest store does not list them: readers of older states have them.
    private static let slack = 64

    private let packs = Mutex<[ObjectID: OpenPack]>([:])

    /// None yet.
    public init() {}

    /// The pack, if it has been read as the same reference says.
    subscript(_ reference: PackReference) -> OpenPack? {
        guard let pack = packs.withLock({ $0[reference.name] }), pack.reference == reference else {
            return nil
        }
        return pack
    }

    func insert(_ pack: OpenPack) { packs.withLock { $0[pack.reference.name] = pack } }

    /// Lets go of packs that are not listed, once there are many of them.
    func keep(_ listed: [PackReference]) {
        packs.withLock { packs in
            guard packs.count > 2 * listed.count + Self.slack else { return }
            let names = Set(listed.map(\.name))
            packs = packs.filter { names.contains($0.key) }
        }
    }
}
