/// Encoded chunks of one thread that wait to be appended to the pack in one write.
///
/// Moves from thread to thread through a pool; used by one at a time.
final class ChunkBatch: @unchecked Sendable {
    // Sound because a batch is taken out of its pool before use and put back after it.

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

    func add(
        _ id: ObjectID, _ bytes: Span<UInt8>, hint: StorageHint, base: ChunkCoder.Base?,
        isObject: Bool
    ) {
        let offset = output.count
        let codec = coder.encode(bytes, hint: hint, base: base, to: &output)
        pending.append(
            Pending(
                id: id,
                chunk: PackFooter.Chunk(
                    offset: offset, storedSize: output.count - offset, size: bytes.count,
                    codec: codec, isObject: isObject)))
    }

    func decode(
        _ stored: [UInt8], codec: Codec, size: Int, base: [UInt8]?
    ) throws(CodecError) -> [UInt8] {
        try coder.decode(stored, codec: codec, size: size, base: base)
    }

    func clear() {
        output.removeAll(keepingCapacity: true)
        pending.removeAll(keepingCapacity: true)
    }
}
