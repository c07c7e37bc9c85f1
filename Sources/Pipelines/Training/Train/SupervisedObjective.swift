public import Artifacts

/// Supervised fine-tuning: minus the mean log-probability that softmax over the candidates gives to the
/// relevant chunks.
public struct SupervisedObjective: Objective {
    /// One question: its candidates and which of them answer it.
    public struct Example: Sendable {
        /// The scaled features of the candidates.
        public let features: CandidateSignals
        /// The indices of the candidates that answer; at least one.
        public let relevant: [Int]

        /// Makes an example.
        public init(features: CandidateSignals, relevant: [Int]) {
            precondition(!relevant.isEmpty, "an example has an answer")
            self.features = features
            self.relevant = relevant
        }
    }

    /// The examples.
    public let examples: [Example]
    /// See ``Objective``.
    public let origin: [Double]
    /// See ``Objective``.
    public let l2: Double

    /// Makes an objective.
    public init(examples: [Example], origin: [Double], l2: Double) {
        self.examples = examples
        self.origin = origin
        self.l2 = l2
    }

    /// See ``Objective``.
    public var count: Int { examples.count }

    /// See ``Objective``.
    public func slope(of example: Int, at weights: [Double]) -> Slope {
        let example = examples[example]
        let scores = example.features.scores(weights)
        let all = SectionScore(example.features, scores.indices, scores: scores)
        let right = SectionScore(example.features, example.relevant, scores: scores)
        var slope = Slope(count: weights.count)
        slope.value = all.value - right.value
        for index in weights.indices {
            slope.gradient[index] = all.gradient[index] - right.gradient[index]
        }
        return slope
    }
}
