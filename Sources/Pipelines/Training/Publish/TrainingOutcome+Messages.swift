/// What the published snapshots say of themselves, in one line each.
extension TrainingOutcome {
    /// The supervised dataset's message: "101 questions to train on, 37 held out".
    var supervisedMessage: String {
        Self.describe(
            set.questions.count { !$0.isHeldOut }, "question",
            heldOut: set.questions.count { $0.isHeldOut })
    }

    /// The preference dataset's message: "49 preferences to train on, 17 held out".
    var preferenceMessage: String {
        Self.describe(
            set.preferences.count { !$0.isHeldOut }, "preference",
            heldOut: set.preferences.count { $0.isHeldOut })
    }

    /// The model's message: "SFT on 101 questions, DPO on 49 preferences"; DPO only where it took place.
    var modelMessage: String {
        guard !isUntrained else {
            return "the untrained rule: nothing learnt from "
                + Self.count(set.questions.count { !$0.isHeldOut }, "question")
                + " beats it on validation"
        }
        let supervised =
            "SFT on " + Self.count(set.questions.count { !$0.isHeldOut }, "question")
        guard preferenceFate == .kept else { return supervised }
        return supervised + ", DPO on "
            + Self.count(set.preferences.count { !$0.isHeldOut }, "preference")
    }

    private static func describe(_ training: Int, _ noun: String, heldOut: Int) -> String {
        "\(count(training, noun)) to train on, \(heldOut) held out"
    }

    private static func count(_ number: Int, _ noun: String) -> String {
        "\(number) \(noun)\(number == 1 ? "" : "s")"
    }
}
