internal import Artifacts

/// The answer stage without a language model: it quotes the sentences that cover the question best.
struct ExtractiveAnswer: Sendable {
    /// The most sentences that are quoted.
    static let limit = 3
    /// Passages below this place are sources to read, not to quote.
    private static let quotedPassages = 3
    /// What a further sentence must add to the covered part of the question.
    private static let leastGain = 0.25
    /// What a sentence loses for each place of its passage: a better passage wins against a little more
    /// coverage.
    private static let placeCost = 0.05

    /// The quoted sentences, the one that covers most of the question first; none without passages.
    let sentences: [String]

    private struct Candidate {
        let place: Int
        let position: Int
        let text: String
        let words: Set<Int>
    }

    init(_ question: QuestionText, from passages: [Passage]) {
        var candidates: [Candidate] = []
        for (place, passage) in passages.prefix(Self.quotedPassages).enumerated() {
            for (position, text) in Sentences.split(passage.row.text).enumerated() {
                candidates.append(
                    Candidate(
                        place: place, position: position, text: text,
                        words: question.words(foundIn: text)))
            }
        }
        var chosen: [Candidate] = []
        var covered: Set<Int> = []
        while chosen.count < Self.limit {
            var best: (gain: Double, candidate: Candidate)?
            for candidate in candidates
            where !chosen.contains(where: {
                $0.place == candidate.place && $0.position == candidate.position
            }) {
                let added = question.share(of: candidate.words.subtracting(covered))
                let gain = added - Self.placeCost * Double(candidate.place)
                if gain > (best?.gain ?? -.infinity) { best = (gain, candidate) }
            }
            // The first sentence is quoted whatever it covers: a passage was found for a reason.
            guard let best, chosen.isEmpty || best.gain >= Self.leastGain else { break }
            chosen.append(best.candidate)
            covered.formUnion(best.candidate.words)
        }
        sentences = chosen.map(\.text)
    }
}
