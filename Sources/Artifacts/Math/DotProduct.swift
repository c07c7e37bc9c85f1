internal import CKernels

/// Inner products in one fixed order of additions, so that every machine and every number of threads
/// gets the same bits.
///
/// Nothing is fused. Element i goes to partial sum i mod 8; partial sums are added as
/// ((0+4)+(2+6)) + ((1+5)+(3+7)); elements after the last whole group of eight are added one by one
/// afterwards.
public enum DotProduct {
    /// The inner product of two vectors of the same length.
    public static func of(_ left: Span<Float>, _ right: Span<Float>) -> Float {
        precondition(left.count == right.count, "vectors of one product have one length")
        return left.withUnsafeBufferPointer { left in
            right.withUnsafeBufferPointer { right in
                guard let first = left.baseAddress, let second = right.baseAddress else { return 0 }
                return fti_dot(first, second, left.count)
            }
        }
    }

    /// The inner product of a vector and the row that starts at `offset` of a row-major matrix.
    public static func of(_ vector: Span<Float>, row offset: Int, in matrix: Span<Float>) -> Float {
        precondition(
            offset >= 0 && offset + vector.count <= matrix.count, "the row is in the matrix")
        return of(vector, matrix.extracting(offset..<offset + vector.count))
    }
}
