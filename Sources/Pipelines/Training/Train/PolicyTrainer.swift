internal import Artifacts
internal import Objects

/// The train and evaluate stages: from a training set to a policy and its measurements.
///
/// The same features, labels and configuration give the same policy, bit for bit, for any number of
/// threads.
struct PolicyTrainer: Sendable {
    let features: TrainingFeatures
    let configuration: TrainingConfiguration
    let threads: Int

    func train(_ input: TrainingSet) throws(TrainingError) -> TrainingOutcome {
        var set = input
        let pool = CandidatePool(
            features: features, candidates: configuration.candidates, threads: threads)
        let training = set.questions.filter { !$0.isHeldOut }
        let heldOut = set.questions.filter(\.isHeldOut)
        guard !training.isEmpty, !heldOut.isEmpty else {
            throw .tooFewQuestions(
                training: training.count, heldOut: heldOut.count,
                unresolved: set.unresolvedQuestions, missing: set.missing)
        }
        // Retrieval may miss an answer; training needs it among the candidates, measuring must not.
        let prepared = try pool.prepare(
            set.questions.map { .init(question: $0.question, added: $0.isHeldOut ? [] : $0.rows) })
        let scale = FeatureScale.of(
            zip(set.questions, prepared).filter { !$0.0.isHeldOut }.map(\.1.features))
        let base = RetrievalPolicy.base(
            statistics: features.statistics, space: features.space, scale: scale,
            candidates: configuration.candidates)
        let factors = scale.map(Double.init)

        let lesson = SupervisedObjective(
            examples: zip(set.questions, prepared).filter { !$0.0.isHeldOut }.map { pair in
                .init(
                    features: pair.1.features.scaled(by: factors),
                    relevant: pair.1.positions(of: pair.0.rows))
            },
            origin: base.weights.map(Double.init), l2: configuration.supervised.l2)
        let supervised = lesson.minimised(
            epochs: configuration.supervised.epochs, rate: configuration.supervised.rate,
            threads: threads)
        var sft = base
        sft.weights = supervised.weights.map { Float($0) }

        if configuration.preferences == nil {
            set.preferences = Self.hardNegatives(
                set.questions, prepared, policy: sft, keys: features.keys)
        }
        let examples = try preferenceExamples(set.preferences, pool: pool)
        let pairs = zip(set.preferences, examples)
        let evaluation = Evaluation(
            questions: zip(set.questions, prepared).filter(\.0.isHeldOut).map { pair in
                .init(features: pair.1.features, relevant: pair.1.positions(of: pair.0.rows))
            },
            preferences: pairs.filter(\.0.isHeldOut).map(\.1), depth: configuration.recallDepth)
        var stages = [
            TrainingOutcome.Stage(
                name: "base", measurement: evaluation.measure(base), loss: nil),
            TrainingOutcome.Stage(
                name: "sft", measurement: evaluation.measure(sft),
                loss: (supervised.before, supervised.after)),
        ]

        var policy = sft
        let seen = pairs.filter { !$0.0.isHeldOut }.map { pair in
            PreferenceObjective.Example(
                features: pair.1.features.scaled(by: factors), chosen: pair.1.chosen,
                rejected: pair.1.rejected)
        }
        if configuration.preference.epochs > 0, !seen.isEmpty {
            let objective = PreferenceObjective(
                examples: seen, reference: sft.weights.map(Double.init),
                beta: configuration.preference.beta, l2: configuration.preference.l2)
            let preferred = RetainingObjective(
                preference: objective, supervised: lesson, retain: configuration.preference.retain
            ).minimised(
                epochs: configuration.preference.epochs, rate: configuration.preference.rate,
                threads: threads)
            let lossBefore = objective.evaluate(at: objective.origin, threads: threads).value
            let lossAfter = objective.evaluate(at: preferred.weights, threads: threads).value
            policy.weights = preferred.weights.map { Float($0) }
            policy.reference = sft.weights
            stages.append(
                TrainingOutcome.Stage(
                    name: "dpo", measurement: evaluation.measure(policy),
                    loss: (lossBefore, lossAfter)))
        }
        return TrainingOutcome(
            set: set, policy: policy, measurements: stages, features: features,
            answers: zip(set.questions, prepared).map { Self.answer($0, $1) })
    }

    private func preferenceExamples(
        _ preferences: [ResolvedPreference], pool: CandidatePool
    ) throws(TrainingError) -> [PreferenceObjective.Example] {
        let prepared = try pool.prepare(
            preferences.map { .init(question: $0.question, added: $0.chosen + $0.rejected) })
        return zip(preferences, prepared).map { preference, prepared in
            PreferenceObjective.Example(
                features: prepared.features, chosen: prepared.positions(of: preference.chosen),
                rejected: prepared.positions(of: preference.rejected))
        }
    }

    /// For each question, its answer against the section that the policy wrongly likes best.
    private static func hardNegatives(
        _ questions: [ResolvedQuestion], _ prepared: [PreparedQuestion], policy: RetrievalPolicy,
        keys: FeatureKeys
    ) -> [ResolvedPreference] {
        var preferences: [ResolvedPreference] = []
        for (question, candidates) in zip(questions, prepared) {
            let order = CandidateRetrieval.order(candidates.features.scores(policy.factors))
            let right = Set(question.rows)
            guard let wrong = order.first(where: { !right.contains(candidates.rows[$0]) }) else {
                continue
            }
            preferences.append(
                ResolvedPreference(
                    id: question.id, question: question.question, chosen: question.rows,
                    rejected: keys.section(of: candidates.rows[wrong]),
                    isHeldOut: question.isHeldOut))
        }
        return preferences
    }

    /// The labelled row with the greatest cosine, which comes first among the candidates.
    private static func answer(_ question: ResolvedQuestion, _ prepared: PreparedQuestion) -> Int {
        let right = Set(question.rows)
        return prepared.rows.first { right.contains($0) } ?? question.rows[0]
    }
}
