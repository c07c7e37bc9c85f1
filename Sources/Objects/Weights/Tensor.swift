/// One tensor of a file: its type and shape, and the range of its numbers.
public struct Tensor: Hashable, Sendable {
    /// The name; its UTF-8 bytes are unique in a safetensors file.
    public let name: String
    /// The type of the numbers, as the file names it.
    public let dtype: String
    /// The type of the numbers; nil for a type that can only be compared as bytes.
    public let type: ElementType?
    /// The extent of each dimension, in the order of the file; empty for a single number.
    public let shape: [Int]
    /// The range of the numbers in the file, in bytes.
    public let range: Range<Int>

    /// The number of elements; `Int.max` if it is larger.
    public var elements: Int {
        guard !shape.contains(0) else { return 0 }
        return shape.reduce(1) { product, extent in
            let (result, overflow) = product.multipliedReportingOverflow(by: extent)
            return overflow ? .max : result
        }
    }

    /// The shape as Python prints it, such as `[2, 3]`.
    public var shapeDescription: String { "[\(shape.map(String.init).joined(separator: ", "))]" }
}

/// The type of the numbers in a tensor, with the name that safetensors uses.
public enum ElementType: String, Sendable, CaseIterable {
    /// A truth value in a byte.
    case bool = "BOOL"
    /// 4-bit floating point (OCP MX).
    case float4 = "F4"
    /// 6-bit floating point with 2 exponent bits (OCP MX).
    case float6E2M3 = "F6_E2M3"
    /// 6-bit floating point with 3 exponent bits (OCP MX).
    case float6E3M2 = "F6_E3M2"
    /// Unsigned byte.
    case uint8 = "U8"
    /// Signed byte.
    case int8 = "I8"
    /// 8-bit floating point with 5 exponent bits.
    case float8E5M2 = "F8_E5M2"
    /// 8-bit floating point with 4 exponent bits.
    case float8E4M3 = "F8_E4M3"
    /// 8-bit floating point with 5 exponent bits, without infinities or negative zero.
    case float8E5M2FNUZ = "F8_E5M2FNUZ"
    /// 8-bit floating point with 4 exponent bits, without infinities or negative zero.
    case float8E4M3FNUZ = "F8_E4M3FNUZ"
    /// An 8-bit power of two (OCP MX scale).
    case float8E8M0 = "F8_E8M0"
    /// Signed 16-bit integer.
    case int16 = "I16"
    /// Unsigned 16-bit integer.
    case uint16 = "U16"
    /// IEEE 754 half precision.
    case float16 = "F16"
    /// The upper half of IEEE 754 single precision.
    case bfloat16 = "BF16"
    /// Signed 32-bit integer.
    case int32 = "I32"
    /// Unsigned 32-bit integer.
    case uint32 = "U32"
    /// IEEE 754 single precision.
    case float32 = "F32"
    /// A complex number of two single-precision numbers.
    case complex64 = "C64"
    /// IEEE 754 double precision.
    case float64 = "F64"
    /// Signed 64-bit integer.
    case int64 = "I64"
    /// Unsigned 64-bit integer.
    case uint64 = "U64"

    /// The size of one element in bits.
    public var bitWidth: Int {
        switch self {
        case .float4: 4
        case .float6E2M3, .float6E3M2: 6
        case .bool, .uint8, .int8, .float8E5M2, .float8E4M3, .float8E5M2FNUZ,
            .float8E4M3FNUZ, .float8E8M0:
            8
        case .int16, .uint16, .float16, .bfloat16: 16
        case .int32, .uint32, .float32: 32
        case .complex64, .float64, .int64, .uint64: 64
        }
    }
}
