/// A row and its inner product with a query.
public struct VectorMatch: Hashable, Sendable {
    /// The index of the row.
    public let row: Int
    /// The inner product; the cosine where vectors have length 1.
    public let similarity: Float

    /// Makes a match; what is no number gets a place in the order: the last.
    public init(row: Int, similarity: Float) {
        self.row = row
        self.similarity = similarity.isNaN ? -.infinity : similarity
    }

    /// Whether this match comes before another: the greater similarity, then the lower row.
    public func precedes(_ other: VectorMatch) -> Bool {
        similarity != other.similarity ? similarity > other.similarity : row < other.row
    }
}
