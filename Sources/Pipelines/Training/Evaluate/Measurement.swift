internal import Artifacts

/// How well a policy answers held-out questions.
public struct Measurement: Hashable, Sendable {
    /// The part of the questions whose first row is of a labelled section.
    public let recallAt1: Double
    /// The part of the questions that have a row of a labelled section among the first k.
    public let recallAtK: Double
    /// The mean of 1 / the place of the first row of a labelled section; 0 for a question without.
    public let meanReciprocalRank: Double
    /// The part of the preferences whose chosen section scores higher; nil without preferences.
    public let preferenceAccuracy: Double?

    /// Measures from the places, from 0, of the first right row of each question (nil for none).
    init(ranks: [Int?], depth: Int, preferenceAccuracy: Double?) {
        let count = Double(max(1, ranks.count))
        var first = 0
        var found = 0
        var reciprocal = 0.0
        for case let rank? in ranks {
            if rank == 0 { first += 1 }
            if rank < depth { found += 1 }
            reciprocal += 1 / Double(rank + 1)
        }
        recallAt1 = Double(first) / count
        recallAtK = Double(found) / count
        meanReciprocalRank = reciprocal / count
        self.preferenceAccuracy = preferenceAccuracy
    }
}

/// The evaluate stage: the same candidates, ranked by one policy after the other.
struct Evaluation: Sendable {
    /// A held-out question: its candidates as inference finds them, and which of them are right.
    struct Question: Sendable {
        let features: CandidateFeatures
        let relevant: [Int]
    }

    let questions: [Question]
    let preferences: [PreferenceObjective.Example]
    let depth: Int

    func measure(_ policy: RetrievalPolicy) -> Measurement {
        let factors = policy.factors
        let ranks = questions.map { question -> Int? in
            let order = CandidateRetrieval.order(question.features.scores(factors))
            let relevant = Set(question.relevant)
            return order.firstIndex { relevant.contains($0) }
        }
        let right = preferences.count { $0.margin(at: factors) > 0 }
        return Measurement(
            ranks: ranks, depth: depth,
            preferenceAccuracy: preferences.isEmpty
                ? nil : Double(right) / Double(preferences.count))
    }
}
