/// What a text is embedded as: some embedders treat the two differently.
public enum EmbeddingRole: Sendable {
    /// A passage that is to be found.
    case document
    /// A question that finds passages.
    case query
}

/// Turns text into vectors of one embedding space.
///
/// An implementation must give the same vector for the same text and role, within its space's tolerance,
/// whatever thread calls it and whatever was embedded before.
public protocol Embedder: Sendable {
    /// The space of the vectors.
    var space: EmbeddingSpace { get }

    /// The vector of a text: ``EmbeddingSpace/dimension`` finite numbers.
    func embed(_ text: String, as role: EmbeddingRole) throws(EmbeddingError) -> [Float]

    /// The vectors of some texts, in their order: an embedder that takes many at once does so here.
    ///
    /// - Parameter made: Is told of vectors as soon as they exist, from any thread: the place of the first one's text
    ///   among `texts`, and the vectors. What it was told stays true when others cannot be made.
    func embed(
        _ texts: [String], as role: EmbeddingRole, made: @Sendable (Int, [[Float]]) -> Void
    ) throws(EmbeddingError) -> [[Float]]
}

extension Embedder {
    /// The vectors of some texts, one after the other.
    public func embed(
        _ texts: [String], as role: EmbeddingRole, made: @Sendable (Int, [[Float]]) -> Void
    ) throws(EmbeddingError) -> [[Float]] {
        var vectors: [[Float]] = []
        vectors.reserveCapacity(texts.count)
        for (index, text) in texts.enumerated() {
            let vector = try embed(text, as: role)
            made(index, [vector])
            vectors.append(vector)
        }
        return vectors
    }

    /// The vectors of some texts, in their order.
    public func embed(
        _ texts: [String], as role: EmbeddingRole
    ) throws(EmbeddingError) -> [[Float]] {
        try embed(texts, as: role) { _, _ in }
    }
}
