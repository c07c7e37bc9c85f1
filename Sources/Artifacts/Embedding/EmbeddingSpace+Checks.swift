internal import Objects

extension EmbeddingSpace {
    /// Insists that an embedder reproduces the canaries of this space.
    ///
    /// - Throws: `canaryDiffers`, or what the embedder throws.
    public func check(_ embedder: some Embedder) throws(EmbeddingError) {
        try check(try embedder.embed(canaries.map(\.text), as: .document))
    }

    /// Insists that vectors are those of the canaries, in their order.
    ///
    /// - Throws: `canaryDiffers`.
    public func check(_ vectors: [[Float]]) throws(EmbeddingError) {
        guard let (canary, difference) = firstDifference(from: vectors) else { return }
        throw .canaryDiffers(
            space: id, canary: canary, difference: difference, tolerance: tolerance)
    }

    /// The first canary whose vector is another, and the greatest difference of one of its numbers: infinite
    /// where the vectors cannot be compared.
    public func firstDifference(from vectors: [[Float]]) -> (canary: Int, difference: Double)? {
        for (index, canary) in canaries.enumerated() {
            let vector = index < vectors.count ? vectors[index] : []
            var difference = vector.count == canary.vector.count ? 0 : Double.infinity
            for (actual, expected) in zip(vector, canary.vector) {
                let distance = (Double(actual) - expected).magnitude
                difference = distance.isNaN ? .infinity : max(difference, distance)
            }
            if difference > tolerance { return (index, difference) }
        }
        return nil
    }

    /// In what another space is not this one, in words; empty when they are the same space.
    public func differences(from other: EmbeddingSpace) -> [String] {
        var result = declaredDifferences(from: other)
        if canaries != other.canaries { result.append("canaries") }
        return result
    }

    /// In what the descriptions of two embedders differ, their canaries left aside.
    public func declaredDifferences(from other: EmbeddingSpace) -> [String] {
        func quoted(_ text: String) -> String { text.isEmpty ? "none" : text }
        let texts = [
            ("embedder", embedder, other.embedder), ("version", version, other.version),
            ("pooling", pooling, other.pooling),
            ("normalization", normalization, other.normalization),
            ("query prefix", queryPrefix, other.queryPrefix),
            ("document prefix", documentPrefix, other.documentPrefix),
            ("request", request.text, other.request.text),
            ("dimension", "\(dimension)", "\(other.dimension)"),
            ("element type", elementType, other.elementType),
            ("tolerance", "\(tolerance)", "\(other.tolerance)"),
        ].filter { !$0.1.utf8.elementsEqual($0.2.utf8) }
        let digests = [
            ("weights", weights, other.weights), ("tokenizer", tokenizer, other.tokenizer),
        ].filter { $0.1 != $0.2 }
        return digests.map { "\($0.0) \($0.1.short), not \($0.2.short)" }
            + texts.map { "\($0.0) \(quoted($0.1)), not \(quoted($0.2))" }
    }

    /// The embedder of this program that makes vectors of this space, its canaries checked.
    ///
    /// Everything that the space says of its embedder must be so: an embedder that differs in its tokenizer alone
    /// is another, whatever its canaries look like.
    ///
    /// - Throws: `unavailable` when there is none, `embedderDiffers` and `canaryDiffers` when it is not what it
    ///   claims.
    public func availableEmbedder() throws(EmbeddingError) -> any Embedder {
        guard embedder.utf8.elementsEqual(BuiltinEmbedder.name.utf8),
            version.utf8.elementsEqual(BuiltinEmbedder.version.utf8),
            BuiltinEmbedder.dimensions.contains(dimension), dimension.isMultiple(of: 8)
        else { throw .unavailable(space: id, embedder: embedder, version: version) }
        let builtin = try BuiltinEmbedder(dimension: dimension)
        let differences = declaredDifferences(from: builtin.space)
        guard differences.isEmpty else {
            throw .embedderDiffers(space: id, differences: differences)
        }
        try check(builtin)
        guard builtin.space.id == id else {
            throw .embedderDiffers(space: id, differences: ["canaries"])
        }
        return builtin
    }
}
