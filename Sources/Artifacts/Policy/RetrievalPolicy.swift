public import Objects

/// The model that training makes: it scores how well a row answers a question by a weighted sum of
/// features that a person can read.
public struct RetrievalPolicy: Hashable, Sendable {
    /// The weight of each feature, in the order of ``PolicyFeature``, after scaling.
    public var weights: [Float]
    /// What each feature is multiplied by first, so that weights compare: 1 / its standard deviation.
    public var scale: [Float]
    /// The weights that preference training started from, and measured its own by.
    public var reference: [Float]?
    /// How rare words are.
    public var statistics: LexicalStatistics
    /// The embedding space of the vectors that it compares.
    public var space: ObjectID
    /// How many rows, the nearest by cosine, it scores.
    public var candidates: Int

    /// How many rows are scored unless a model says otherwise.
    public static let defaultCandidates = 400

    /// Makes a policy.
    public init(
        weights: [Float], scale: [Float], reference: [Float]? = nil,
        statistics: LexicalStatistics, space: ObjectID,
        candidates: Int = RetrievalPolicy.defaultCandidates
    ) {
        self.weights = weights
        self.scale = scale
        self.reference = reference
        self.statistics = statistics
        self.space = space
        self.candidates = candidates
    }

    /// The policy before any training: the cosine and nothing else.
    public static func base(
        statistics: LexicalStatistics, space: ObjectID, scale: [Float]? = nil,
        candidates: Int = RetrievalPolicy.defaultCandidates
    ) -> RetrievalPolicy {
        var weights = [Float](repeating: 0, count: PolicyFeature.allCases.count)
        weights[PolicyFeature.cosine.index] = 1
        return RetrievalPolicy(
            weights: weights, scale: scale ?? [Float](repeating: 1, count: weights.count),
            statistics: statistics, space: space, candidates: candidates)
    }

    /// The factors that features are multiplied by: weight times scale, in double precision.
    public var factors: [Double] { zip(weights, scale).map { Double($0) * Double($1) } }
}
