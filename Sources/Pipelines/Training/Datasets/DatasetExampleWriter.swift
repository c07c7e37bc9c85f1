internal import Artifacts
internal import Objects
internal import Storage

/// Turns the results of training into the examples of both datasets: labels first, then what a language model made, then
/// feedback.
struct DatasetExampleWriter {
    private let outcome: TrainingOutcome
    private let prompt: ServedPrompt?
    private let keys: [String]

    init(_ outcome: TrainingOutcome, _ prompt: ServedPrompt?) {
        self.outcome = outcome
        self.prompt = prompt
        keys = outcome.features.keys.all
    }

    /// What the README says about examples that do not come from labels.
    var notes: [String] {
        var notes: [String] = []
        if prompt != nil {
            notes.append(
                "`\(Prompt.fileName)` is the prompt that the conversations were rendered with.")
        }
        if outcome.set.generated != nil {
            notes.append(
                "For an example that a language model made it has `made`: the model, its address, "
                    + "and the hash of the request.")
        }
        if outcome.set.feedback != nil {
            notes.append(
                "For an example made from feedback it names the feedback, the answer, its release and "
                    + "features, and the keys of the rows that were shown.")
        }
        return notes
    }

    /// The examples for supervised fine-tuning.
    func supervised() throws(TrainingError) -> SplitFiles {
        var files = SplitFiles()
        let labelled = zip(outcome.set.questions, outcome.answers).filter { !$0.0.isModelMade }
        let asked = try asked(labelled.map { ($0.0.question, $0.0.rows, $0.1) })
        let texts = try texts(of: asked.map(\.answer))
        for ((question, _), asked) in zip(labelled, asked) {
            let answer = question.answer ?? asked.quoting(texts[asked.answer], row: asked.answer)
            let label: JSON = [
                "id": .string(question.id), "question": .string(question.question),
                "rows": names(question.rows),
            ]
            files.append(asked.conversation(answer), label, isHeldOut: question.isHeldOut)
        }
        let generated = outcome.set.generated?.all ?? []
        for (example, asked) in zip(
            generated, try self.asked(generated.map { ($0.question, $0.rows, $0.rows[0]) }))
        {
            let label: JSON = [
                "id": .string(example.id), "question": .string(example.question),
                "rows": names(example.rows), "made": example.origin.json,
            ]
            files.append(
                asked.conversation(asked.quoting(example.answer, row: asked.answer)), label,
                isHeldOut: example.isHeldOut)
        }
        for example in outcome.set.feedback?.supervised ?? [] {
            files.append(example.json, example.feedback.label, isHeldOut: example.isHeldOut)
        }
        return files
    }

    /// The pairs for preference optimisation.
    func preferences() throws(TrainingError) -> SplitFiles {
        var files = SplitFiles()
        let labelled = outcome.set.preferences.filter { !$0.isModelMade }
        let asked = try asked(labelled.map { ($0.question, $0.chosen, $0.chosen[0]) })
        let texts = try texts(of: labelled.flatMap { [$0.chosen[0]] + $0.rejected.prefix(1) })
        for (preference, asked) in zip(labelled, asked) {
            let (chosen, rejected) = (preference.chosen[0], preference.rejected.first)
            let label: JSON = [
                "id": .string(preference.id), "question": .string(preference.question),
                "chosen": names(preference.chosen), "rejected": names(preference.rejected),
            ]
            files.append(
                asked.pair(
                    preference.answer ?? asked.quoting(texts[chosen], row: chosen),
                    over: preference.worse
                        ?? rejected.map { asked.quoting(texts[$0], row: $0) } ?? ""),
                label, isHeldOut: preference.isHeldOut)
        }
        let generated = (outcome.set.generated?.all ?? []).filter { $0.worse != nil }
        for (example, asked) in zip(
            generated, try self.asked(generated.map { ($0.question, $0.rows, $0.rows[0]) }))
        {
            let label: JSON = [
                "id": .string(example.id), "question": .string(example.question),
                "chosen": names(example.rows), "rejected": names(example.rows),
                "made": example.origin.json,
            ]
            files.append(
                asked.pair(
                    asked.quoting(example.answer, row: asked.answer),
                    over: asked.quoting(example.worse, row: asked.answer)),
                label, isHeldOut: example.isHeldOut)
        }
        for example in outcome.set.feedback?.preferences ?? [] {
            files.append(example.json, example.label, isHeldOut: example.isHeldOut)
        }
        return files
    }

    /// A question as the dataset asks it.
    private struct Asked {
        let messages: [ChatMessage]
        /// The row that represents the answer.
        let answer: Int
        /// The rendered prompt; nil for the question alone.
        let rendered: ServedPrompt.Conversation?

        /// An answer that quotes or restates a row; it cites the row if the prompt shows it.
        func quoting(_ text: String?, row: Int) -> String {
            rendered?.citing(text ?? "", row: row) ?? text ?? ""
        }

        func conversation(_ answer: String) -> JSON {
            ["messages": .array((messages + [ChatMessage(.assistant, answer)]).map(\.json))]
        }

        func pair(_ chosen: String, over rejected: String) -> JSON {
            [
                "prompt": .array(messages.map(\.json)),
                "chosen": [ChatMessage(.assistant, chosen).json],
                "rejected": [ChatMessage(.assistant, rejected).json],
            ]
        }
    }

    /// Asks questions, each with the rows that answer it and the one to quote if there is no prompt.
    private func asked(
        _ questions: [(question: String, rows: [Int], answer: Int)]
    ) throws(TrainingError) -> [Asked] {
        guard let prompt else {
            return questions.map {
                Asked(
                    messages: [ChatMessage(.user, $0.question)], answer: $0.answer, rendered: nil)
            }
        }
        return try prompt.conversations(
            questions.map { .init(question: $0.question, rows: $0.rows) }
        )
        .map { Asked(messages: $0.messages, answer: $0.answer, rendered: $0) }
    }

    private func names(_ rows: [Int]) -> JSON { .array(rows.map { .string(keys[$0]) }) }

    /// The texts of rows.
    private func texts(of rows: [Int]) throws(TrainingError) -> [Int: String] {
        let rows = Set(rows).sorted()
        let found = try wrapping(
            outcome.features.index.rows(at: rows, in: outcome.features.source),
            as: TrainingError.objects)
        return Dictionary(uniqueKeysWithValues: zip(rows, found.map(\.text)))
    }
}
