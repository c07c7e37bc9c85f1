public import Objects

/// The model that training makes: it scores how well a row answers a question by a weighted sum of
/// signals that a person can read.
public struct Ranker: Hashable, Sendable {
    /// The weight of each signal, in the order of ``Signal``, after scaling.
    public var weights: [Float]
    /// What each signal is multiplied by first, so that weights compare: 1 / its standard deviation.
    public var scale: [Float]
    /// The weights that preference training started from, and measured its own by.
    public var reference: [Float]?
    /// The embedding space of the vectors that it compares.
    public var space: ObjectID
    /// How rows are found that it ranks.
    public var retrieval: RetrievalSettings
    /// When the best of them answers a question.
    public var answering: AnsweringRule

    /// Makes a ranker.
    public init(
        weights: [Float], scale: [Float], reference: [Float]? = nil, space: ObjectID,
        retrieval: RetrievalSettings = RetrievalSettings(),
        answering: AnsweringRule
    ) {
        self.weights = weights
        self.scale = scale
        self.reference = reference
        self.space = space
        self.retrieval = retrieval
        self.answering = answering
    }

    /// How sharply the scores of the untrained rule tell candidates apart, as logarithms of odds: a tenth of the greatest
    /// lexical score is worth 4.
    private static let sharpness: Float = 40

    /// The ranker before any training: the lexical score, the share of the question in title and outer headings, and the cosines of the row and of its document.
    ///
    /// Words lead where the built-in embedder made the vectors, which knows nothing but words; where another did, both count
    /// (`docs/training.md` says how the weights were chosen).
    ///
    /// - Parameter scale: What signals are multiplied by; the scores do not depend on it.
    public static func untrained(
        for space: EmbeddingSpace, scale: [Float]? = nil,
        retrieval: RetrievalSettings = RetrievalSettings()
    ) -> Ranker {
        let scale = scale ?? [Float](repeating: 1, count: Signal.allCases.count)
        var weights = [Float](repeating: 0, count: scale.count)
        func set(_ signal: Signal, _ weight: Float) {
            let factor = scale[signal.index]
            weights[signal.index] = factor > 0 ? Self.sharpness * weight / factor : 0
        }
        if retrieval.mode != .vector {
            set(.words, 1)
            set(.title, 0.15)
        }
        if retrieval.mode != .lexical {
            set(.vector, space.isBuiltin ? 0.01 : 0.4)
            set(.document, space.isBuiltin ? 0 : 0.4)
        }
        return Ranker(
            weights: weights, scale: scale, space: space.id, retrieval: retrieval,
            answering: AnsweringRule(isLexical: space.isBuiltin))
    }

    /// The factors that signals are multiplied by: weight times scale, in double precision.
    public var factors: [Double] { zip(weights, scale).map { Double($0) * Double($1) } }

    /// The same ranker with other settings; where candidates come from elsewhere than it was made for, the untrained rule.
    public func with(_ settings: RetrievalSettings, space: EmbeddingSpace) -> Ranker {
        guard settings.mode == retrieval.mode else {
            var other = Ranker.untrained(for: space, retrieval: settings)
            other.answering = answering
            return other
        }
        var other = self
        other.retrieval = settings
        return other
    }
}
