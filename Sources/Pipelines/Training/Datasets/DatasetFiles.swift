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
    ///
    /// - Parameter prompt: Renders the questions as the service asks them; nil to leave them as they are.
    static func make(
        from outcome: TrainingOutcome, prompt: ServedPrompt?
    ) throws(TrainingError) -> DatasetFiles {
        let examples = DatasetExampleWriter(outcome, prompt)
        let shared = prompt.map { [File(name: Prompt.fileName, bytes: $0.prompt.encoded)] } ?? []
        return DatasetFiles(
            supervised: try examples.supervised().files(
                title: "Questions and answers for supervised fine-tuning, made by fti-training.",
                notes: examples.notes) + shared,
            preference: try examples.preferences().files(
                title: "Pairs of answers for preference training, made by fti-training.",
                notes: examples.notes) + shared)
    }
}

/// Examples by split, with the labels that they came from.
struct SplitFiles {
    // The names of the splits follow the conventions of the `datasets` library.
    static let heldOutSplit = "test"
    private var train = Split(name: "train", fileName: "train.jsonl")
    private var heldOut = Split(name: heldOutSplit, fileName: "heldout.jsonl")
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

    /// The files; `notes` are paragraphs of the README.
    func files(title: String, notes: [String] = []) -> [DatasetFiles.File] {
        let splits = [train, heldOut].filter { $0.count > 0 }
        return splits.map { DatasetFiles.File(name: $0.fileName, bytes: $0.examples) } + [
            DatasetFiles.File(name: "labels.jsonl", bytes: labels),
            DatasetFiles.File(
                name: "README.md", bytes: Array(readme(splits, title: title, notes).utf8)),
        ]
    }

    private func readme(_ splits: [Split], title: String, _ notes: [String]) -> String {
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
        for note in notes { lines += ["", note] }
        return lines.joined(separator: "\n") + "\n"
    }
}
