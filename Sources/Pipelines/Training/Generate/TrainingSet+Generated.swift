internal import TextAnalysis

extension TrainingSet {
    /// Adds the examples of a language model.
    ///
    /// - Parameters:
    ///   - heldOut: Decides which of them are held out; nil to train on all.
    ///   - teachesRanker: Whether some of their questions become questions of the ranker, as the questions do that are
    ///     generated from headings: only where people label none.
    mutating func add(
        _ examples: GeneratedExamples, heldOut: HeldOut?, teachesRanker: Bool
    ) {
        var examples = examples
        if let heldOut {
            var fates = SplitFates(heldOut)
            for preference in preferences {
                fates.record(preference.question, isHeldOut: preference.isHeldOut)
            }
            for index in examples.all.indices {
                let example = examples.all[index]
                examples.all[index].isHeldOut = fates.isHeldOut(example.question, id: example.id)
            }
        }
        generated = examples
        guard teachesRanker else { return }
        // More questions would slow the ranker's training without improving it.
        let chosen = examples.all.map { (hash: TermHash.of($0.id), example: $0) }
            .sorted { ($0.hash, $0.example.id) < ($1.hash, $1.example.id) }
            .prefix(SectionQuestions.limit)
        questions += chosen.map(\.example).sorted { $0.id < $1.id }.map { example in
            ResolvedQuestion(
                id: example.id, question: example.question, rows: example.rows,
                isHeldOut: example.isHeldOut, isModelMade: true)
        }
    }
}
