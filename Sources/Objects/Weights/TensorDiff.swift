/// A tensor that two files do not share.
public struct TensorChange: Hashable, Sendable {
    /// The name of the tensor.
    public let name: String
    /// The tensor in the first file; nil when it was added.
    public let before: Tensor?
    /// The tensor in the second file; nil when it was removed.
    public let after: Tensor?
    /// `‖after - before‖ / ‖before‖`; nil where shapes or types differ, the numbers of the type cannot be read, the
    /// norm is 0, or a number is not finite.
    public let relativeChange: Double?
    /// How many numbers are NaN.
    public let nan: Counts
    /// How many numbers are infinite.
    public let infinite: Counts

    /// How many numbers of the two tensors are of some sort; 0 where they were not compared as numbers.
    public struct Counts: Hashable, Sendable {
        /// Of the first tensor.
        public var before: Int
        /// Of the second tensor.
        public var after: Int
    }

    init(name: String, before: Tensor?, after: Tensor?, distance: TensorDistance? = nil) {
        self.name = name
        self.before = before
        self.after = after
        relativeChange = distance?.relative
        nan = distance?.nan ?? Counts(before: 0, after: 0)
        infinite = distance?.infinite ?? Counts(before: 0, after: 0)
    }
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
        before: ObjectID, _ beforeTensors: [Tensor], after: ObjectID, _ afterTensors: [Tensor],
        in source: Source
    ) {
        self.source = source
        self.before = Side(id: before, tensors: Self.sorted(beforeTensors))
        self.after = Side(id: after, tensors: Self.sorted(afterTensors))
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
        return TensorChange(name: tensor.name, before: tensor, after: nil)
    }

    private mutating func added(_ tensor: Tensor) -> TensorChange {
        after.tensors.removeFirst()
        return TensorChange(name: tensor.name, before: nil, after: tensor)
    }

    private func compare(_ left: Tensor, _ right: Tensor) throws(ObjectError) -> TensorChange? {
        guard left.dtype == right.dtype, left.shape == right.shape,
            left.range.count == right.range.count
        else { return TensorChange(name: left.name, before: left, after: right) }
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
            if let type = left.type {
                distance.add(leftBytes.span, rightBytes.span, type: type)
            }
            offset += count
        }
        guard isChanged else { return nil }
        return TensorChange(
            name: left.name, before: left, after: right,
            distance: left.type.map(TensorDistance.supports) == true ? distance : nil)
    }
}
