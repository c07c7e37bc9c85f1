public import Artifacts

/// Direct preference optimisation (Rafailov and others, 2023, equation 7), exactly, on the policy itself.
///
/// For a question with a chosen and a rejected section the loss is
/// -ln sigmoid(beta x ((ln p(chosen) - ln r(chosen)) - (ln p(rejected) - ln r(rejected)))), where p is the
/// policy's softmax over the candidates and r that of the reference. Both share one normaliser per
/// question, which cancels.
public struct PreferenceObjective: Objective {
    /// One question and the candidates of the two sections.
    public struct Example: Sendable {
        /// The scaled features of the candidates.
        public let features: CandidateSignals
        /// The indices of the chosen section's chunks; at least one.
        public let chosen: [Int]
        /// The indices of the rejected section's chunks; at least one.
        public let rejected: [Int]

        /// Makes an example.
        public init(features: CandidateSignals, chosen: [Int], rejected: [Int]) {
            precondition(!chosen.isEmpty && !rejected.isEmpty, "both sections have chunks")
            self.features = features
            self.chosen = chosen
            self.rejected = rejected
        }

        /// How much more the policy favours the chosen section: the difference of log-probabilities.
        public func margin(at weights: [Double]) -> Double {
            let scores = features.scores(weights)
            return SectionScore(features, chosen, scores: scores).value
                - SectionScore(features, rejected, scores: scores).value
        }
    }

    /// The examples.
    public let examples: [Example]
    /// The weights of the reference policy.
    public let origin: [Double]
    /// How far the policy may move from the reference: the smaller, the further.
    public let beta: Double
    /// See ``Objective``.
    public let l2: Double
    private let referenceMargins: [Double]

    /// Makes an objective.
    public init(examples: [Example], reference: [Double], beta: Double, l2: Double) {
        self.examples = examples
        origin = reference
        self.beta = beta
        self.l2 = l2
        referenceMargins = examples.map { $0.margin(at: reference) }
    }

    /// See ``Objective``.
    public var count: Int { examples.count }

    /// See ``Objective``.
    public func slope(of index: Int, at weights: [Double]) -> Slope {
        let example = examples[index]
        let scores = example.features.scores(weights)
        let chosen = SectionScore(example.features, example.chosen, scores: scores)
        let rejected = SectionScore(example.features, example.rejected, scores: scores)
        let advantage = beta * (chosen.value - rejected.value - referenceMargins[index])
        let pull = -beta * PortableMath.sigmoid(-advantage)
        var slope = Slope(count: weights.count)
        slope.value = PortableMath.negativeLogSigmoid(advantage)
        for column in weights.indices {
            slope.gradient[column] = pull * (chosen.gradient[column] - rejected.gradient[column])
        }
        return slope
    }
}
