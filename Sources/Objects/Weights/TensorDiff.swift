/// A tensor that two files do not share.
public struct TensorChange: Hashable, Sendable {
    /// The name of the tensor.
    public let name: String
    /// The tensor in the first file; nil when it was added.
    public let before: Tensor?
    /// The tensor in the second file; nil when it was removed.
    public let after: Tensor?
    /// `‖after - before‖ / ‖before‖`; nil where shapes or types differ, or the norm is 0 or not finite.
    public let relativeChange: Double?
}

/// The tensors that differ between two weights files, in the order of their names' bytes.
///
/// Reads 4 MiB at a time, and nothing of tensors that are stored as the same pieces.
public struct TensorDiff<Source: ObjectRangeSource> {
    private struct Side {
        let id: ObjectID
        var tensors: ArraySlice<Tensor>
    }

    private let source: Source
    private var before: Side
    private var after: Side
    /// Tensors that both files have with the same numbers, so far.
    public private(set) var unchanged = 0

    /// A whole number of elements of every type.
    private static var pieceSize: Int { 4 << 20 }

    /// Compares the file `before` with the file `after`, whose headers were read already.
    public init(
        before: ObjectID, _ beforeHeader: Safetensors, after: ObjectID, _ afterHeader: Safetensors,
        in source: Source
    ) {
        self.source = source
        self.before = Side(id: before, tensors: Self.sorted(beforeHeader.tensors))
        self.after = Side(id: after, tensors: Self.sorted(afterHeader.tensors))
    }

    private static func sorted(_ tensors: [Tensor]) -> ArraySlice<Tensor> {
        tensors.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }[...]
    }

    /// The next difference, or nil at the end.
    public mutating func next() throws(ObjectError) -> TensorChange? {
        while true {
            switch (before.tensors.first, after.tensors.first) {
            case (nil, nil): return nil
            case (let left?, nil): return removed(left)
            case (nil, let right?): return added(right)
            case (let left?, let right?):
                if left.name.utf8.elementsEqual(right.name.utf8) {
                    before.tensors.removeFirst()
                    after.tensors.removeFirst()
                    if let change = try compare(left, right) { return change }
                    unchanged += 1
                } else if left.name.utf8.lexicographicallyPrecedes(right.name.utf8) {
                    return removed(left)
                } else {
                    return added(right)
                }
            }
        }
    }

    private mutating func removed(_ tensor: Tensor) -> TensorChange {
        before.tensors.removeFirst()
        return TensorChange(name: tensor.name, before: tensor, after: nil, relativeChange: nil)
    }

    private mutating func added(_ tensor: Tensor) -> TensorChange {
        after.tensors.removeFirst()
        return TensorChange(name: tensor.name, before: nil, after: tensor, relativeChange: nil)
    }

    private func compare(_ left: Tensor, _ right: Tensor) throws(ObjectError) -> TensorChange? {
        guard left.type == right.type, left.shape == right.shape else {
            return TensorChange(name: left.name, before: left, after: right, relativeChange: nil)
        }
        if let leftPieces = try source.pieces(of: before.id, in: left.range),
            let rightPieces = try source.pieces(of: after.id, in: right.range),
            leftPieces == rightPieces
        {
            return nil
        }
        var distance = TensorDistance()
        var isChanged = false
        var offset = 0
        while offset < left.range.count {
            let count = min(Self.pieceSize, left.range.count - offset)
            let leftBytes = try source.read(
                before.id, offset: left.range.lowerBound + offset, count: count)
            let rightBytes = try source.read(
                after.id, offset: right.range.lowerBound + offset, count: count)
            if leftBytes != rightBytes { isChanged = true }
            distance.add(leftBytes.span, rightBytes.span, type: left.type)
            offset += count
        }
        guard isChanged else { return nil }
        return TensorChange(
            name: left.name, before: left, after: right,
            relativeChange: TensorDistance.supports(left.type) ? distance.relative : nil)
    }
}
