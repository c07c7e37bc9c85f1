internal import Artifacts
internal import Objects

/// The files of the two datasets: chat and preference examples in the form that TRL and the OpenAI
/// fine-tuning interface take, and beside each the rows of the features that it was made from.
struct DatasetFiles {
    struct File {
        let name: String
        let bytes: [UInt8]
    }

    let supervised: [File]
    let preference: [File]

    init(_ outcome: TrainingOutcome) throws(ObjectError) {
        let texts = try Texts(outcome)
        let keys = outcome.features.keys.all
        var trainFiles = LinePair(part: "train")
        var heldOutFiles = LinePair(part: "heldout")
        for (question, answer) in zip(outcome.set.questions, outcome.answers) {
            let example: JSON = [
                "messages": [
                    Self.message("user", question.question),
                    Self.message("assistant", texts[answer]),
                ]
            ]
            let label: JSON = [
                "id": .string(question.id), "question": .string(question.question),
                "rows": .array(question.rows.map { .string(keys[$0]) }),
            ]
            if question.isHeldOut {
                heldOutFiles.append(example, label)
            } else {
                trainFiles.append(example, label)
            }
        }
        supervised = trainFiles.files + heldOutFiles.files

        trainFiles = LinePair(part: "train")
        heldOutFiles = LinePair(part: "heldout")
        for preference in outcome.set.preferences {
            let example: JSON = [
                "prompt": [Self.message("user", preference.question)],
                "chosen": [Self.message("assistant", texts[preference.chosen[0]])],
                "rejected": [Self.message("assistant", texts[preference.rejected[0]])],
            ]
            let label: JSON = [
                "id": .string(preference.id), "question": .string(preference.question),
                "chosen": .array(preference.chosen.map { .string(keys[$0]) }),
                "rejected": .array(preference.rejected.map { .string(keys[$0]) }),
            ]
            if preference.isHeldOut {
                heldOutFiles.append(example, label)
            } else {
                trainFiles.append(example, label)
            }
        }
        preference = trainFiles.files + heldOutFiles.files
    }

    private static func message(_ role: String, _ content: String) -> JSON {
        ["role": .string(role), "content": .string(content)]
    }

    /// The texts of the rows that examples quote.
    private struct Texts {
        private var texts: [Int: String] = [:]

        init(_ outcome: TrainingOutcome) throws(ObjectError) {
            let quoted = outcome.set.preferences.flatMap { [$0.chosen[0], $0.rejected[0]] }
            let rows = Set(outcome.answers + quoted).sorted()
            let index = outcome.features.index
            for (row, content) in zip(rows, try index.rows(at: rows, in: outcome.features.source)) {
                texts[row] = content.text
            }
        }

        subscript(row: Int) -> String { texts[row] ?? "" }
    }

    /// Examples and their labels, line by line.
    private struct LinePair {
        let part: String
        private var examples: [UInt8] = []
        private var labels: [UInt8] = []

        init(part: String) { self.part = part }

        mutating func append(_ example: JSON, _ label: JSON) {
            example.appendCanonical(to: &examples)
            examples.append(0x0A)
            label.appendCanonical(to: &labels)
            labels.append(0x0A)
        }

        var files: [File] {
            [
                File(name: "\(part).jsonl", bytes: examples),
                File(name: "\(part).labels.jsonl", bytes: labels),
            ]
        }
    }
}
