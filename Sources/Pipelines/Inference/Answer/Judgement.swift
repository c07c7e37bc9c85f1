internal import Artifacts
internal import Objects

/// Whether what was found answers a question, and by what that is told.
struct Judgement: Sendable {
    /// Whether the passages answer it.
    let isAnswered: Bool
    /// Why they do not, as the end of a sentence; why they do, where that is asked.
    let reason: String
    /// The phrases that passages had to have and none has.
    let missingPhrases: [String]
    /// What was looked at, in the order of ``AnsweringRule/Evidence``.
    let evidence: [Double]
    /// What the evidence comes to.
    let score: Double
    /// From which score on there is an answer.
    let threshold: Double

    /// How much of a question phrases may be that no passage has, and it may still be answered.
    private static let greatestMissing = 0.5

    init(_ found: Retriever.Found, ranker: Ranker) {
        let rule = ranker.answering
        evidence = found.evidence
        score = rule.score(evidence)
        threshold = rule.threshold
        missingPhrases = found.missingPhrases
        if found.passages.isEmpty {
            (isAnswered, reason) = (false, "no row fits the question and its condition")
        } else if let missing = Self.words(found.missingPhrases),
            found.missingShare >= Self.greatestMissing
        {
            (isAnswered, reason) = (false, "no passage has the words \(missing)")
        } else if found.hasPhrase {
            (isAnswered, reason) = (true, "passages have the words in quotation marks")
        } else if score < threshold {
            (isAnswered, reason) = (false, "no passage covers enough of the question")
        } else {
            (isAnswered, reason) = (true, "the best passages cover enough of the question")
        }
    }

    /// Phrases in quotation marks, for a sentence; nil without any.
    static func words(_ phrases: [String]) -> String? {
        phrases.isEmpty ? nil : phrases.map { "\u{201C}\($0)\u{201D}" }.joined(separator: ", ")
    }

    /// The judgement as JSON.
    var json: JSON {
        var object = JSONObject()
        for (kind, value) in zip(AnsweringRule.Evidence.allCases, evidence) {
            object[kind.rawValue] = .number(value)
        }
        return [
            "evidence": .object(object), "score": .number(score),
            "threshold": .number(threshold), "reason": .string(reason),
        ]
    }
}
