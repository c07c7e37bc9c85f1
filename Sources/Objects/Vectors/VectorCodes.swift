#if !_endian(little)
    #error("vectors and their codes are little-endian numbers that are used in place")
#endif

internal import CKernels

/// The search codes of vectors: one byte for each element, with bounds on the distance between code and vector.
///
/// Codes are a pure function of the vectors and have the same bytes on every machine, so they are stored beside the
/// vectors and shared like them. For a vector v of n finite numbers, with all arithmetic correctly rounded:
///
/// - the scale is max|v| / 127 in fp32, and 0 where max|v| is below 2^-100;
/// - code i is v[i] x (127 / max|v|), in fp32, rounded to the nearest integer, ties to even; 0 where the
///   scale is 0;
/// - the residual is at least |v - scale x codes|, and the norm is at least |v|. Both are sums of squares in fp64, in
///   eight partial sums (element i goes to sum i mod 8) that are added as ((0+4)+(2+6)) + ((1+5)+(3+7)); the root is
///   multiplied by 1 + 2^-38 and rounded up to fp32.
///
/// A vector with a number that is not finite, or with a norm of 2^63 or more, has codes and scale 0, and infinity as
/// residual and norm: its products may overflow, so no bound holds for them.
///
/// Stored form, little-endian: scales fp32[rows] | residuals fp32[rows] | norms fp32[rows] | zeros to a
/// multiple of 64 | codes i8[rows, stride], where the stride is the dimension rounded up to a multiple of
/// 64 and the codes after the last number are 0.
public struct VectorCodes: Sendable {
    /// The number of vectors.
    public let rows: Int
    /// The number of elements in a vector.
    public let dimension: Int

    /// Describes the codes of `rows` vectors of `dimension` numbers.
    public init(rows: Int, dimension: Int) {
        precondition(rows >= 0 && dimension >= 0, "counts are not negative")
        self.rows = rows
        self.dimension = dimension
    }

    /// The number of bytes from one row's codes to the next row's.
    public var stride: Int { Self.stride(dimension) }
    /// The offset of the residuals in the stored form; the scales begin at 0.
    public var residualsAt: Int { 4 * rows }
    /// The offset of the norms in the stored form.
    public var normsAt: Int { 8 * rows }
    /// The offset of the codes in the stored form: a multiple of 64.
    public var codesAt: Int { (12 * rows + 63) & ~63 }
    /// The number of bytes of the stored form.
    public var byteCount: Int { codesAt + rows * stride }

    /// The number of bytes of one row's codes: the dimension rounded up to a multiple of 64.
    public static func stride(_ dimension: Int) -> Int { (dimension + 63) & ~63 }

    /// Appends the stored form to `bytes`.
    ///
    /// - Parameter vectors: fp32[rows, dimension], row-major, little-endian.
    public func append(of vectors: Span<UInt8>, to bytes: inout [UInt8]) {
        precondition(vectors.count == 4 * rows * dimension, "vectors are whole")
        let start = bytes.count
        bytes.append(contentsOf: repeatElement(0, count: byteCount))
        vectors.withUnsafeBytes { vectors in
            bytes.withUnsafeMutableBytes { bytes in
                guard let vectors = vectors.baseAddress, let base = bytes.baseAddress else {
                    return
                }
                let scales = base + start
                fti_code_vectors(
                    vectors, rows, dimension, stride, scales, scales + residualsAt,
                    scales + normsAt, (scales + codesAt).assumingMemoryBound(to: Int8.self))
            }
        }
    }

    /// Returns the stored form.
    ///
    /// - Parameter vectors: fp32[rows, dimension], row-major, little-endian.
    public func encoded(of vectors: Span<UInt8>) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(byteCount)
        append(of: vectors, to: &bytes)
        return bytes
    }
}
