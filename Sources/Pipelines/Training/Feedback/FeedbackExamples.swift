internal import Artifacts
internal import Objects

/// The examples that feedback gives for training a language model, and the feedback that gives none.
struct FeedbackExamples: Sendable {
    /// A conversation with the answer that it should have had.
    struct Supervised: Sendable {
        let feedback: AnswerFeedback
        let target: String
        let isHeldOut: Bool
    }

    /// A conversation with a better and a worse answer.
    struct Preference: Sendable {
        let feedback: AnswerFeedback
        let chosen: String
        /// The feedback on the chosen answer, where another answer to the same question is chosen.
        let chosenFrom: AnswerFeedback?
        let isHeldOut: Bool
    }

    /// The snapshot of the feedback.
    let snapshot: ObjectID
    /// The number of rows in that snapshot.
    let count: Int
    /// Examples in order of the feedback's ids.
    private(set) var supervised: [Supervised] = []
    /// Pairs in order of the feedback's ids.
    private(set) var preferences: [Preference] = []
    /// The feedback that is not used, first for all uses, then by use.
    private(set) var unused: [UnusedFeedback]
    /// The number of questions that the ranker learns from.
    private(set) var rankerQuestions = 0
    private let splits: FeedbackSplits

    /// Makes examples from the feedback of a snapshot.
    init(_ rows: FeedbackRows, _ splits: FeedbackSplits) {
        snapshot = rows.snapshot
        self.splits = splits
        count = rows.count
        unused = rows.unused
        let disputed = Self.disputed(rows.all)
        addSupervised(rows.all, disputed)
        addPreferences(rows.all, disputed)
    }

    /// The answers that some rate good and others bad.
    private static func disputed(_ all: [AnswerFeedback]) -> Set<String> {
        func rated(_ rating: Feedback.Rating) -> Set<String> {
            Set(all.filter { $0.rating == rating }.map(\.answerID))
        }
        return rated(.good).intersection(rated(.bad))
    }

    private mutating func addSupervised(_ all: [AnswerFeedback], _ disputed: Set<String>) {
        var seen: Set<[String]> = []
        for feedback in all {
            let reason: UnusedFeedback.Reason?
            let isDisputed = feedback.better == nil && disputed.contains(feedback.answerID)
            switch (feedback.target, feedback.rating) {
            case (_, .some) where isDisputed: reason = .contradictory
            case (let target?, _):
                let isNew = seen.insert([feedback.answerID, target]).inserted
                if isNew {
                    supervised.append(
                        Supervised(
                            feedback: feedback, target: target,
                            isHeldOut: splits.isHeldOut(feedback)))
                }
                reason = isNew ? nil : .repeated
            case (nil, .good): reason = .noText
            case (nil, .bad): reason = .noBetter
            case (nil, nil): reason = .notRated
            }
            if let reason { leaveOut(feedback, .supervised, reason) }
        }
    }

    private mutating func addPreferences(_ all: [AnswerFeedback], _ disputed: Set<String>) {
        // Compares bytes: canonically equivalent questions are different questions.
        var good: [[UInt8]: [AnswerFeedback]] = [:]
        for feedback in all
        where feedback.rating == .good && feedback.target != nil
            && !disputed.contains(feedback.answerID)
        {
            good[Array(feedback.question.utf8), default: []].append(feedback)
        }
        var seen: Set<[String]> = []
        for feedback in all
        where feedback.rating == .bad || feedback.rating == nil && feedback.better != nil {
            let reason: UnusedFeedback.Reason?
            let other =
                feedback.better == nil
                ? Self.best(good[Array(feedback.question.utf8)] ?? [], for: feedback) : nil
            let chosen = feedback.better ?? other?.target
            if feedback.answer.isEmpty {
                reason = .noText
            } else if feedback.better == nil, disputed.contains(feedback.answerID) {
                reason = .contradictory
            } else if let chosen {
                if chosen.utf8.elementsEqual(feedback.answer.utf8) {
                    reason = .unchanged
                } else if seen.insert([feedback.answerID, chosen]).inserted {
                    preferences.append(
                        Preference(
                            feedback: feedback, chosen: chosen, chosenFrom: other,
                            isHeldOut: splits.isHeldOut(feedback)))
                    reason = nil
                } else {
                    reason = .repeated
                }
            } else {
                reason = .noBetter
            }
            if let reason { leaveOut(feedback, .preference, reason) }
        }
    }

    /// The good answer to prefer: one to the same prompt, because its citations then fit; otherwise the newest.
    private static func best(
        _ good: [AnswerFeedback], for bad: AnswerFeedback
    ) -> AnswerFeedback? {
        good.max { left, right in
            let (a, b) = (left.prompt == bad.prompt, right.prompt == bad.prompt)
            return a == b ? left.time < right.time : b
        }
    }

    /// Records what the ranker makes of the feedback.
    mutating func note(rankerQuestions: Int, unused: [UnusedFeedback]) {
        self.rankerQuestions = rankerQuestions
        self.unused += unused
    }

    private mutating func leaveOut(
        _ feedback: AnswerFeedback, _ use: UnusedFeedback.Use, _ reason: UnusedFeedback.Reason
    ) {
        unused.append(UnusedFeedback(id: feedback.id, use: use, reason: reason))
    }
}

extension FeedbackExamples.Supervised {
    /// The example as datasets hold it.
    var json: JSON {
        let target = ChatMessage(.assistant, target)
        return ["messages": .array((feedback.prompt + [target]).map(\.json))]
    }
}

extension FeedbackExamples.Preference {
    /// The pair as datasets hold it.
    var json: JSON {
        func answer(_ text: String) -> JSON { .array([ChatMessage(.assistant, text).json]) }
        return [
            "prompt": .array(feedback.prompt.map(\.json)), "chosen": answer(chosen),
            "rejected": answer(feedback.answer),
        ]
    }

    /// What the pair was made from.
    var label: JSON {
        var label = feedback.label.object ?? JSONObject()
        if let chosenFrom {
            label["chosen"] = [
                "id": .string(chosenFrom.id), "answer": .string(chosenFrom.answerID),
            ]
        }
        return .object(label)
    }
}

extension AnswerFeedback {
    /// What an example was made from: the feedback, the answer, and the rows that were shown with their versions.
    var label: JSON {
        [
            "id": .string(id), "question": .string(question), "answer": .string(answerID),
            "release": release.map { .string($0.hex) } ?? .null,
            "features": .string(features.hex), "passages": .array(shown.map { .string($0) }),
        ]
    }
}
