internal import Artifacts
internal import Objects

/// A question whose answers are rows of the features.
struct ResolvedQuestion: Sendable {
    let id: String
    let question: String
    /// The rows of all labelled sections, ascending.
    let rows: [Int]
    let isHeldOut: Bool
}

/// A question that the documents do not answer.
struct UnanswerableQuestion: Sendable {
    let id: String
    let question: String
    let isHeldOut: Bool
}

/// A preference between rows of the features.
struct ResolvedPreference: Sendable {
    let id: String
    let question: String
    let chosen: [Int]
    let rejected: [Int]
    let isHeldOut: Bool
}

/// The outcome of the build stage: labels that lead to rows, in the order of their ids.
struct TrainingSet: Sendable {
    var questions: [ResolvedQuestion] = []
    var preferences: [ResolvedPreference] = []
    /// Questions that the documents do not answer, as their labels say: they have no answers.
    var unanswerable: [UnanswerableQuestion] = []
    /// Questions of which no section is in the features.
    var unresolvedQuestions = 0
    /// Preferences of which one section is not in the features.
    var unresolvedPreferences = 0
    /// What labels say that the features do not have, in the order of the labels.
    var missing: [MissingLabel] = []

    init(
        questions: [LabelledQuestion], preferences: [LabelledPreference], keys: FeatureKeys,
        heldOut: HeldOut
    ) {
        func rows(_ label: SectionLabel) -> Range<Int> {
            let rows = keys.rows(document: label.document, section: label.section)
            guard rows.isEmpty, let otherwise = label.otherwise else { return rows }
            return keys.rows(document: otherwise, section: label.section)
        }
        // A preference about a question follows it, or training would see what is measured.
        var fates: [[UInt8]: Bool] = [:]
        for question in Self.sorted(questions, by: \.id) {
            guard !question.answers.isEmpty else {
                unanswerable.append(
                    UnanswerableQuestion(
                        id: question.id, question: question.question,
                        isHeldOut: heldOut.contains(question.id)))
                continue
            }
            var found: Set<Int> = []
            var absent: [SectionLabel] = []
            for answer in question.answers {
                let rows = rows(answer)
                if rows.isEmpty { absent.append(answer) }
                found.formUnion(rows)
            }
            missing += absent.map {
                MissingLabel(.question, id: question.id, $0, isUsed: !found.isEmpty)
            }
            let isHeldOut = heldOut.contains(question.id)
            fates[Array(question.question.utf8)] = isHeldOut
            if found.isEmpty {
                unresolvedQuestions += 1
            } else {
                self.questions.append(
                    ResolvedQuestion(
                        id: question.id, question: question.question, rows: found.sorted(),
                        isHeldOut: isHeldOut))
            }
        }
        for preference in Self.sorted(preferences, by: \.id) {
            let chosen = Array(rows(preference.chosen))
            let rejected = Array(rows(preference.rejected))
            if chosen.isEmpty || rejected.isEmpty || chosen == rejected {
                unresolvedPreferences += 1
                missing += [(preference.chosen, chosen), (preference.rejected, rejected)]
                    .filter(\.1.isEmpty)
                    .map { MissingLabel(.preference, id: preference.id, $0.0, isUsed: false) }
                if !chosen.isEmpty, chosen == rejected {
                    missing.append(
                        MissingLabel(
                            .preference, id: preference.id, preference.rejected, isUsed: false,
                            isChosenToo: true))
                }
                continue
            }
            self.preferences.append(
                ResolvedPreference(
                    id: preference.id, question: preference.question, chosen: chosen,
                    rejected: rejected,
                    isHeldOut: fates[Array(preference.question.utf8)]
                        ?? heldOut.contains(preference.id)))
        }
    }

    private static func sorted<Label>(
        _ labels: [Label], by id: KeyPath<Label, String>
    ) -> [Label] {
        labels.sorted { $0[keyPath: id].utf8.lexicographicallyPrecedes($1[keyPath: id].utf8) }
    }
}
