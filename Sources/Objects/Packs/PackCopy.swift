internal import Storage

/// Copies pieces of packs, as they are stored, into a pack that is being written: those that lie side by side in one
/// go. They are read and not mapped: a disk that fails must not end whoever merges packs.
struct PackCopy {
    /// The most bytes that are moved in one go, or little more: enough that calls cost nothing.
    static let runSize = 4 << 20

    private let staged: any StagedBlob
    /// Where the next bytes will be.
    private(set) var end = PackFooter.packMagic.count
    /// The pieces that were copied.
    private(set) var pieces: [ObjectID: PackFooter.Piece] = [:]

    /// Copies to a blob that holds nothing but the magic of packs.
    init(to staged: any StagedBlob) { self.staged = staged }

    /// Copies pieces that follow one another in a pack, with nothing but their gaps between them.
    ///
    /// The checksum of every one is verified on the way, so that damage never moves into a pack that looks new.
    mutating func add(
        _ run: [(id: ObjectID, piece: PackFooter.Piece)], of pack: OpenPack
    ) throws(CopyError) {
        guard let first = run.first?.piece, let last = run.last?.piece else { return }
        let range = first.offset..<last.end
        // What is used in place stays where it is between two multiples of the alignment.
        let isAligned = run.contains { $0.piece.codec == .leaf }
        let gap =
            isAligned
            ? (first.offset % PackFooter.alignment - end % PackFooter.alignment
                + PackFooter.alignment) % PackFooter.alignment : 0
        let bytes: [UInt8]
        do throws(StorageError) { bytes = try pack.bytes(range) } catch {
            if case .truncated = error { throw .damaged(pack.reference) }
            throw .storage(error)
        }
        guard Self.isSound(run, bytes.span) else { throw .damaged(pack.reference) }
        do throws(StorageError) {
            if gap > 0 { _ = try staged.append([UInt8](repeating: 0, count: gap)) }
            _ = try staged.append(bytes)
        } catch { throw .storage(error) }
        let shift = end + gap - first.offset
        for (index, item) in run.enumerated() {
            var piece = item.piece
            piece.offset += shift
            if index == 0 { piece.gap = gap }
            pieces[item.id] = piece
        }
        end += gap + range.count
    }

    /// Stores a piece by itself, whatever it was stored as before.
    mutating func add(_ id: ObjectID, _ bytes: [UInt8], isObject: Bool) throws(CopyError) {
        var batch = PieceBatch()
        _ = batch.add(id, bytes.span, hint: StorageHint(suiting: bytes), base: nil)
        do throws(StorageError) {
            let (start, gap) = try staged.append(batch.output, alignment: batch.alignment)
            for (index, entry) in batch.pending.enumerated() {
                var piece = entry.piece
                piece.offset += start
                piece.isObject = isObject
                if index == 0 { piece.gap += gap }
                pieces[entry.id] = piece
            }
            end = start + batch.output.count
        } catch { throw .storage(error) }
    }

    /// Whether every piece has its checksum and every gap is zero; `bytes` begin with the first piece.
    private static func isSound(
        _ run: [(id: ObjectID, piece: PackFooter.Piece)], _ bytes: Span<UInt8>
    ) -> Bool {
        var end = 0
        for (index, item) in run.enumerated() {
            let piece = item.piece
            let start = index == 0 ? 0 : end + piece.gap
            for index in end..<start where bytes[index] != 0 { return false }
            end = start + piece.storedSize
            guard Checksum.of(bytes.extracting(start..<end)) == piece.checksum else { return false }
        }
        return true
    }
}

extension PackFooter.Piece {
    /// Where it ends in its pack.
    package var end: Int { offset + storedSize }
}
