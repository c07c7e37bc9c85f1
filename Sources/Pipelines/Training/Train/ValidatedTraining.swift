internal import Artifacts
internal import Objects
internal import TextAnalysis

/// Supervised training that departs from the untrained rule only as far as cross-validation justifies.
///
/// The ids of questions assign them to folds. For each strength of the pull towards the untrained rule, a ranker
/// trained on the other folds ranks the questions of each fold. The untrained rule stays unless the best strength
/// raises the log-probability of the relevant sections by more than two standard errors of the difference. Among the
/// strengths within half a standard error of the best that also raise the mean reciprocal rank by more than its
/// standard error, the strongest pull wins (the one-standard-error rule of Breiman and others, 1984, made stricter for
/// few labels).
struct ValidatedTraining: Sendable {
    /// A question with its candidates, unscaled and scaled.
    struct Example: Sendable {
        let id: String
        let question: String
        let evaluated: Evaluation.Question
        let scaled: SupervisedObjective.Example

        /// Nil where no answer is among the candidates, because such a question teaches nothing.
        init?(_ question: ResolvedQuestion, _ prepared: PreparedQuestion, factors: [Double]) {
            let relevant = prepared.positions(of: question.rows)
            guard !relevant.isEmpty else { return nil }
            id = question.id
            self.question = question.question
            evaluated = .init(prepared: prepared, relevant: relevant)
            scaled = .init(signals: prepared.signals.scaled(by: factors), relevant: relevant)
        }
    }

    /// The result of supervised training.
    struct SupervisedResult {
        let descent: Descent
        /// The strength of the pull; nil where the untrained rule stays.
        let l2: Double?
    }

    let examples: [Example]
    let base: Ranker
    let supervised: TrainingConfiguration.Supervised
    let threads: Int

    private static let folds = 5
    /// The factors of the configured strength to try, weakest first.
    private static let strengths: [Double] = [1, 3, 10, 30, 100, 300]

    private var origin: [Double] { base.weights.map(Double.init) }

    private func objective(_ examples: [Example], l2: Double) -> SupervisedObjective {
        SupervisedObjective(examples: examples.map(\.scaled), origin: origin, l2: l2)
    }

    private func descent(_ examples: [Example], l2: Double, epochs: Int) -> Descent {
        objective(examples, l2: l2).minimised(
            epochs: epochs, rate: supervised.rate, threads: threads)
    }

    /// Trains the rule, or leaves it unchanged where validation does not justify training.
    func train() -> SupervisedResult {
        let stays = SupervisedResult(
            descent: descent(examples, l2: supervised.l2, epochs: 0), l2: nil)
        guard supervised.epochs > 0, examples.count >= 2 * Self.folds else { return stays }
        let gains = Self.strengths.map { gain(l2: supervised.l2 * $0) }
        guard let best = gains.max(by: { $0.mean < $1.mean }), best.mean > 2 * best.error else {
            return stays
        }
        for (strength, gain) in zip(Self.strengths, gains).reversed()
        where gain.isBetter && gain.mean >= best.mean - best.error / 2 {
            let l2 = supervised.l2 * strength
            return SupervisedResult(
                descent: descent(examples, l2: l2, epochs: supervised.epochs), l2: l2)
        }
        return stays
    }

    private struct Gain {
        let mean: Double
        let error: Double
        /// Whether the mean reciprocal rank rises by more than its standard error: log-probabilities also rise when
        /// only the sharpness of the scores fits better.
        let isBetter: Bool
    }

    /// The gain in log-probability of the relevant sections on questions outside the training folds.
    private func gain(l2: Double) -> Gain {
        var gains: [Double] = []
        var places: [Double] = []
        for (seen, unseen) in splits {
            let weights = descent(seen, l2: l2, epochs: supervised.epochs).weights
            let objective = objective(unseen, l2: 0)
            for index in unseen.indices {
                gains.append(
                    objective.slope(of: index, at: origin).value
                        - objective.slope(of: index, at: weights).value)
                places.append(
                    reciprocalRank(unseen[index], weights) - reciprocalRank(unseen[index], origin))
            }
        }
        let (mean, error) = Self.meanAndError(gains)
        let change = Self.meanAndError(places)
        return Gain(mean: mean, error: error, isBetter: change.mean > change.error)
    }

    /// 1 / the rank of the first relevant section; 0 where none is a candidate.
    private func reciprocalRank(_ example: Example, _ weights: [Double]) -> Double {
        let factors = zip(weights, base.scale).map { $0 * Double($1) }
        let rank = example.evaluated.rank(factors, perDocument: base.retrieval.perDocument)
        return rank.map { 1 / Double($0 + 1) } ?? 0
    }

    /// For each fold, the examples of all other folds and its own; skips empty folds.
    private var splits: [(seen: [Example], unseen: [Example])] {
        (0..<Self.folds).map { fold in
            (
                examples.filter { Self.fold(of: $0.id) != fold },
                examples.filter { Self.fold(of: $0.id) == fold }
            )
        }.filter { !$0.seen.isEmpty && !$0.unseen.isEmpty }
    }

    private static func fold(of id: String) -> Int {
        Int(TermHash.of("fold/\(id)") % UInt64(folds))
    }

    private static func meanAndError(_ values: [Double]) -> (mean: Double, error: Double) {
        let count = Double(max(1, values.count))
        let mean = values.reduce(0, +) / count
        let squares = values.reduce(0.0) { $0 + ($1 - mean) * ($1 - mean) }
        return (mean, (squares / count).squareRoot() / count.squareRoot())
    }
}

extension ValidatedTraining {
    /// The result of preference training.
    struct PreferenceResult {
        let weights: [Double]
        let before: Double
        let after: Double
        /// Whether it improves the ranking of held-out folds.
        let isKept: Bool
    }

    /// A preference with its question.
    struct Preference: Sendable {
        let question: String
        let scaled: PreferenceObjective.Example
    }

    /// By how many standard errors preferences must improve the ranking of questions other than their own.
    ///
    /// The bar is higher for preferences generated from labels, which supervised training already knows.
    private static let leastGain = (stated: 1.0, made: 2.0)

    /// Trains on preferences, and cross-validates the result.
    ///
    /// For each fold, preferences about other questions adapt weights that were trained on the other folds; the
    /// adapted weights must rank the fold's questions better.
    ///
    /// - Parameter areGenerated: Whether the preferences were generated rather than stated by people.
    func preferring(
        _ preferences: [Preference], areGenerated: Bool, from weights: [Double], l2: Double?,
        _ settings: TrainingConfiguration.Preference
    ) -> PreferenceResult {
        func preferred(
            _ preferences: [Preference], from weights: [Double], with seen: [Example]
        ) -> (Descent, PreferenceObjective) {
            let objective = PreferenceObjective(
                examples: preferences.map(\.scaled), reference: weights, beta: settings.beta,
                l2: settings.l2)
            let retained = SupervisedObjective(
                examples: seen.map(\.scaled), origin: origin, l2: l2 ?? supervised.l2)
            let descent = RetainingObjective(
                preference: objective, supervised: retained, retain: settings.retain
            ).minimised(epochs: settings.epochs, rate: settings.rate, threads: threads)
            return (descent, objective)
        }
        var changes: [Double] = []
        for (seen, unseen) in splits {
            let start =
                l2.map { self.descent(seen, l2: $0, epochs: supervised.epochs).weights }
                ?? origin
            let asked = Set(unseen.map(\.question))
            let others = preferences.filter { !asked.contains($0.question) }
            let end = others.isEmpty ? start : preferred(others, from: start, with: seen).0.weights
            for example in unseen {
                changes.append(reciprocalRank(example, end) - reciprocalRank(example, start))
            }
        }
        let (descent, objective) = preferred(preferences, from: weights, with: examples)
        let change = Self.meanAndError(changes)
        let least = areGenerated ? Self.leastGain.made : Self.leastGain.stated
        return PreferenceResult(
            weights: descent.weights,
            before: objective.evaluate(at: objective.origin, threads: threads).value,
            after: objective.evaluate(at: descent.weights, threads: threads).value,
            isKept: change.mean > 0 && change.mean >= least * change.error)
    }
}
