internal import Artifacts
internal import Objects

/// A question whose answers are rows of the features.
struct ResolvedQuestion: Sendable {
    let id: String
    let question: String
    /// The rows of all labelled sections, ascending.
    let rows: [Int]
    let isHeldOut: Bool
    /// The answer that someone wrote; nil to quote a row.
    var answer: String?
    /// Whether a language model made it, so that ``TrainingSet/generated`` has its example.
    var isModelMade = false
}

/// A question that the documents do not answer.
struct UnanswerableQuestion: Sendable {
    let id: String
    let question: String
    let isHeldOut: Bool
}

/// A preference for some rows of the features over others, or for one text over another.
struct ResolvedPreference: Sendable {
    let id: String
    let question: String
    let chosen: [Int]
    /// The worse rows; none if only ``worse`` is known.
    let rejected: [Int]
    let isHeldOut: Bool
    /// The better answer as text; nil to quote a row.
    var answer: String?
    /// The worse answer as text; nil to quote a row.
    var worse: String?
    /// Whether it was generated from a mistake of the ranker.
    var isGenerated = false
    /// Whether its question was made by a language model.
    var isModelMade = false

    /// Whether the ranker can learn from it: only from rows.
    var ranksRows: Bool { !rejected.isEmpty && chosen != rejected }
}

/// The result of the build stage: labels resolved to rows, in order of their ids; those of feedback come last.
struct TrainingSet: Sendable {
    var questions: [ResolvedQuestion] = []
    var preferences: [ResolvedPreference] = []
    /// Questions labelled as having no answer in the documents.
    var unanswerable: [UnanswerableQuestion] = []
    /// The number of questions none of whose labelled sections are in the features.
    var unresolvedQuestions = 0
    /// The number of preferences that the features cannot express: a section is missing, or both are the same.
    var unresolvedPreferences = 0
    /// What a language model made from the features, if the configuration asks one.
    var generated: GeneratedExamples?
    /// Feedback on answers, if the configuration names any.
    var feedback: FeedbackExamples?
    /// Labelled sections that training cannot use: those of questions first, each kind in order of ids.
    var missing: [MissingLabel] = []

    /// How many questions with answers are for training, held out and unresolved.
    var questionCounts: TrainingReport.Counts {
        .init(questions.map(\.isHeldOut), unresolved: unresolvedQuestions)
    }

    /// How many preferences are for training, held out and unresolved.
    var preferenceCounts: TrainingReport.Counts {
        .init(preferences.map(\.isHeldOut), unresolved: unresolvedPreferences)
    }

    /// How many examples the supervised dataset has, without those from feedback.
    var supervisedCounts: TrainingReport.Counts {
        .init(
            questions.filter { !$0.isModelMade }.map(\.isHeldOut)
                + (generated?.all ?? []).map(\.isHeldOut), unresolved: unresolvedQuestions)
    }

    /// How many pairs the preference dataset has, without those from feedback.
    var pairCounts: TrainingReport.Counts {
        .init(
            preferences.filter { !$0.isModelMade }.map(\.isHeldOut)
                + (generated?.all ?? []).filter { $0.worse != nil }.map(\.isHeldOut),
            unresolved: unresolvedPreferences)
    }

    /// Resolves labels to rows, and decides which of them are held out.
    ///
    /// - Parameters:
    ///   - evaluation: Questions that are all held out.
    ///   - sharingFates: Whether questions with the same text are held out together: programs make some twice, and only
    ///     people should be told of it.
    static func build(
        questions: [LabelledQuestion], evaluation: [LabelledQuestion] = [],
        preferences: [LabelledPreference], keys: FeatureKeys, heldOut: HeldOut,
        sharingFates: Bool = false
    ) -> TrainingSet {
        var set = TrainingSet()
        var fates = SplitFates(heldOut)
        for question in sorted(questions, by: \.id) {
            let isHeldOut =
                sharingFates
                ? fates.isHeldOut(question.question, id: question.id)
                : heldOut.contains(question.id)
            fates.record(question.question, isHeldOut: isHeldOut)
            set.add(question, keys: keys, isHeldOut: isHeldOut)
        }
        for question in sorted(evaluation, by: \.id) {
            fates.record(question.question, isHeldOut: true)
            set.add(question, keys: keys, isHeldOut: true)
        }
        // A preference shares the split of its question; otherwise training would see what evaluation measures.
        for preference in sorted(preferences, by: \.id) {
            set.add(
                preference, keys: keys,
                isHeldOut: fates.isHeldOut(preference.question, id: preference.id))
        }
        return set
    }

    private mutating func add(
        _ question: LabelledQuestion, keys: FeatureKeys, isHeldOut: Bool
    ) {
        guard !question.answers.isEmpty else {
            unanswerable.append(
                UnanswerableQuestion(
                    id: question.id, question: question.question, isHeldOut: isHeldOut))
            return
        }
        var found: Set<Int> = []
        var absent: [SectionLabel] = []
        for answer in question.answers {
            let rows = keys.rows(answer)
            if rows.isEmpty { absent.append(answer) }
            found.formUnion(rows)
        }
        missing += absent.map {
            MissingLabel(.question, id: question.id, $0, isUsed: !found.isEmpty)
        }
        if found.isEmpty {
            unresolvedQuestions += 1
        } else {
            questions.append(
                ResolvedQuestion(
                    id: question.id, question: question.question, rows: found.sorted(),
                    isHeldOut: isHeldOut, answer: question.answer))
        }
    }

    private mutating func add(
        _ preference: LabelledPreference, keys: FeatureKeys, isHeldOut: Bool
    ) {
        let chosen = Array(keys.rows(preference.chosen))
        let rejected = preference.rejected.map { Array(keys.rows($0)) }
        let hasTexts = preference.worse != nil
        if chosen.isEmpty || rejected?.isEmpty ?? false || !hasTexts && chosen == rejected {
            unresolvedPreferences += 1
            let labels = [preference.chosen] + [preference.rejected].compactMap(\.self)
            missing += labels.filter { keys.rows($0).isEmpty }
                .map { MissingLabel(.preference, id: preference.id, $0, isUsed: false) }
            if !chosen.isEmpty, chosen == rejected, let label = preference.rejected {
                missing.append(
                    MissingLabel(
                        .preference, id: preference.id, label, isUsed: false, isChosenToo: true))
            }
            return
        }
        preferences.append(
            ResolvedPreference(
                id: preference.id, question: preference.question, chosen: chosen,
                rejected: rejected ?? [], isHeldOut: isHeldOut, answer: preference.answer,
                worse: preference.worse))
    }

    private static func sorted<Label>(
        _ labels: [Label], by id: KeyPath<Label, String>
    ) -> [Label] {
        labels.sorted { $0[keyPath: id].utf8.lexicographicallyPrecedes($1[keyPath: id].utf8) }
    }
}
