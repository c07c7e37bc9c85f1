internal import Artifacts
internal import Objects

/// The files of the two datasets: chat and preference examples in the form that TRL and the OpenAI
/// fine-tuning interface take, and the rows of the features that each was made from.
///
/// The `datasets` library takes every file for data of a split whose name has the split's in it, and refuses a split of
/// files with different columns. So the labels of all splits are in one file without such a name, a split without
/// examples has no file, and `README.md` says which splits there are.
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
        var files = SplitFiles()
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
            files.append(example, label, isHeldOut: question.isHeldOut)
        }
        supervised = files.files(
            title: "Questions and answers for supervised fine-tuning, made by fti-training.")

        files = SplitFiles()
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
            files.append(example, label, isHeldOut: preference.isHeldOut)
        }
        preference = files.files(
            title: "Pairs of answers for preference training, made by fti-training.")
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
}
