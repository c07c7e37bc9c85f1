internal import Artifacts
internal import Objects

/// The files of both datasets: chat and preference examples in the format of TRL and OpenAI's fine-tuning API, with the
/// rows that each example came from.
///
/// The `datasets` library assigns every file whose name contains a split's name to that split, and rejects a split
/// whose files have different columns. The labels of all splits are therefore in one file with a neutral name, a
/// split without examples has no file, and `README.md` lists the splits.
struct DatasetFiles {
    struct File {
        let name: String
        let bytes: [UInt8]
    }

    let supervised: [File]
    let preference: [File]

    /// Makes the files of both datasets from the results of training.
    static func make(from outcome: TrainingOutcome) throws(ObjectError) -> DatasetFiles {
        let texts = try quotedTexts(outcome)
        let keys = outcome.features.keys.all
        var files = SplitFiles()
        for (question, answer) in zip(outcome.set.questions, outcome.answers) {
            let example: JSON = [
                "messages": [
                    message(.user, question.question),
                    message(.assistant, texts[answer] ?? ""),
                ]
            ]
            let label: JSON = [
                "id": .string(question.id), "question": .string(question.question),
                "rows": .array(question.rows.map { .string(keys[$0]) }),
            ]
            files.append(example, label, isHeldOut: question.isHeldOut)
        }
        let feedback = outcome.set.feedback
        for example in feedback?.supervised ?? [] {
            files.append(example.json, example.feedback.label, isHeldOut: example.isHeldOut)
        }
        let supervised = files.files(
            title: "Questions and answers for supervised fine-tuning, made by fti-training.",
            hasFeedback: feedback != nil)

        files = SplitFiles()
        for preference in outcome.set.preferences {
            let example: JSON = [
                "prompt": [message(.user, preference.question)],
                "chosen": [message(.assistant, texts[preference.chosen[0]] ?? "")],
                "rejected": [message(.assistant, texts[preference.rejected[0]] ?? "")],
            ]
            let label: JSON = [
                "id": .string(preference.id), "question": .string(preference.question),
                "chosen": .array(preference.chosen.map { .string(keys[$0]) }),
                "rejected": .array(preference.rejected.map { .string(keys[$0]) }),
            ]
            files.append(example, label, isHeldOut: preference.isHeldOut)
        }
        for example in feedback?.preferences ?? [] {
            files.append(example.json, example.label, isHeldOut: example.isHeldOut)
        }
        let preference = files.files(
            title: "Pairs of answers for preference training, made by fti-training.",
            hasFeedback: feedback != nil)
        return DatasetFiles(supervised: supervised, preference: preference)
    }

    private static func message(_ role: ChatMessage.Role, _ content: String) -> JSON {
        ChatMessage(role, content).json
    }

    /// The texts of the rows that examples quote, by row.
    private static func quotedTexts(
        _ outcome: TrainingOutcome
    ) throws(ObjectError) -> [Int: String] {
        let quoted = outcome.set.preferences.flatMap { [$0.chosen[0], $0.rejected[0]] }
        let rows = Set(outcome.answers + quoted).sorted()
        let found = try outcome.features.index.rows(at: rows, in: outcome.features.source)
        return Dictionary(uniqueKeysWithValues: zip(rows, found.map(\.text)))
    }
}

/// Examples by split, with the labels that they came from.
struct SplitFiles {
    // The names of the splits follow the conventions of the `datasets` library.
    private var train = Split(name: "train", fileName: "train.jsonl")
    private var heldOut = Split(name: "test", fileName: "heldout.jsonl")
    private var labels: [UInt8] = []

    private struct Split {
        let name: String
        let fileName: String
        var examples: [UInt8] = []
        var count = 0

        mutating func append(_ example: JSON, _ label: JSON, labels: inout [UInt8]) {
            example.appendCanonical(to: &examples)
            examples.append(0x0A)
            var label = label.object ?? JSONObject()
            label["split"] = .string(name)
            label["index"] = .integer(count)
            JSON.object(label).appendCanonical(to: &labels)
            labels.append(0x0A)
            count += 1
        }
    }

    mutating func append(_ example: JSON, _ label: JSON, isHeldOut: Bool) {
        if isHeldOut {
            heldOut.append(example, label, labels: &labels)
        } else {
            train.append(example, label, labels: &labels)
        }
    }

    func files(title: String, hasFeedback: Bool = false) -> [DatasetFiles.File] {
        let splits = [train, heldOut].filter { $0.count > 0 }
        return splits.map { DatasetFiles.File(name: $0.fileName, bytes: $0.examples) } + [
            DatasetFiles.File(name: "labels.jsonl", bytes: labels),
            DatasetFiles.File(
                name: "README.md", bytes: Array(readme(splits, title: title, hasFeedback).utf8)),
        ]
    }

    private func readme(_ splits: [Split], title: String, _ hasFeedback: Bool) -> String {
        var lines: [String] = []
        if !splits.isEmpty {
            lines += ["---", "configs:", "- config_name: default", "  data_files:"]
            for split in splits {
                lines += ["  - split: \(split.name)", "    path: \(split.fileName)"]
            }
            lines += ["---", ""]
        }
        lines += [
            title, "",
            "Each line of `labels.jsonl` says which rows of the features the example `index` of `split` was made from.",
        ]
        if hasFeedback {
            lines += [
                "",
                "For an example made from feedback it names the feedback, the answer, its release and "
                    + "features, and the keys of the rows that were shown.",
            ]
        }
        return lines.joined(separator: "\n") + "\n"
    }
}
