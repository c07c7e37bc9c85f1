internal import Storage

/// Copies chunks of packs, as they are stored, into a pack that is being written: those that lie side by side in one
/// go. They are read and not mapped: a disk that fails must not end whoever merges packs.
struct PackCopy {
    /// The most bytes that are moved in one go, or little more: enough that calls cost nothing.
    static let runSize = 4 << 20

    private let staged: any StagedBlob
    /// Where the next bytes will be.
    private(set) var end = PackFooter.packMagic.count
    /// The chunks that were copied.
    private(set) var chunks: [ObjectID: PackFooter.Chunk] = [:]

    /// Copies to a blob that holds nothing but the magic of packs.
    init(to staged: any StagedBlob) { self.staged = staged }

    /// Copies chunks that follow one another in a pack, with nothing but their gaps between them.
    ///
    /// The checksum of every one is verified on the way, so that damage never moves into a pack that looks new.
    mutating func add(
        _ run: [(id: ObjectID, chunk: PackFooter.Chunk)], of pack: OpenPack
    ) throws(CopyError) {
        guard let first = run.first?.chunk, let last = run.last?.chunk else { return }
        let range = first.offset..<last.end
        // What is used in place stays where it is between two multiples of the alignment.
        let isAligned = run.contains { $0.chunk.codec == .leaf }
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
            var chunk = item.chunk
            chunk.offset += shift
            if index == 0 { chunk.gap = gap }
            chunks[item.id] = chunk
        }
        end += gap + range.count
    }

    /// Stores a chunk by itself, whatever it was stored as before.
    mutating func add(_ id: ObjectID, _ bytes: [UInt8], isObject: Bool) throws(CopyError) {
        var batch = ChunkBatch()
        _ = batch.add(id, bytes.span, hint: StorageHint(suiting: bytes), base: nil)
        do throws(StorageError) {
            let (start, gap) = try staged.append(batch.output, alignment: batch.alignment)
            for (index, entry) in batch.pending.enumerated() {
                var chunk = entry.chunk
                chunk.offset += start
                chunk.isObject = isObject
                if index == 0 { chunk.gap += gap }
                chunks[entry.id] = chunk
            }
            end = start + batch.output.count
        } catch { throw .storage(error) }
    }

    /// Whether every chunk has its checksum and every gap is zero; `bytes` begin with the first chunk.
    private static func isSound(
        _ run: [(id: ObjectID, chunk: PackFooter.Chunk)], _ bytes: Span<UInt8>
    ) -> Bool {
        var end = 0
        for (index, item) in run.enumerated() {
            let chunk = item.chunk
            let start = index == 0 ? 0 : end + chunk.gap
            for index in end..<start where bytes[index] != 0 { return false }
            end = start + chunk.storedSize
            guard Checksum.of(bytes.extracting(start..<end)) == chunk.checksum else { return false }
        }
        return true
    }
}

extension PackFooter.Chunk {
    /// Where it ends in its pack.
    package var end: Int { offset + storedSize }
}
