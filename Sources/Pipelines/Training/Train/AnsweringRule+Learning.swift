internal import Artifacts

extension AnsweringRule {
    /// The fewest labelled questions, and the fewest that have no answer, that say where the threshold is.
    static let leastAnswered = 20
    static let leastUnanswered = 10
    /// The part of the questions with answers that may be declined.
    private static let declinedPart = 0.1
    /// How many questions the built-in threshold is worth.
    private static let prior = 20.0

    /// Moves the threshold to where labelled questions say that it is; the weights stay, for which there are too few.
    ///
    /// With questions that have no answer it is where most of these are declined, less twice the part of those with answers that are,
    /// and drawn towards the built-in one. Without, it is only lowered, towards where no more questions with answers are declined than may be.
    mutating func learn(answered: [[Double]], unanswered: [[Double]]) {
        let with = answered.map { score($0) }.sorted()
        guard with.count >= Self.leastAnswered else { return }
        let allowed = with[Int(Double(with.count) * Self.declinedPart)]
        guard unanswered.count >= Self.leastUnanswered else {
            threshold = min(threshold, drawn(allowed, by: with.count))
            return
        }
        let without = unanswered.map { score($0) }
        let all = (with + without).sorted()
        func worth(_ candidate: Double) -> Double {
            Double(without.count { $0 < candidate }) / Double(without.count)
                - 2 * Double(with.count { $0 < candidate }) / Double(with.count)
        }
        let candidates = zip(all, all.dropFirst()).map { ($0 + $1) / 2 }.filter { $0 <= allowed }
        guard let best = candidates.map(worth).max() else { return }
        let equals = candidates.filter { worth($0) == best }
        threshold = min(allowed, drawn(equals[equals.count / 2], by: without.count))
    }

    /// What some questions say, drawn towards the built-in threshold.
    private func drawn(_ found: Double, by count: Int) -> Double {
        (Double(count) * found + Self.prior * threshold) / (Double(count) + Self.prior)
    }
}
