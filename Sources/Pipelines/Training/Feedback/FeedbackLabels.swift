internal import Artifacts
internal import Objects

extension TrainingSet {
    /// Adds feedback: examples for a language model, and questions and preferences for the ranker.
    mutating func add(_ rows: FeedbackRows, keys: FeatureKeys, heldOut: HeldOut) {
        let splits = FeedbackSplits(self, heldOut)
        var examples = FeedbackExamples(rows, splits)
        let before = questions.count
        let unused = add(rows.all, keys: keys, splits)
        examples.note(rankerQuestions: questions.count - before, unused: unused)
        feedback = examples
    }

    /// Adds the questions for which people named the passage that answers them: each becomes a question, and a
    /// preference for the passage's section over the other passages that were shown.
    ///
    /// - Returns: The feedback that names a passage and is not used.
    private mutating func add(
        _ feedback: [AnswerFeedback], keys: FeatureKeys, _ splits: FeedbackSplits
    ) -> [UnusedFeedback] {
        var unused: [UnusedFeedback] = []
        for feedback in feedback {
            guard let passage = feedback.passage else { continue }
            guard let row = keys.row(passage) else {
                unused.append(.init(id: feedback.id, use: .ranker, reason: .passageMissing))
                continue
            }
            guard feedback.question.contains(where: { $0.isLetter || $0.isNumber }) else {
                unused.append(.init(id: feedback.id, use: .ranker, reason: .noWords))
                continue
            }
            let rows = keys.section(of: row)
            let isHeldOut = splits.isHeldOut(feedback)
            questions.append(
                ResolvedQuestion(
                    id: feedback.id, question: feedback.question, rows: rows,
                    isHeldOut: isHeldOut))
            var seen = Set(rows)
            let others = feedback.shown.compactMap { keys.row($0) }.filter {
                seen.insert($0).inserted
            }
            guard !others.isEmpty else { continue }
            preferences.append(
                ResolvedPreference(
                    id: feedback.id, question: feedback.question, chosen: [row],
                    rejected: others, isHeldOut: isHeldOut))
        }
        return unused
    }
}

/// Decides which feedback is held out: by its question, so that training does not see what evaluation measures.
///
/// Feedback on a labelled question shares the split of that question.
struct FeedbackSplits: Sendable {
    private let fates: [String: Bool]
    private let heldOut: HeldOut

    /// Takes the splits of the labels.
    init(_ set: TrainingSet, _ heldOut: HeldOut) {
        let labels =
            set.questions.map { ($0.question, $0.isHeldOut) }
            + set.unanswerable.map { ($0.question, $0.isHeldOut) }
            + set.preferences.map { ($0.question, $0.isHeldOut) }
            + (set.generated?.all ?? []).map { ($0.question, $0.isHeldOut) }
        fates = Dictionary(
            labels.map { (MatchedText.of($0.0), $0.1) }, uniquingKeysWith: { first, _ in first })
        self.heldOut = heldOut
    }

    /// Whether feedback is held out.
    func isHeldOut(_ feedback: AnswerFeedback) -> Bool {
        let question = MatchedText.of(feedback.question)
        return fates[question] ?? heldOut.contains(question)
    }
}

extension FeatureKeys {
    /// The row with a key; nil if there is none.
    func row(_ key: String) -> Int? {
        let wanted = Array(key.utf8)
        let row = all.binarySearch { $0.utf8.lexicographicallyPrecedes(wanted) }
        return row < all.count && all[row].utf8.elementsEqual(wanted) ? row : nil
    }
}
