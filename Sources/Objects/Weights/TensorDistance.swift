/// How far the numbers of one tensor are from those of another, summed over pieces.
struct TensorDistance {
    /// The sum of the squares of the first tensor's numbers.
    private var square = 0.0
    /// The sum of the squares of the differences.
    private var difference = 0.0

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
                    square += left * left
                    difference += (right - left) * (right - left)
                }
            }
        }
        self.square += square
        self.difference += difference
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
        let exponent = Int(bits >> 3 & 15)
        let fraction = Double(bits & 7)
        let sign = bits >> 7 == 0 ? 1.0 : -1.0
        switch (exponent, bits & 7) {
        case (0, _): return sign * fraction * 0x1p-9
        case (15, 7): return .nan
        default:
            return sign * Double(sign: .plus, exponent: exponent - 7, significand: 1 + fraction / 8)
        }
    }
}
