/// Encoded chunks that wait to be appended to the pack in one write.
struct ChunkBatch {
    /// Appends smaller than this cost more than they move.
    static let flushSize = 1 << 20

    /// A chunk at an offset that counts from the beginning of the batch.
    struct Pending {
        let id: ObjectID
        var chunk: PackFooter.Chunk
    }

    private let coder = ChunkCoder()
    private(set) var output: [UInt8] = []
    private(set) var pending: [Pending] = []

    var isFull: Bool { output.count >= Self.flushSize }

    /// Encodes a chunk and says how it is stored.
    mutating func add(
        _ id: ObjectID, _ bytes: Span<UInt8>, hint: StorageHint, base: ChunkCoder.Base?
    ) -> Codec {
        let offset = output.count
        let codec = coder.encode(bytes, hint: hint, base: base, to: &output)
        pending.append(
            Pending(
                id: id,
                chunk: PackFooter.Chunk(
                    offset: offset, storedSize: output.count - offset, size: bytes.count,
                    codec: codec, isObject: false,
                    checksum: Checksum.of(output.span.extracting(offset..<output.count)))))
        return codec
    }

    mutating func clear() {
        output.removeAll(keepingCapacity: true)
        pending.removeAll(keepingCapacity: true)
    }
}
