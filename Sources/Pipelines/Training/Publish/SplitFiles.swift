internal import Objects

/// Examples by split, and what each was made from.
struct SplitFiles {
    // Named as the `datasets` library names splits.
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

    func files(title: String) -> [DatasetFiles.File] {
        let splits = [train, heldOut].filter { $0.count > 0 }
        return splits.map { DatasetFiles.File(name: $0.fileName, bytes: $0.examples) } + [
            DatasetFiles.File(name: "labels.jsonl", bytes: labels),
            DatasetFiles.File(name: "README.md", bytes: Array(readme(splits, title: title).utf8)),
        ]
    }

    private func readme(_ splits: [Split], title: String) -> String {
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
        return lines.joined(separator: "\n") + "\n"
    }
}
