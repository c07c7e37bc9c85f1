/// Vectors where they lie.
protocol VectorRows: Sendable {
    /// The inner product of a vector and a query, as ``DotProduct`` computes it.
    func product(_ row: Int, with query: Span<Float>) -> Float
    /// A copy of a vector.
    func vector(_ row: Int) -> [Float]
}

/// Vectors in one array, row by row.
struct MatrixRows: VectorRows {
    let dimension: Int
    let values: [Float]

    func product(_ row: Int, with query: Span<Float>) -> Float {
        DotProduct.of(query, row: row * dimension, in: values.span)
    }

    func vector(_ row: Int) -> [Float] {
        Array(values[row * dimension..<(row + 1) * dimension])
    }
}
