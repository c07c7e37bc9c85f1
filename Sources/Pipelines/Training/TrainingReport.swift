internal import Artifacts
public import Objects
public import Refs

/// The report of a training run, for people and for programs.
public struct TrainingReport: Sendable {
    /// A row of the results table: a ranker and its quality.
    public struct Stage: Sendable {
        /// `base`, `sft` or `dpo`.
        public let name: String
        /// The figures on held-out questions.
        public let measurement: Measurement
        /// The training loss before the first step; nil for `base`.
        public let lossBefore: Double?
        /// The training loss after the last step; nil for `base`.
        public let lossAfter: Double?
    }

    /// The numbers of labels by use.
    public struct Counts: Hashable, Sendable {
        /// Labels for training.
        public let training: Int
        /// Labels for evaluation.
        public let heldOut: Int
        /// Labels that the features cannot resolve to rows, or preferences for a section over itself.
        public let unresolved: Int

        init(_ isHeldOut: [Bool], unresolved: Int = 0) {
            heldOut = isHeldOut.count { $0 }
            training = isHeldOut.count - heldOut
            self.unresolved = unresolved
        }
    }

    /// The number of the transaction; nil when nothing changed.
    public let transaction: Int?
    /// The refs that the transaction moved.
    public let refs: [RefChange]
    /// The features snapshot used for training.
    public let features: ObjectID
    /// The embedding space of the features.
    public let space: ObjectID
    /// The snapshot of the supervised dataset.
    public let supervisedDataset: ObjectID
    /// The snapshot of the preference dataset.
    public let preferenceDataset: ObjectID
    /// The snapshot of the model.
    public let model: ObjectID
    /// The numbers of questions with answers.
    public let questions: Counts
    /// The numbers of preferences, generated ones included.
    public let preferences: Counts
    /// Labelled sections that training could not use.
    public let missing: [MissingLabel]
    /// The rankers, in order of training.
    public let stages: [Stage]
    /// The k of recall@k.
    public let recallDepth: Int
    /// The weights of the published ranker, by signal.
    public let weights: [(signal: String, weight: Float)]
    /// Whether the questions were generated from the features.
    public let isGenerated: Bool
    /// Whether the published ranker is the untrained rule, because training did not improve on it.
    public let isUntrained: Bool
    /// The numbers of questions labelled as unanswerable.
    public let unanswerable: Counts
    /// The numbers of held-out questions that the rule declines.
    public let declined: DeclinedQuestions
    /// Whether preference training was discarded because it did not improve validation enough.
    public let droppedPreferences: Bool
    /// Whether the preferences were generated from the questions' labels.
    public let hasGeneratedPreferences: Bool
    /// What the run made of feedback; nil when the configuration names none.
    public let feedback: FeedbackReport?
    /// What a language model made; nil when the configuration asks none.
    public let generation: GenerationReport?
    /// Training examples whose question is nearly that of an evaluation example.
    public let nearDuplicates: [DatasetOverlap.Pair]
    /// Warnings for the user, such as clocks that disagree.
    public let warnings: [String]

    init(
        _ outcome: TrainingOutcome, _ published: PublishedVersions, overlap: DatasetOverlap,
        recallDepth: Int
    ) {
        generation = outcome.set.generated?.report
        nearDuplicates = overlap.near
        transaction = published.commit.number
        refs = published.commit.refs
        features = outcome.features.snapshot
        space = outcome.features.space.id
        supervisedDataset = published.supervised
        preferenceDataset = published.preference
        model = published.model
        questions = outcome.set.questionCounts
        preferences = outcome.set.preferenceCounts
        missing = outcome.set.missing
        stages = outcome.measurements.map {
            Stage(
                name: $0.name, measurement: $0.measurement, lossBefore: $0.loss?.before,
                lossAfter: $0.loss?.after)
        }
        self.recallDepth = recallDepth
        weights = zip(Signal.allCases, outcome.ranker.weights).map {
            (signal: $0.rawValue, weight: $1)
        }
        isGenerated = outcome.isGenerated
        isUntrained = outcome.isUntrained
        unanswerable = Counts(outcome.set.unanswerable.map(\.isHeldOut))
        declined = outcome.declined
        hasGeneratedPreferences = outcome.hasGeneratedPreferences
        droppedPreferences = outcome.preferenceFate == .dropped
        feedback = outcome.set.feedback.map { FeedbackReport($0) }
        warnings =
            published.commit.warnings
            + (overlap.near.isEmpty
                ? []
                : ["\(overlap.near.count) training examples nearly repeat evaluation examples"])
    }
}

extension TrainingReport {
    /// The report as a JSON object.
    public var json: JSONObject {
        var object = JSONObject()
        object["transaction"] = transaction.map { .integer($0) } ?? .null
        object["refs"] = .array(
            refs.map { change in
                [
                    "name": .string(change.name.text),
                    "old": change.old.map { .string($0.hex) } ?? .null,
                    "new": change.new.map { .string($0.hex) } ?? .null,
                ]
            })
        object["features"] = .string(features.hex)
        object["space"] = .string(space.hex)
        object["datasets"] = [
            "sft": .string(supervisedDataset.hex), "dpo": .string(preferenceDataset.hex),
        ]
        object["model"] = .string(model.hex)
        object["questions"] = json(questions)
        object["preferences"] = json(preferences)
        object["unanswerable"] = json(unanswerable)
        object["declined"] = [
            "answerable": json(declined.answerable), "unanswerable": json(declined.unanswerable),
        ]
        object["generated"] = .bool(isGenerated)
        object["untrained"] = .bool(isUntrained)
        object["preferencesDropped"] = .bool(droppedPreferences)
        object["missing"] = .array(missing.map(\.json))
        if let generation { object["generation"] = generation.json }
        object["nearDuplicates"] = .array(nearDuplicates.map(\.json))
        if let feedback { object["feedback"] = feedback.json }
        object["stages"] = .array(stages.map { .object(json($0)) })
        var weights = JSONObject()
        for (signal, weight) in self.weights { weights[signal] = .number(Double(weight)) }
        object["weights"] = .object(weights)
        return object
    }

    private func json(_ counts: Counts) -> JSON {
        [
            "train": .integer(counts.training), "heldout": .integer(counts.heldOut),
            "unresolved": .integer(counts.unresolved),
        ]
    }

    private func json(_ share: DeclinedQuestions.Share) -> JSON {
        ["declined": .integer(share.declined), "of": .integer(share.all)]
    }

    private func json(_ stage: Stage) -> JSONObject {
        var object = JSONObject()
        object["stage"] = .string(stage.name)
        guard questions.heldOut > 0 else { return object }
        func add(_ name: String, _ figure: Measurement.Figure) {
            object[name] = .number(figure.value)
            object["\(name).interval"] = [.number(figure.low), .number(figure.high)]
        }
        add("recall@1", stage.measurement.recallAt1)
        add("recall@\(recallDepth)", stage.measurement.recallAtK)
        add("mrr", stage.measurement.meanReciprocalRank)
        object["preferenceAccuracy"] = stage.measurement.preferenceAccuracy.map { .number($0) }
        object["lossBefore"] = stage.lossBefore.map { .number($0) }
        object["lossAfter"] = stage.lossAfter.map { .number($0) }
        return object
    }

    /// The report as lines of text.
    public var lines: [String] {
        var lines = [
            "questions    \(describe(questions))",
            "preferences  \(describe(preferences))\(hasGeneratedPreferences ? ", generated from the questions" : "")",
        ]
        if unanswerable.training + unanswerable.heldOut > 0 {
            lines.append("unanswerable \(describe(unanswerable))")
        }
        if let generation { lines += generation.lines }
        if let feedback { lines += feedback.lines }
        if !missing.isEmpty {
            lines += ["", "not in these features:"]
            lines += MissingLabel.lines(missing).map { "  \($0)" }
        }
        if !nearDuplicates.isEmpty {
            lines += ["", "training examples that nearly repeat evaluation examples:"]
            lines += DatasetOverlap.lines(nearDuplicates).map { "  \($0)" }
        }
        lines += [""] + measurementLines
        if !remarks.isEmpty { lines += [""] + remarks }
        lines += [
            "",
            "features     \(features.hex)",
            "space        \(space.hex)",
            "dataset sft  \(supervisedDataset.hex)",
            "dataset dpo  \(preferenceDataset.hex)",
            "model        \(model.hex)",
        ]
        if let transaction {
            let moved = refs.map(\.name.text).joined(separator: ", ")
            lines.append("transaction  \(transaction): \(moved)")
        } else {
            lines.append("transaction  none: nothing changed")
        }
        return lines
    }

    private static let titles = ["base": "untrained", "sft": "after SFT", "dpo": "after DPO"]

    /// The results table, or the reason why there is none.
    private var measurementLines: [String] {
        guard questions.heldOut > 0 else {
            return ["no evaluation: no question was held out (split.heldout)"]
        }
        let kind = isGenerated ? "generated questions" : "held-out questions"
        let others = preferences.heldOut > 0 ? " and \(preferences.heldOut) preferences" : ""
        var lines = [
            "on the \(questions.heldOut) \(kind)\(others), with 95 % intervals:",
            row(["", "recall@1", "recall@\(recallDepth)", "MRR", "preferences"]),
        ]
        func cell(_ figure: Measurement.Figure) -> String {
            "\(Self.fixed(figure.value)) [\(Self.fixed(figure.low)), \(Self.fixed(figure.high))]"
        }
        for stage in stages {
            let measurement = stage.measurement
            lines.append(
                row([
                    Self.titles[stage.name] ?? stage.name, cell(measurement.recallAt1),
                    cell(measurement.recallAtK), cell(measurement.meanReciprocalRank),
                    measurement.preferenceAccuracy.map(Self.fixed) ?? "-",
                ]))
        }
        lines.append(
            "declined \(declined.answerable.declined) of \(declined.answerable.all) with an answer"
                + (declined.unanswerable.all > 0
                    ? ", \(declined.unanswerable.declined) of \(declined.unanswerable.all) without one"
                    : ""))
        return lines
    }

    /// Remarks on the figures and on the published ranker.
    private var remarks: [String] {
        var lines: [String] = []
        if isGenerated, questions.training == 0 {
            return [
                "too few documents to generate questions from: the ranker is the untrained rule"
            ]
        }
        if isGenerated {
            lines.append(
                "the questions were generated from the documents: figures on them compare versions but predict nothing; label real questions"
            )
        }
        let (answered, unanswered) = (questions.training, unanswerable.training)
        if unanswered > 0,
            answered < AnsweringRule.leastAnswered || unanswered < AnsweringRule.leastUnanswered
        {
            lines.append(
                "the threshold for declining is not fitted to unanswerable questions: that takes \(AnsweringRule.leastAnswered) questions and "
                    + "\(AnsweringRule.leastUnanswered) unanswerable ones, not \(answered) and \(unanswered)"
            )
        }
        if isUntrained {
            lines.append(
                "training did not clearly beat the untrained rule in cross-validation, so the ranker is that rule"
            )
        }
        if droppedPreferences {
            lines.append(
                "preferences did not clearly help in cross-validation, so they were not used")
        }
        return lines
    }

    private func describe(_ counts: Counts) -> String {
        "\(counts.training) to train on, \(counts.heldOut) held out"
            + (counts.unresolved > 0 ? ", \(counts.unresolved) not in these features" : "")
    }

    private func row(_ cells: [String]) -> String {
        let widths = [10, 20, 20, 20, 12]
        var line = ""
        for (index, cell) in cells.enumerated() {
            let padding = String(repeating: " ", count: max(0, widths[index] - cell.count))
            line += index == 0 ? cell + padding : padding + cell
            line += index + 1 < cells.count ? " " : ""
        }
        return line
    }

    /// Formats a number with three decimals.
    static func fixed(_ value: Double) -> String {
        let thousandths = Int((value.magnitude * 1000).rounded())
        let fraction = String(thousandths % 1000)
        let zeros = String(repeating: "0", count: 3 - fraction.count)
        return "\(value < 0 && thousandths > 0 ? "-" : "")\(thousandths / 1000).\(zeros)\(fraction)"
    }
}
