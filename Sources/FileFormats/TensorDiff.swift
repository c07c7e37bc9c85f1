public import Objects

/// A tensor that differs between two files.
public struct TensorChange: Hashable, Sendable {
    /// The name of the tensor.
    public let name: String
    /// The tensor in the first file; nil when it was added.
    public let before: Tensor?
    /// The tensor in the second file; nil when it was removed.
    public let after: Tensor?
    /// `‖after - before‖ / ‖before‖`; nil if shapes or types differ, the type cannot be compared as numbers, the
    /// norm is 0, or a number is not finite.
    public let relativeChange: Double?
    /// The number of NaNs in each tensor.
    public let nan: Counts
    /// The number of infinities in each tensor.
    public let infinite: Counts

    /// A count for each of two tensors; 0 if they were not compared as numbers.
    public struct Counts: Hashable, Sendable {
        /// The count in the first tensor.
        public var before: Int
        /// The count in the second tensor.
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

/// Finds the tensors that differ between two weights files, in the order of the bytes of their names.
///
/// Reads 4 MiB at a time; does not read tensors that are stored as the same pieces.
public struct TensorDiff<Source: ObjectRangeSource> {
    private struct Side {
        let id: ObjectID
        var tensors: ArraySlice<Tensor>

        /// Removes the first tensor if it has this name.
        mutating func pop(_ name: String) -> Tensor? {
            tensors.first?.name.utf8.elementsEqual(name.utf8) == true ? tensors.removeFirst() : nil
        }
    }

    private let source: Source
    private var before: Side
    private var after: Side
    /// The number of tensors so far that are equal in both files.
    public private(set) var unchanged = 0

    /// The number of bytes read at a time; a multiple of every element size.
    private static var readSize: Int { 4 << 20 }

    /// Prepares to compare the file `before` with the file `after`, given the tensors in their headers.
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
        while let name = [before.tensors.first, after.tensors.first].compactMap({ $0?.name }).min(
            by: { $0.utf8.lexicographicallyPrecedes($1.utf8) })
        {
            let (left, right) = (before.pop(name), after.pop(name))
            guard let left, let right else {
                return TensorChange(name: name, before: left, after: right)
            }
            if let change = try compare(left, right) { return change }
            unchanged += 1
        }
        return nil
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
            let count = min(Self.readSize, left.range.count - offset)
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

/// The distance between the numbers of two tensors, summed over parts of them.
struct TensorDistance {
    /// The sum of the squares of the first tensor's numbers.
    private var square = 0.0
    /// The sum of the squares of the differences.
    private var difference = 0.0
    /// The number of NaNs in each tensor.
    private(set) var nan = TensorChange.Counts(before: 0, after: 0)
    /// The number of infinities in each tensor.
    private(set) var infinite = TensorChange.Counts(before: 0, after: 0)

    /// Whether this type can be compared as numbers.
    static func supports(_ type: ElementType) -> Bool {
        switch type {
        case .float4, .float6E2M3, .float6E3M2, .float8E8M0: false
        default: true
        }
    }

    /// Adds a part of both tensors: the same number of whole elements of the same type.
    mutating func add(_ before: Span<UInt8>, _ after: Span<UInt8>, type: ElementType) {
        switch type {
        case .float32, .complex64:
            add(before, after, UInt32.self) { Double(Float(bitPattern: $0)) }
        case .bfloat16:
            add(before, after, UInt16.self) { Double(Float(bitPattern: UInt32($0) << 16)) }
        case .float16: add(before, after, UInt16.self) { Self.half($0) }
        case .float64: add(before, after, UInt64.self) { Double(bitPattern: $0) }
        case .float8E4M3: add(before, after, UInt8.self) { Self.float8E4M3($0) }
        // E5M2 is the upper byte of half precision.
        case .float8E5M2: add(before, after, UInt8.self) { Self.half(UInt16($0) << 8) }
        case .float8E4M3FNUZ:
            add(before, after, UInt8.self) { $0 == 0x80 ? .nan : Self.float8($0, fraction: 3, 8) }
        case .float8E5M2FNUZ:
            add(before, after, UInt8.self) { $0 == 0x80 ? .nan : Self.float8($0, fraction: 2, 16) }
        case .bool, .uint8: add(before, after, UInt8.self) { Double($0) }
        case .int8: add(before, after, Int8.self) { Double($0) }
        case .uint16: add(before, after, UInt16.self) { Double($0) }
        case .int16: add(before, after, Int16.self) { Double($0) }
        case .uint32: add(before, after, UInt32.self) { Double($0) }
        case .int32: add(before, after, Int32.self) { Double($0) }
        case .uint64: add(before, after, UInt64.self) { Double($0) }
        case .int64: add(before, after, Int64.self) { Double($0) }
        case .float4, .float6E2M3, .float6E3M2, .float8E8M0: break
        }
    }

    /// `‖after - before‖ / ‖before‖`; nil if that is not finite, as for a first tensor of zeros.
    var relative: Double? {
        let value = (difference / square).squareRoot()
        return value.isFinite ? value : nil
    }

    @inline(__always)
    private mutating func add<Bits: FixedWidthInteger>(
        _ before: Span<UInt8>, _ after: Span<UInt8>, _: Bits.Type, _ value: (Bits) -> Double
    ) {
        let width = MemoryLayout<Bits>.size
        let count = min(before.count, after.count) / width
        var square = 0.0
        var difference = 0.0
        before.withUnsafeBytes { before in
            after.withUnsafeBytes { after in
                for index in 0..<count {
                    let offset = index * width
                    let left = value(
                        Bits(
                            littleEndian: before.loadUnaligned(
                                fromByteOffset: offset, as: Bits.self)))
                    let right = value(
                        Bits(
                            littleEndian: after.loadUnaligned(fromByteOffset: offset, as: Bits.self)
                        ))
                    if !left.isFinite || !right.isFinite { note(left, right) }
                    square += left * left
                    difference += (right - left) * (right - left)
                }
            }
        }
        self.square += square
        self.difference += difference
    }

    private mutating func note(_ left: Double, _ right: Double) {
        if left.isNaN { nan.before += 1 }
        if right.isNaN { nan.after += 1 }
        if left.isInfinite { infinite.before += 1 }
        if right.isInfinite { infinite.after += 1 }
    }

    /// Decodes IEEE 754 half precision, because not every platform has `Float16`.
    private static func half(_ bits: UInt16) -> Double {
        let exponent = Int(bits >> 10 & 31)
        let fraction = Double(bits & 1023)
        let sign = bits >> 15 == 0 ? 1.0 : -1.0
        switch exponent {
        case 0: return sign * fraction * 0x1p-24
        case 31: return fraction == 0 ? sign * .infinity : .nan
        default:
            return sign
                * Double(sign: .plus, exponent: exponent - 15, significand: 1 + fraction / 1024)
        }
    }

    /// Decodes E4M3 of Micikevicius et al., "FP8 Formats for Deep Learning" (2022): no infinities, one NaN.
    private static func float8E4M3(_ bits: UInt8) -> Double {
        bits & 0x7F == 0x7F ? .nan : float8(bits, fraction: 3, 7)
    }

    /// Decodes an 8-bit floating-point number with a fraction of `width` bits and an exponent biased by `bias`.
    private static func float8(_ bits: UInt8, fraction width: Int, _ bias: Int) -> Double {
        let exponent = Int(bits & 0x7F) >> width
        let steps = Double(1 << width)
        let fraction = Double(Int(bits) & (1 << width - 1))
        let sign = bits >> 7 == 0 ? 1.0 : -1.0
        let (power, significand) =
            exponent == 0 ? (1 - bias, fraction / steps) : (exponent - bias, 1 + fraction / steps)
        return sign * significand * Double(sign: .plus, exponent: power, significand: 1)
    }
}
