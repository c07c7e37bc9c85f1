internal import Objects

/// Vectors where they lie.
protocol VectorRows: Sendable {
    /// The inner product of a vector and a query, as ``DotProduct`` computes it.
    ///
    /// - Throws: What reading it throws.
    func product(_ row: Int, with query: [Float]) throws(ObjectError) -> Float
    /// A copy of a vector.
    func vector(_ row: Int) throws(ObjectError) -> [Float]
}

/// Vectors in one array, row by row.
struct MatrixRows: VectorRows {
    let dimension: Int
    let values: [Float]

    func product(_ row: Int, with query: [Float]) -> Float {
        DotProduct.of(query.span, row: row * dimension, in: values.span)
    }

    func vector(_ row: Int) -> [Float] {
        Array(values[row * dimension..<(row + 1) * dimension])
    }
}
