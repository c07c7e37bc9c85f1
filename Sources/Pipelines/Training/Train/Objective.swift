public import Artifacts
internal import Objects

/// The value and the gradient of a function of the weights.
public struct Slope: Sendable {
    /// The value.
    public var value: Double
    /// The partial derivatives, in the order of the weights.
    public var gradient: [Double]

    /// The slope of the zero function of `count` weights.
    public init(count: Int) {
        value = 0
        gradient = [Double](repeating: 0, count: count)
    }

    mutating func add(_ other: Slope) {
        value += other.value
        for index in gradient.indices { gradient[index] += other.gradient[index] }
    }
}

/// A function of the weights that training minimises: a mean over examples plus a quadratic pull towards the initial
/// weights.
public protocol Objective: Sendable {
    /// The number of examples.
    var count: Int { get }
    /// The initial weights, and the centre of the pull.
    var origin: [Double] { get }
    /// The strength of the pull: it adds to the value half this number times the squared distance from ``origin``.
    var l2: Double { get }
    /// The value and gradient of one example; must be a pure function.
    func slope(of example: Int, at weights: [Double]) -> Slope
    /// The value and gradient at `weights`, with the same bits for any number of threads.
    func evaluate(at weights: [Double], threads: Int) -> Slope
}

extension Objective {
    /// The mean over the examples plus the pull, with the same bits for any number of threads.
    ///
    /// Adds examples in blocks of a fixed size, then the blocks in order.
    public func evaluate(at weights: [Double], threads: Int) -> Slope {
        let blockSize = 16
        let blocks = (count + blockSize - 1) / blockSize
        let parts = Threads.map(blocks, threads: threads) { block in
            var sum = Slope(count: weights.count)
            for example in block * blockSize..<min(count, (block + 1) * blockSize) {
                sum.add(slope(of: example, at: weights))
            }
            return sum
        }
        var total = Slope(count: weights.count)
        for part in parts { total.add(part) }
        let mean = 1 / Double(max(1, count))
        total.value *= mean
        for index in weights.indices {
            let distance = weights[index] - origin[index]
            total.value += l2 / 2 * distance * distance
            total.gradient[index] = total.gradient[index] * mean + l2 * distance
        }
        return total
    }

    /// Takes `epochs` steps of `rate` times the full gradient, starting at ``origin``.
    ///
    /// A step that would raise the value is rejected, and halves the rate permanently.
    public func minimised(epochs: Int, rate: Double, threads: Int) -> Descent {
        var weights = origin
        var slope = evaluate(at: weights, threads: threads)
        let before = slope.value
        var rate = rate
        for _ in 0..<epochs {
            var next = weights
            for index in next.indices { next[index] -= rate * slope.gradient[index] }
            let nextSlope = evaluate(at: next, threads: threads)
            if nextSlope.value <= slope.value {
                weights = next
                slope = nextSlope
            } else {
                rate /= 2
            }
        }
        return Descent(weights: weights, before: before, after: slope.value)
    }
}

/// The result of a gradient descent.
public struct Descent: Sendable {
    /// The final weights.
    public let weights: [Double]
    /// The initial value.
    public let before: Double
    /// The final value.
    public let after: Double
}

/// The logarithm of the sum of e^score over some candidates, and its gradient: the score of a section with several
/// chunks.
///
/// The softmax probability of a section is e to the power of its score, divided by e to the power of the score of all
/// candidates together.
struct SectionScore {
    let value: Double
    let gradient: [Double]

    init(_ signals: CandidateSignals, _ candidates: some Collection<Int>, scores: [Double]) {
        let columns = CandidateSignals.columns
        var greatest = -Double.infinity
        for candidate in candidates { greatest = max(greatest, scores[candidate]) }
        var sum = 0.0
        var gradient = [Double](repeating: 0, count: columns)
        for candidate in candidates {
            let part = PortableMath.exp(scores[candidate] - greatest)
            sum += part
            for column in 0..<columns {
                gradient[column] += part * signals.values[candidate * columns + column]
            }
        }
        for column in 0..<columns { gradient[column] /= sum }
        value = greatest + PortableMath.log(sum)
        self.gradient = gradient
    }
}

/// Supervised fine-tuning: the mean over questions of -ln p, where p is the probability of all relevant chunks together
/// under a softmax over the candidates.
public struct SupervisedObjective: Objective {
    /// A question: its candidates, and which of them answer it.
    public struct Example: Sendable {
        /// The scaled signals of the candidates.
        public let signals: CandidateSignals
        /// The indices of the candidates that answer; at least one.
        public let relevant: [Int]

        /// Makes an example.
        public init(signals: CandidateSignals, relevant: [Int]) {
            precondition(!relevant.isEmpty, "an example has an answer")
            self.signals = signals
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
        let scores = example.signals.scores(weights)
        let all = SectionScore(example.signals, scores.indices, scores: scores)
        let right = SectionScore(example.signals, example.relevant, scores: scores)
        var slope = Slope(count: weights.count)
        slope.value = all.value - right.value
        for index in weights.indices {
            slope.gradient[index] = all.gradient[index] - right.gradient[index]
        }
        return slope
    }
}

/// Direct preference optimisation (Rafailov and others, 2023, equation 7), applied to the ranker itself.
///
/// For a question with a chosen and a rejected section, the loss is -ln sigmoid(beta x ((ln p(chosen) - ln r(chosen)) -
/// (ln p(rejected) - ln r(rejected)))), where p is the ranker's softmax over the candidates and r that of the
/// reference. Each has one normaliser per question, which cancels.
public struct PreferenceObjective: Objective {
    /// A question and the candidates from both sections.
    public struct Example: Sendable {
        /// The scaled signals of the candidates.
        public let signals: CandidateSignals
        /// The indices of the chosen section's chunks; at least one.
        public let chosen: [Int]
        /// The indices of the rejected section's chunks; at least one.
        public let rejected: [Int]

        /// Makes an example.
        public init(signals: CandidateSignals, chosen: [Int], rejected: [Int]) {
            precondition(!chosen.isEmpty && !rejected.isEmpty, "both sections have chunks")
            self.signals = signals
            self.chosen = chosen
            self.rejected = rejected
        }

        /// The difference of the log-probabilities of the chosen and the rejected section.
        public func margin(at weights: [Double]) -> Double {
            let scores = signals.scores(weights)
            return SectionScore(signals, chosen, scores: scores).value
                - SectionScore(signals, rejected, scores: scores).value
        }
    }

    /// The examples.
    public let examples: [Example]
    /// The weights of the reference ranker.
    public let origin: [Double]
    /// How strongly the reference holds the ranker back: smaller values let it move further.
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
        let scores = example.signals.scores(weights)
        let chosen = SectionScore(example.signals, example.chosen, scores: scores)
        let rejected = SectionScore(example.signals, example.rejected, scores: scores)
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

/// Preference optimisation that retains supervised training: the preference loss plus `retain` times the supervised
/// loss.
///
/// Pang and others (2024, "Iterative reasoning preference optimization", equation 1) use the same sum. A preference
/// compares only two sections. Without the second term, the weights would satisfy every preference but forget how to
/// rank all other sections.
public struct RetainingObjective: Objective {
    /// The objective of the preferences.
    public let preference: PreferenceObjective
    /// The objective of the supervised questions.
    public let supervised: SupervisedObjective
    /// The weight of the supervised loss.
    public let retain: Double

    /// Makes an objective.
    public init(preference: PreferenceObjective, supervised: SupervisedObjective, retain: Double) {
        self.preference = preference
        self.supervised = supervised
        self.retain = retain
    }

    /// See ``Objective``.
    public var count: Int { preference.count + supervised.count }

    /// See ``Objective``; only the preferences are pulled towards it, the questions towards their own origin.
    public var origin: [Double] { preference.origin }

    /// The total strength of both pulls.
    public var l2: Double { preference.l2 + retain * supervised.l2 }

    /// See ``Objective``; preferences come first, then questions.
    public func slope(of example: Int, at weights: [Double]) -> Slope {
        example < preference.count
            ? preference.slope(of: example, at: weights)
            : supervised.slope(of: example - preference.count, at: weights)
    }

    /// See ``Objective``; each part is a mean over its own examples, so the numbers of examples do not matter.
    public func evaluate(at weights: [Double], threads: Int) -> Slope {
        var sum = preference.evaluate(at: weights, threads: threads)
        let kept = supervised.evaluate(at: weights, threads: threads)
        sum.value += retain * kept.value
        for index in weights.indices { sum.gradient[index] += retain * kept.gradient[index] }
        return sum
    }
}
