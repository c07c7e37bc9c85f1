internal import Artifacts

/// The quality of a ranker on held-out questions.
public struct Measurement: Hashable, Sendable {
    /// A mean over questions with its 95 % confidence interval.
    public struct Figure: Hashable, Sendable {
        /// The mean.
        public let value: Double
        /// The lower end: the 2.5th percentile of the means of 1,000 bootstrap resamples of the questions.
        public let low: Double
        /// The upper end: the 97.5th percentile; see ``low``.
        public let high: Double

        private static let resamples = 1000

        /// The mean of one number per question; 0 without questions.
        init(_ values: [Double]) {
            guard !values.isEmpty else {
                (value, low, high) = (0, 0, 0)
                return
            }
            let count = Double(values.count)
            value = values.reduce(0, +) / count
            // A fixed seed gives equal intervals for equal numbers.
            var random = SplitMix(state: 1)
            var means: [Double] = []
            for _ in 0..<Self.resamples {
                var sum = 0.0
                for _ in values.indices { sum += values[random.next(below: values.count)] }
                means.append(sum / count)
            }
            means.sort()
            (low, high) = (
                means[Self.resamples / 40], means[Self.resamples - 1 - Self.resamples / 40]
            )
        }
    }

    /// The share of questions whose first row belongs to a labelled section.
    public let recallAt1: Figure
    /// The share of questions with a row of a labelled section among the first k.
    public let recallAtK: Figure
    /// The mean of 1 / the rank of the first row of a labelled section, or 0 where there is none.
    public let meanReciprocalRank: Figure
    /// The share of preferences whose chosen section scores higher; nil without held-out preferences from people.
    public let preferenceAccuracy: Double?

    /// Computes the figures from each question's rank, from 0, of the first relevant row; nil where there is none.
    init(ranks: [Int?], depth: Int, preferenceAccuracy: Double?) {
        recallAt1 = Figure(ranks.map { $0 == 0 ? 1 : 0 })
        recallAtK = Figure(ranks.map { $0.map { $0 < depth ? 1 : 0 } ?? 0 })
        meanReciprocalRank = Figure(ranks.map { $0.map { 1 / Double($0 + 1) } ?? 0 })
        self.preferenceAccuracy = preferenceAccuracy
    }
}

/// SplitMix64 (Steele, Lea and Flood, 2014).
private struct SplitMix {
    var state: UInt64

    mutating func next(below bound: Int) -> Int {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        mixed ^= mixed >> 31
        return Int(mixed.multipliedFullWidth(by: UInt64(bound)).high)
    }
}

/// The evaluate stage: it measures several rankers on the same candidates.
struct Evaluation: Sendable {
    /// A question with its candidates as inference finds them, and the relevant ones among them.
    struct Question: Sendable {
        let prepared: PreparedQuestion
        let relevant: [Int]

        /// The rank, from 0, of the first relevant candidate; nil without one.
        func rank(_ factors: [Double], perDocument: Int) -> Int? {
            let relevant = Set(relevant)
            return HybridRetrieval.order(
                prepared.signals.scores(factors), places: prepared.places, perDocument: perDocument
            ).firstIndex { relevant.contains($0) }
        }
    }

    let questions: [Question]
    let preferences: [PreferenceObjective.Example]
    let depth: Int

    func measure(_ ranker: Ranker) -> Measurement {
        let factors = ranker.factors
        let ranks = questions.map {
            $0.rank(factors, perDocument: ranker.retrieval.perDocument)
        }
        let right = preferences.count { $0.margin(at: factors) > 0 }
        return Measurement(
            ranks: ranks, depth: depth,
            preferenceAccuracy: preferences.isEmpty
                ? nil : Double(right) / Double(preferences.count))
    }
}
