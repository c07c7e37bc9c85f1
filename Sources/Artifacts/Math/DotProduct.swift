internal import CKernels

/// Inner products with a fixed order of additions: every machine and every number of threads gets the same bits.
///
/// No operation is fused. Element i goes to partial sum i mod 8; the partial sums are added as ((0+4)+(2+6)) +
/// ((1+5)+(3+7)); elements after the last whole group of eight are then added one by one.
public enum DotProduct {
    /// The inner product of two vectors of equal length.
    public static func of(_ left: Span<Float>, _ right: Span<Float>) -> Float {
        precondition(left.count == right.count, "vectors of one product have one length")
        return left.withUnsafeBufferPointer { left in
            right.withUnsafeBufferPointer { right in
                guard let first = left.baseAddress, let second = right.baseAddress else { return 0 }
                return fti_dot(first, second, left.count)
            }
        }
    }

    /// The inner product of a vector and the row at `offset` of a row-major matrix.
    public static func of(_ vector: Span<Float>, row offset: Int, in matrix: Span<Float>) -> Float {
        precondition(
            offset >= 0 && offset + vector.count <= matrix.count, "the row is in the matrix")
        return of(vector, matrix.extracting(offset..<offset + vector.count))
    }
}
