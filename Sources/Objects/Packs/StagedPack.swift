internal import Storage

/// A pack that is being written: a staged blob that begins with the magic of packs.
struct StagedPack: Sendable {
    let blob: any StagedBlob

    init(in bucket: any Bucket) throws(ObjectError) {
        blob = try inStorage(bucket.stage(in: .packs))
        try inStorage(blob.append(PackFooter.packMagic))
    }

    /// Appends the pieces of a batch; returns their index entries, and the number of bytes appended.
    func append(
        _ batch: PieceBatch
    ) throws(ObjectError) -> (entries: [(id: ObjectID, piece: PackFooter.Piece)], count: Int) {
        let (start, gap) = try inStorage(
            blob.append(batch.output, alignment: batch.alignment))
        return (batch.entries(at: start, gap: gap), gap + batch.output.count)
    }

    /// Appends the index and publishes the pack, durably; returns what the log must record.
    func publish(
        pieces: [ObjectID: PackFooter.Piece], recipes: [ObjectID: PackFooter.Recipe]
    ) throws(ObjectError) -> PackReference {
        let footer = PackFooter.encode(
            pieces: pieces, recipes: recipes,
            nonce: try inStorage(randomBytes(PackFooter.nonceSize)))
        let offset = try inStorage(blob.append(footer))
        let reference = PackReference(
            name: ObjectID(of: footer.span), size: offset + footer.count, indexOffset: offset)
        try inStorage(blob.publish(as: reference.blobName))
        return reference
    }
}

/// The first `size` bytes of a staged blob. They stay readable when the published file is removed.
struct StagedBytes: Blob {
    let staged: any StagedBlob
    let size: Int

    func read(at offset: Int, count: Int) throws(StorageError) -> [UInt8] {
        try staged.read(at: offset, count: count)
    }
}

/// Encoded pieces that are appended to a pack in one write.
package struct PieceBatch {
    /// The size at which a batch is full, in bytes: in much smaller appends, the calls would cost more than the bytes.
    package static let flushSize = 1 << 20

    private let coder = PieceCoder()
    private(set) var output: [UInt8] = []
    /// The pieces, with offsets from the beginning of the batch.
    private var pending: [(id: ObjectID, piece: PackFooter.Piece)] = []
    /// The batch must begin at a multiple of this in the pack.
    private(set) var alignment = 1

    var isEmpty: Bool { pending.isEmpty }
    var isFull: Bool { output.count >= Self.flushSize }

    /// Encodes a piece; returns the codec.
    mutating func add(
        _ id: ObjectID, _ bytes: Span<UInt8>, hint: StorageHint, base: PieceCoder.Base?
    ) -> Codec {
        let end = output.count
        var gap = 0
        if case .leaf = hint {
            gap = LeafBlocks.aligned(end) - end
            output.append(contentsOf: repeatElement(0, count: gap))
        }
        let codec = coder.encode(bytes, hint: hint, base: base, to: &output)
        if codec == .leaf {
            alignment = PackFooter.alignment
        } else if gap > 0 {
            output.removeSubrange(end..<end + gap)
            gap = 0
        }
        let offset = end + gap
        let checksum = Checksum.of(output.span.extracting(offset..<output.count))
        pending.append(
            (
                id,
                PackFooter.Piece(
                    offset: offset, storedSize: output.count - offset, size: bytes.count,
                    codec: codec, isObject: false, gap: gap, checksum: checksum)
            ))
        return codec
    }

    /// The index entries of the batch in a pack: the batch begins at `start`, after `gap` bytes of padding.
    fileprivate func entries(at start: Int, gap: Int) -> [(id: ObjectID, piece: PackFooter.Piece)] {
        pending.enumerated().map { index, entry in
            var piece = entry.piece
            piece.offset += start
            if index == 0 { piece.gap += gap }
            return (entry.id, piece)
        }
    }

    mutating func clear() {
        output.removeAll(keepingCapacity: true)
        pending.removeAll(keepingCapacity: true)
        alignment = 1
    }
}
