internal import Artifacts
internal import Objects

/// Whether what was found answers a question, and by what that is told.
struct Judgement: Sendable {
    /// Whether the passages answer it.
    let isAnswered: Bool
    /// Why they do not, as the end of a sentence; why they do, where that is asked.
    let reason: String
    /// What was looked at, in the order of ``AnsweringRule/Evidence``.
    let evidence: [Double]
    /// What the evidence comes to.
    let score: Double
    /// From which score on there is an answer.
    let threshold: Double

    init(_ found: Retriever.Found, ranker: Ranker) {
        let rule = ranker.answering
        evidence = found.evidence
        score = rule.score(evidence)
        threshold = rule.threshold
        if found.passages.isEmpty {
            (isAnswered, reason) = (false, "there are no passages to answer from")
        } else if let phrase = found.missingPhrases.first {
            (isAnswered, reason) = (false, "no passage has the words \u{201C}\(phrase)\u{201D}")
        } else if score < threshold {
            (isAnswered, reason) = (false, "no passage has enough of what is asked")
        } else {
            (isAnswered, reason) = (true, "the best passages have enough of what is asked")
        }
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
