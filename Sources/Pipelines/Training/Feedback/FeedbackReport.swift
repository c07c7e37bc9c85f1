public import Objects

/// What a training run made of feedback.
public struct FeedbackReport: Hashable, Sendable {
    /// The features snapshot that holds the feedback.
    public let features: ObjectID
    /// The number of its rows.
    public let rows: Int
    /// The number of examples for supervised fine-tuning.
    public let supervised: Int
    /// The number of pairs for preference optimisation.
    public let preferences: Int
    /// The number of questions for the ranker.
    public let rankerQuestions: Int
    /// The feedback that is not used, with the reasons.
    public let unused: [UnusedFeedback]

    init(_ examples: FeedbackExamples) {
        features = examples.snapshot
        rows = examples.count
        supervised = examples.supervised.count
        preferences = examples.preferences.count
        rankerQuestions = examples.rankerQuestions
        unused = examples.unused
    }

    /// A use, a reason, and how much feedback that use leaves out for that reason.
    private struct Total: Hashable {
        let use: UnusedFeedback.Use?
        let reason: UnusedFeedback.Reason
    }

    /// The totals, in order of uses and reasons.
    private var totals: [(total: Total, count: Int)] {
        let counts = Dictionary(
            unused.map { (Total(use: $0.use, reason: $0.reason), 1) }, uniquingKeysWith: +)
        let uses = [nil] + UnusedFeedback.Use.allCases.map(Optional.some)
        return uses.flatMap { use in
            UnusedFeedback.Reason.allCases.compactMap { reason in
                let total = Total(use: use, reason: reason)
                return counts[total].map { (total, $0) }
            }
        }
    }

    var json: JSON {
        [
            "features": .string(features.hex), "rows": .integer(rows),
            "sft": .integer(supervised), "dpo": .integer(preferences),
            "ranker": .integer(rankerQuestions),
            "reasons": .array(
                totals.map { total, count in
                    [
                        "use": total.use.map { .string($0.rawValue) } ?? .null,
                        "reason": .string(total.reason.rawValue), "count": .integer(count),
                    ]
                }),
            "leftOut": .array(unused.map(\.json)),
        ]
    }

    /// The report as lines of text.
    var lines: [String] {
        [
            "feedback     \(rows): \(supervised) for SFT, \(preferences) for DPO, "
                + "\(rankerQuestions) for the ranker"
        ]
            + totals.map { total, count in
                "  left out\(total.use.map { " of \($0.title)" } ?? ""): "
                    + "\(count) \(total.reason.rawValue)"
            }
    }
}

extension UnusedFeedback.Use {
    fileprivate var title: String {
        switch self {
        case .supervised: "SFT"
        case .preference: "DPO"
        case .ranker: "the ranker"
        }
    }
}
