/// Encoded pieces that wait to be appended to the pack in one write.
package struct PieceBatch {
    /// Appends smaller than this cost more than they move.
    package static let flushSize = 1 << 20

    /// A piece at an offset that counts from the beginning of the batch.
    struct Pending {
        let id: ObjectID
        var piece: PackFooter.Piece
    }

    private let coder = PieceCoder()
    private(set) var output: [UInt8] = []
    private(set) var pending: [Pending] = []
    /// The batch must begin at a multiple of this in the pack.
    private(set) var alignment = 1

    var isFull: Bool { output.count >= Self.flushSize }

    /// Encodes a piece and says how it is stored.
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
        pending.append(
            Pending(
                id: id,
                piece: PackFooter.Piece(
                    offset: offset, storedSize: output.count - offset, size: bytes.count,
                    codec: codec, isObject: false, gap: gap,
                    checksum: Checksum.of(output.span.extracting(offset..<output.count)))))
        return codec
    }

    mutating func clear() {
        output.removeAll(keepingCapacity: true)
        pending.removeAll(keepingCapacity: true)
        alignment = 1
    }
}
