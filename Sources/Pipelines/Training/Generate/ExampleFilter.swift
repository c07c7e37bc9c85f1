internal import Artifacts
internal import TextAnalysis

/// Why an example that a language model made is not used, or not in full.
public enum ExampleFault: String, CaseIterable, Sendable {
    /// The reply is a refusal.
    case refusal = "a refusal"
    /// The reply has no JSON.
    case notJSON = "a reply without JSON"
    /// The JSON has no question with an answer.
    case malformed = "JSON without a question and an answer"
    /// The question or the answer has no words.
    case noWords = "a question or an answer without words"
    /// The question has fewer than three words.
    case tooShort = "a question of fewer than 3 words"
    /// The question or the answer is too long.
    case tooLong = "a question of more than 60 words or an answer of more than 400"
    /// The question contains its answer.
    case quotesAnswer = "a question that contains its answer"
    /// The answer says what the documents do not.
    case notGrounded = "an answer with too few words of the text"
    /// There is a label or another example with this question.
    case duplicate = "a repeated question"
    /// There is a label or another example with nearly this question.
    case nearDuplicate = "a nearly repeated question"
    /// There is no worse answer, so the example makes no pair.
    case noWorse = "no worse answer (used for SFT only)"
    /// The worse answer is the answer, so the example makes no pair.
    case sameWorse = "a worse answer equal to the answer (used for SFT only)"
}

/// Checks the examples of a language model one after the other, and counts the faults.
struct ExampleFilter {
    private(set) var counts: [ExampleFault: Int] = [:]
    private let analyzer: TextAnalyzer
    private var questions: Set<String> = []
    private var near = NearDuplicates()

    private static let leastQuestion = 3
    private static let mostQuestion = 60
    private static let mostAnswer = 400
    /// The least share of an answer's words, without stop words, that occur in the text.
    private static let grounded = 0.5

    /// - Parameter language: The language of the documents, for stems and stop words.
    init(_ language: Language) { analyzer = TextAnalyzer(language: language) }

    /// Adds a question that no example may repeat.
    mutating func exclude(_ question: String) {
        questions.insert(MatchedText.of(question))
        near.add(question)
    }

    /// The examples of a reply that can be used; one without a usable worse answer has none.
    mutating func examples(in reply: String, about text: String) -> [ReplyExamples.Example] {
        let read = ReplyExamples(reply)
        guard read.hasJSON else {
            note(Self.isRefusal(reply) ? .refusal : .notJSON)
            return []
        }
        for _ in 0..<read.malformed { note(.malformed) }
        if read.examples.isEmpty, read.malformed == 0 { note(.malformed) }
        let words = Set(contentWords(of: text))
        return read.examples.compactMap { example in
            if let fault = fault(of: example, words) {
                note(fault)
                return nil
            }
            exclude(example.question)
            var example = example
            if let fault = pairFault(of: example) {
                note(fault)
                example.worse = nil
            }
            return example
        }
    }

    private mutating func note(_ fault: ExampleFault) { counts[fault, default: 0] += 1 }

    private func fault(
        of example: ReplyExamples.Example, _ words: Set<UInt64>
    ) -> ExampleFault? {
        let (asked, said) = (wordCount(of: example.question), wordCount(of: example.answer))
        guard asked > 0, said > 0 else { return .noWords }
        guard asked >= Self.leastQuestion else { return .tooShort }
        guard asked <= Self.mostQuestion, said <= Self.mostAnswer else { return .tooLong }
        guard !Self.isRefusal(example.answer) else { return .refusal }
        let question = MatchedText.of(example.question)
        guard !question.contains(MatchedText.of(example.answer)) else { return .quotesAnswer }
        let answer = contentWords(of: example.answer)
        let found = answer.count { words.contains($0) }
        guard Double(found) >= Self.grounded * Double(answer.count) else { return .notGrounded }
        guard !questions.contains(question) else { return .duplicate }
        return near.matches(example.question).isEmpty ? nil : .nearDuplicate
    }

    private func pairFault(of example: ReplyExamples.Example) -> ExampleFault? {
        guard let worse = example.worse, wordCount(of: worse) > 0 else { return .noWorse }
        return MatchedText.of(worse) == MatchedText.of(example.answer) ? .sameWorse : nil
    }

    private func wordCount(of text: String) -> Int {
        var count = 0
        analyzer.forEachToken(of: text) { if $0.isInSequence { count += 1 } }
        return count
    }

    /// The stems of the words of a text that are no stop words, with repetitions.
    private func contentWords(of text: String) -> [UInt64] {
        var words: [UInt64] = []
        analyzer.forEachToken(of: text) { token in
            if token.isInSequence, !token.isStopWord { words.append(token.stem) }
        }
        return words
    }

    /// What English refusals begin with, and what they say of the text.
    private static let refusals = [
        "i cannot", "i can't", "i can not", "i'm sorry", "i am sorry", "sorry,", "as an ai",
        "i'm unable", "i am unable", "unfortunately, i",
    ]
    private static let absences = [
        "the text does not", "the text doesn't", "not mentioned in the text",
        "the passage does not", "the document does not", "no information about",
    ]

    private static func isRefusal(_ text: String) -> Bool {
        let text = MatchedText.of(String(text.prefix(400))).replacing("\u{2019}", with: "'")
        return refusals.contains { text.hasPrefix($0) } || absences.contains { text.contains($0) }
    }
}
