public import Artifacts
public import Objects
internal import Storage

/// Quotes the sentences that best cover the question; needs no language model.
public struct ExtractiveGenerator: Generator {
    private let nothingFound: String

    /// Makes a generator.
    ///
    /// - Parameter nothingFound: The answer when the chunks answer nothing.
    public init(nothingFound: String = Prompt.builtin.nothingFound.text) {
        self.nothingFound = nothingFound
    }

    /// Nil: no language model takes part.
    public var model: String? { nil }

    /// The previous question and this one; see ``Generator``.
    public func standalone(
        _ question: String, after conversation: [ChatMessage], by deadline: Deadline
    ) throws(GenerationError) -> String {
        Standalone.joined(question, after: conversation)
    }

    /// Quotes from the best chunks, and cites the one that is quoted; see ``Generator``.
    public func generate(
        _ request: GenerationRequest, by deadline: Deadline, part: (String) -> Void
    ) throws(GenerationError) -> GeneratedAnswer {
        let chunks = request.retrieval.chunks
        let answer = ExtractiveAnswer(of: request.retrieval)
        guard let place = answer.place else {
            part(nothingFound)
            return GeneratedAnswer(
                text: nothingFound, isAnswered: false, shown: chunks.count)
        }
        let text = QuotedUnit.text(of: answer.units, citing: place + 1)
        part(text)
        return GeneratedAnswer(
            text: text, isAnswered: true, citations: Citations(shown: [place + 1]),
            shown: chunks.count)
    }
}
