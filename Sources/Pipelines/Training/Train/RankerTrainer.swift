internal import Artifacts
internal import Objects
internal import Storage
internal import TextAnalysis

/// The train and evaluate stages: they turn a training set into a ranker and its measurements.
///
/// The same features, labels and configuration give the same ranker, bit for bit, for any number of threads.
struct RankerTrainer: Sendable {
    let features: TrainingFeatures
    let configuration: TrainingConfiguration
    let threads: Int

    func train(_ input: TrainingSet) throws(TrainingError) -> TrainingOutcome {
        var set = input
        let training = set.questions.filter { !$0.isHeldOut }
        // A few short documents yield no questions; the untrained rule then serves as their ranker.
        guard !training.isEmpty || configuration.questions == nil else {
            throw .tooFewQuestions(
                training: 0, heldOut: set.questions.count, unresolved: set.unresolvedQuestions,
                missing: set.missing)
        }
        let pool = CandidatePool(
            features: features,
            ranker: .untrained(for: features.space, retrieval: configuration.retrieval),
            threads: threads)
        // An answer that retrieval misses is not a candidate at inference either; training on it would teach distrust
        // of the signals that find the others.
        let prepared = try pool.prepare(
            set.questions.map { .init(question: $0.question, added: []) })
        let scale = SignalScale.of(
            zip(set.questions, prepared).filter { !$0.0.isHeldOut }.map(\.1.signals))
        let factors = scale.map(Double.init)
        var base = Ranker.untrained(
            for: features.space, scale: scale, retrieval: configuration.retrieval)
        let (rule, declined) = try answeringRule(set, prepared, pool: pool)
        base.answering = rule
        let examples = zip(set.questions, prepared).filter { !$0.0.isHeldOut }.compactMap { pair in
            ValidatedTraining.Example(pair.0, pair.1, factors: factors)
        }
        let validated = ValidatedTraining(
            examples: examples, base: base, supervised: configuration.supervised,
            threads: threads)
        let trained = validated.train()
        var sft = base
        sft.weights = trained.descent.weights.map { Float($0) }

        let isGenerated = configuration.preferences == nil
        if isGenerated {
            let known = Set(set.preferences.map(\.id))
            set.preferences += Self.hardNegatives(
                set.questions, prepared, ranker: sft, keys: features.keys
            ).filter { !known.contains($0.id) }
        }
        let ranking = set.preferences.filter(\.ranksRows)
        let pairs = zip(ranking, try preferenceExamples(ranking, pool: pool))
        let evaluation = Evaluation(
            questions: zip(set.questions, prepared).filter(\.0.isHeldOut).map { pair in
                .init(prepared: pair.1, relevant: pair.1.positions(of: pair.0.rows))
            },
            // Preferences generated from the ranker's own mistakes do not measure how well it pleases people.
            preferences: pairs.filter { $0.0.isHeldOut && !$0.0.isGenerated }.map(\.1),
            depth: configuration.recallDepth)
        var stages = [
            TrainingOutcome.Stage(
                name: "base", measurement: evaluation.measure(base), loss: nil),
            TrainingOutcome.Stage(
                name: "sft", measurement: evaluation.measure(sft),
                loss: (trained.descent.before, trained.descent.after)),
        ]
        var ranker = sft
        var preferenceFate = PreferenceFate.none
        let seen = pairs.filter { !$0.0.isHeldOut }.map { pair in
            ValidatedTraining.Preference(
                question: pair.0.question,
                scaled: PreferenceObjective.Example(
                    signals: pair.1.signals.scaled(by: factors), chosen: pair.1.chosen,
                    rejected: pair.1.rejected))
        }
        if configuration.preference.epochs > 0, !seen.isEmpty {
            let preferred = validated.preferring(
                seen, areGenerated: isGenerated, from: sft.weights.map(Double.init), l2: trained.l2,
                configuration.preference)
            var dpo = sft
            dpo.weights = preferred.weights.map { Float($0) }
            dpo.reference = sft.weights
            stages.append(
                TrainingOutcome.Stage(
                    name: "dpo", measurement: evaluation.measure(dpo),
                    loss: (preferred.before, preferred.after)))
            preferenceFate = preferred.isKept ? .kept : .dropped
            if preferred.isKept { ranker = dpo }
        }
        return TrainingOutcome(
            set: set, ranker: ranker, measurements: stages,
            isUntrained: ranker.weights == base.weights, preferenceFate: preferenceFate,
            isGenerated: !configuration.measuresLabels, hasGeneratedPreferences: isGenerated,
            features: features, declined: declined,
            answers: zip(set.questions, prepared).map { Self.answer($0, $1, base) })
    }

    /// The rule that decides whether a question has an answer: the built-in one, adapted to documents and labels.
    ///
    /// Also counts the held-out questions that it declines.
    private func answeringRule(
        _ set: TrainingSet, _ prepared: [PreparedQuestion], pool: CandidatePool
    ) throws(TrainingError) -> (rule: AnsweringRule, declined: DeclinedQuestions) {
        var rule = pool.ranker.answering
        let others = try pool.prepare(
            (AnsweringRule.decoys + set.unanswerable.map(\.question)).map {
                .init(question: $0, added: [])
            }
        ).map(\.evidence)
        let language = try wrapping(features.language(), as: TrainingError.objects)
        rule.calibrate(
            Array(others.prefix(AnsweringRule.decoys.count)), areEnglish: language == .english)
        let answered = zip(set.questions.map(\.isHeldOut), prepared.map(\.evidence))
        let unanswered = zip(
            set.unanswerable.map(\.isHeldOut), others.dropFirst(AnsweringRule.decoys.count))
        // Questions generated from the documents are easier to answer than those that people ask.
        if configuration.questions != nil {
            rule.learn(
                answered: answered.filter { !$0.0 }.map(\.1),
                unanswered: unanswered.filter { !$0.0 }.map(\.1))
        }
        return (
            rule,
            DeclinedQuestions(
                answerable: .init(answered.filter(\.0).map(\.1), by: rule),
                unanswerable: .init(unanswered.filter(\.0).map(\.1), by: rule))
        )
    }

    private func preferenceExamples(
        _ preferences: [ResolvedPreference], pool: CandidatePool
    ) throws(TrainingError) -> [PreferenceObjective.Example] {
        let prepared = try pool.prepare(
            preferences.map { .init(question: $0.question, added: $0.chosen + $0.rejected) })
        return zip(preferences, prepared).map { preference, prepared in
            PreferenceObjective.Example(
                signals: prepared.signals, chosen: prepared.positions(of: preference.chosen),
                rejected: prepared.positions(of: preference.rejected))
        }
    }

    /// For each question, its answer against the wrong section that the ranker scores highest.
    private static func hardNegatives(
        _ questions: [ResolvedQuestion], _ prepared: [PreparedQuestion], ranker: Ranker,
        keys: FeatureKeys
    ) -> [ResolvedPreference] {
        var preferences: [ResolvedPreference] = []
        for (question, candidates) in zip(questions, prepared) {
            let order = HybridRetrieval.order(
                candidates.signals.scores(ranker.factors), places: candidates.places,
                perDocument: 0)
            let right = Set(question.rows)
            guard let wrong = order.first(where: { !right.contains(candidates.rows[$0]) }) else {
                continue
            }
            preferences.append(
                ResolvedPreference(
                    id: question.id, question: question.question, chosen: question.rows,
                    rejected: keys.section(of: candidates.rows[wrong]),
                    isHeldOut: question.isHeldOut, isGenerated: true,
                    isModelMade: question.isModelMade))
        }
        return preferences
    }

    /// The labelled row that represents the answer in the dataset: the candidate that the untrained rule scores
    /// highest, or the first row if none is a candidate.
    private static func answer(
        _ question: ResolvedQuestion, _ prepared: PreparedQuestion, _ base: Ranker
    ) -> Int {
        let right = Set(question.rows)
        let order = HybridRetrieval.order(
            prepared.signals.scores(base.factors), places: prepared.places, perDocument: 0)
        return order.first { right.contains(prepared.rows[$0]) }.map { prepared.rows[$0] }
            ?? question.rows[0]
    }
}

/// Scales signals so that their weights are comparable.
enum SignalScale {
    /// A signal that varies less than this teaches nothing; its scale is 1, so that its weight does not move.
    private static let least = 1e-9

    /// 1 / the standard deviation of each signal over all candidates of all questions.
    static func of(_ questions: [CandidateSignals]) -> [Float] {
        let columns = CandidateSignals.columns
        var sums = [Double](repeating: 0, count: columns)
        var count = 0.0
        for signals in questions {
            for index in signals.values.indices { sums[index % columns] += signals.values[index] }
            count += Double(signals.count)
        }
        guard count > 0 else { return [Float](repeating: 1, count: columns) }
        let means = sums.map { $0 / count }
        var squares = [Double](repeating: 0, count: columns)
        for signals in questions {
            for index in signals.values.indices {
                let distance = signals.values[index] - means[index % columns]
                squares[index % columns] += distance * distance
            }
        }
        return squares.map { square in
            let deviation = (square / count).squareRoot()
            return deviation > least ? Float(1 / deviation) : 1
        }
    }
}

extension AnsweringRule {
    /// The fewest answerable and the fewest unanswerable questions that determine the threshold.
    static let leastAnswered = 20
    static let leastUnanswered = 10
    /// The share of answerable questions that the rule may decline.
    private static let declinedPart = 0.1
    /// The built-in threshold weighs as much as a threshold fitted to this many questions.
    private static let prior = 20.0

    /// Moves the threshold to fit labelled questions; the weights stay, because the labels are too few to fit them.
    ///
    /// With enough unanswerable questions, the threshold maximises their declined share minus twice the declined share
    /// of answerable ones, and is then drawn towards the built-in value. With too few of them, it can only fall,
    /// towards the value that declines as many answerable questions as allowed. With too few answerable questions, it
    /// stays.
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

    /// Draws a fitted threshold towards the built-in one.
    private func drawn(_ found: Double, by count: Int) -> Double {
        (Double(count) * found + Self.prior * threshold) / (Double(count) + Self.prior)
    }
}
