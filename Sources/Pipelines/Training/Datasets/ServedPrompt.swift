internal import Artifacts
internal import Objects
internal import Storage

/// A labelled question, as the prompt of the service asks it: a language model is then tuned on the template that it
/// will be served with.
struct ServedPrompt: Sendable {
    /// A question to ask.
    struct Request: Sendable {
        let question: String
        /// The rows that answer it: the best of them is one of the passages.
        let rows: [Int]
    }

    /// The messages before the answer.
    struct Conversation: Sendable {
        let messages: [ChatMessage]
        /// The rows of the passages, in the order of their numbers.
        let passages: [Int]
        /// The row that represents the answer.
        let answer: Int

        /// An answer that quotes or restates a row: it ends with the number of the passage, as prompts ask for.
        func citing(_ text: String, row: Int) -> String {
            guard let place = passages.firstIndex(of: row) else { return text }
            let end = text.lastIndex { !$0.isWhitespace }
            return (end.map { text[...$0] } ?? "") + " [\(place + 1)]"
        }
    }

    let prompt: Prompt
    let features: TrainingFeatures
    let retrieval: RetrievalSettings
    let threads: Int

    /// The questions prepared at a time, which bounds the memory for their candidates.
    private static let group = 256

    /// Renders questions, with the passages that retrieval by the untrained rule finds; the result does not depend on
    /// the number of threads.
    func conversations(_ requests: [Request]) throws(TrainingError) -> [Conversation] {
        let pool = CandidatePool(
            features: features, ranker: .untrained(for: features.space, retrieval: retrieval),
            threads: threads)
        var conversations: [Conversation] = []
        for start in stride(from: 0, to: requests.count, by: Self.group) {
            let group = requests[start..<min(requests.count, start + Self.group)]
            let prepared = try pool.prepare(group.map { .init(question: $0.question, added: []) })
            for (request, prepared) in zip(group, prepared) {
                let order = HybridRetrieval.order(
                    prepared.signals.scores(pool.ranker.factors), places: prepared.places,
                    perDocument: retrieval.perDocument)
                conversations.append(
                    try wrapping(
                        conversation(request, ranked: order.map { prepared.rows[$0] }),
                        as: TrainingError.objects))
            }
        }
        return conversations
    }

    private func conversation(
        _ request: Request, ranked: [Int]
    ) throws(ObjectError) -> Conversation {
        let right = Set(request.rows)
        let answer = ranked.first { right.contains($0) } ?? request.rows[0]
        var shown = Array(ranked.prefix(retrieval.k))
        if !shown.contains(answer) { shown = shown.prefix(retrieval.k - 1) + [answer] }
        while true {
            let rows = try features.index.rows(at: shown, in: features.source, threads: 1)
            let rendered = prompt.render(
                question: request.question, passages: rows.map { Prompt.Passage($0) })
            if let place = shown.firstIndex(of: answer), place >= rendered.shown, place > 0 {
                // The budget leaves out the last passages, but not the one that answers.
                shown = shown.prefix(rendered.shown - 1) + [answer]
                continue
            }
            return Conversation(
                messages: rendered.messages, passages: Array(shown.prefix(rendered.shown)),
                answer: answer)
        }
    }
}
