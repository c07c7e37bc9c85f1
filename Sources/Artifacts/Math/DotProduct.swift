/// Inner products in one fixed order of additions, so that every machine and every number of threads
/// gets the same bits.
public enum DotProduct {
    /// The number of partial sums: element i goes to partial sum i mod 8.
    public static let lanes = 8

    /// The inner product of two vectors of the same length.
    ///
    /// Partial sums are added as ((0+4)+(2+6)) + ((1+5)+(3+7)); elements after the last whole group of
    /// eight are added one by one afterwards.
    @inlinable
    public static func of(_ left: Span<Float>, _ right: Span<Float>) -> Float {
        precondition(left.count == right.count, "vectors of one product have one length")
        return unchecked(left, at: 0, right, at: 0, count: left.count)
    }

    /// The inner product of a vector and the row that starts at `offset` of a row-major matrix.
    @inlinable
    public static func of(_ vector: Span<Float>, row offset: Int, in matrix: Span<Float>) -> Float {
        precondition(
            offset >= 0 && offset + vector.count <= matrix.count, "the row is in the matrix")
        return unchecked(vector, at: 0, matrix, at: offset, count: vector.count)
    }

    // The callers above have checked the bounds: one check per vector instead of two per element.
    @inlinable
    static func unchecked(
        _ left: Span<Float>, at leftOffset: Int, _ right: Span<Float>, at rightOffset: Int,
        count: Int
    ) -> Float {
        let leftBytes = left.bytes
        let rightBytes = right.bytes
        let whole = count & ~(lanes - 1)
        var sums = SIMD8<Float>(repeating: 0)
        var index = 0
        while index < whole {
            let a = leftBytes.unsafeLoadUnaligned(
                fromUncheckedByteOffset: (leftOffset + index) * 4, as: SIMD8<Float>.self)
            let b = rightBytes.unsafeLoadUnaligned(
                fromUncheckedByteOffset: (rightOffset + index) * 4, as: SIMD8<Float>.self)
            sums += a * b
            index += lanes
        }
        let four = sums.lowHalf + sums.highHalf
        let two = four.lowHalf + four.highHalf
        var sum = two[0] + two[1]
        while index < count {
            sum += left[unchecked: leftOffset + index] * right[unchecked: rightOffset + index]
            index += 1
        }
        return sum
    }
}
