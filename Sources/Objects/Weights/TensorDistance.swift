/// How far the numbers of one tensor are from those of another, summed over pieces.
struct TensorDistance {
    /// The sum of the squares of the first tensor's numbers.
    private var square = 0.0
    /// The sum of the squares of the differences.
    private var difference = 0.0
    /// How many numbers of each tensor are NaN.
    private(set) var nan = TensorChange.Counts(before: 0, after: 0)
    /// How many numbers of each tensor are infinite.
    private(set) var infinite = TensorChange.Counts(before: 0, after: 0)

    /// Whether numbers of this type can be compared.
    static func supports(_ type: ElementType) -> Bool {
        switch type {
        case .float4, .float6E2M3, .float6E3M2, .float8E8M0: false
        default: true
        }
    }

    /// Adds a piece of both tensors: the same whole number of elements of the same type.
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

    /// `‖after - before‖ / ‖before‖`; nil where it is not a number, as after a tensor of zeros.
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

    /// IEEE 754 half precision; spelled out because not every platform has `Float16`.
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

    /// Micikevicius et al., "FP8 Formats for Deep Learning" (2022): no infinity, one NaN.
    private static func float8E4M3(_ bits: UInt8) -> Double {
        bits & 0x7F == 0x7F ? .nan : float8(bits, fraction: 3, 7)
    }

    /// A number of eight bits, of which so many are its fraction, whose exponent is that much too large.
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
