public import Objects
internal import Refs

extension TrainingReport {
    /// The report as one JSON object.
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
        object["missing"] = .array(missing.map(\.json))
        object["stages"] = .array(stages.map { .object(json($0)) })
        var weights = JSONObject()
        for (feature, weight) in self.weights { weights[feature] = .number(Double(weight)) }
        object["weights"] = .object(weights)
        return object
    }

    private func json(_ counts: Counts) -> JSON {
        [
            "train": .integer(counts.training), "heldout": .integer(counts.heldOut),
            "unresolved": .integer(counts.unresolved),
        ]
    }

    private func json(_ stage: Stage) -> JSONObject {
        var object = JSONObject()
        object["stage"] = .string(stage.name)
        object["recall@1"] = .number(stage.measurement.recallAt1)
        object["recall@\(recallDepth)"] = .number(stage.measurement.recallAtK)
        object["mrr"] = .number(stage.measurement.meanReciprocalRank)
        object["preferenceAccuracy"] = stage.measurement.preferenceAccuracy.map { .number($0) }
        object["lossBefore"] = stage.lossBefore.map { .number($0) }
        object["lossAfter"] = stage.lossAfter.map { .number($0) }
        return object
    }

    /// The report as text, line by line.
    public var lines: [String] {
        var lines = [
            "questions    \(describe(questions))",
            "preferences  \(describe(preferences))",
        ]
        if !missing.isEmpty {
            lines += ["", "not in these features:"]
            lines += MissingLabel.lines(missing).map { "  \($0)" }
        }
        lines += [
            "",
            "on the \(questions.heldOut) held-out questions and \(preferences.heldOut) preferences:",
            row(["", "recall@1", "recall@\(recallDepth)", "MRR", "preferences", "training loss"]),
        ]
        for stage in stages {
            let measurement = stage.measurement
            var loss = "-"
            if let before = stage.lossBefore, let after = stage.lossAfter {
                loss = "\(Self.fixed(before)) -> \(Self.fixed(after))"
            }
            lines.append(
                row([
                    Self.titles[stage.name] ?? stage.name, Self.fixed(measurement.recallAt1),
                    Self.fixed(measurement.recallAtK), Self.fixed(measurement.meanReciprocalRank),
                    measurement.preferenceAccuracy.map(Self.fixed) ?? "-", loss,
                ]))
        }
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
            lines.append("transaction  none: everything was published already")
        }
        return lines
    }

    private static let titles = ["base": "before", "sft": "after SFT", "dpo": "after DPO"]

    private func describe(_ counts: Counts) -> String {
        "\(counts.training) to train on, \(counts.heldOut) held out"
            + (counts.unresolved > 0 ? ", \(counts.unresolved) not in these features" : "")
    }

    private func row(_ cells: [String]) -> String {
        let widths = [10, 9, 9, 7, 12, 18]
        var line = ""
        for (index, cell) in cells.enumerated() {
            let padding = String(repeating: " ", count: max(0, widths[index] - cell.count))
            line += index == 0 ? cell + padding : padding + cell
            line += index + 1 < cells.count ? " " : ""
        }
        return line
    }

    /// Three decimals.
    static func fixed(_ value: Double) -> String {
        let thousandths = Int((value.magnitude * 1000).rounded())
        let fraction = String(thousandths % 1000)
        let zeros = String(repeating: "0", count: 3 - fraction.count)
        return "\(value < 0 && thousandths > 0 ? "-" : "")\(thousandths / 1000).\(zeros)\(fraction)"
    }
}
