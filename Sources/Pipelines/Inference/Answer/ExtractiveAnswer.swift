internal import Artifacts
internal import TextAnalysis

/// The answer stage without a language model: it quotes what covers the question best.
struct ExtractiveAnswer: Sendable {
    /// The most units that are quoted.
    static let limit = 3
    /// Passages below this place are sources to read, not to quote.
    static let quotedPassages = 5
    /// What a further unit must add to the covered part of the question, and how much worse than the best it may be.
    private static let leastGain = 0.15
    private static let leastScore = 2.0

    /// What the choice of a unit goes by: fitted to 33 questions on two manuals (`docs/training.md`).
    private enum Weights {
        /// How much of the question the unit has.
        static let coverage = 9.6
        /// How much of it the unit before restates and this one does not have: an answer follows the words of the question.
        static let restated = 8.0
        /// How well its passage fits, against the best.
        static let passage = 5.3
        /// A unit of few words seldom answers, whatever it has.
        static let short = 2.5
        /// Code alone explains nothing.
        static let verbatim = 2.3
        /// What says little but the question's words is a heading or a question itself.
        static let echo = 2.3
    }

    /// What is quoted, the unit that answers best first; none without passages.
    let units: [QuotedUnit]

    private struct Unit {
        let place: Int
        let position: Int
        let quoted: QuotedUnit
        let words: Set<Int>
        let score: Double
    }

    init(_ question: Question, from passages: [Passage]) {
        let units = passages.prefix(Self.quotedPassages).enumerated().flatMap { place, passage in
            Self.units(of: passage, at: place, best: passages[0].score, question)
        }
        guard let best = units.max(by: { ($0.score, $1.place) < ($1.score, $0.place) }) else {
            self.units = []
            return
        }
        var chosen = [best]
        var covered = best.words
        // What announces something is nothing without it.
        let next = units.first { $0.place == best.place && $0.position == best.position + 1 }
        if let next, next.quoted.isVerbatim, best.quoted.announces {
            chosen.append(next)
            covered.formUnion(next.words)
        }
        let rest = units.filter {
            $0.place == best.place && !$0.quoted.isVerbatim
                && $0.score >= best.score - Self.leastScore
        }
        while chosen.count < Self.limit {
            let gains = rest.filter { unit in
                !chosen.contains { $0.position == unit.position }
            }.map { (unit: $0, gain: question.share(of: $0.words.subtracting(covered))) }
            guard let further = gains.max(by: { $0.gain < $1.gain }), further.gain >= Self.leastGain
            else { break }
            chosen.append(further.unit)
            covered.formUnion(further.unit.words)
        }
        self.units = chosen.map(\.quoted)
    }

    private static func units(
        of passage: Passage, at place: Int, best: Double, _ question: Question
    ) -> [Unit] {
        // Scores below zero say nothing in proportion; their order does.
        let fit = best > 0 ? max(0, min(1, passage.score / best)) : 1 / Double(1 + place)
        var restated = 0.0
        return QuotedUnit.units(of: passage.row.text).enumerated().map { position, unit in
            let overlap = question.overlap(with: unit.text)
            let coverage = question.share(of: overlap.words)
            var score = Weights.coverage * coverage + Weights.passage * fit
            score += Weights.restated * restated * (1 - coverage)
            score -= Weights.short * max(0, 1 - Double(unit.wordCount) / 8)
            score -= Weights.echo * overlap.part
            if unit.isVerbatim { score -= Weights.verbatim }
            restated = coverage * overlap.part
            return Unit(
                place: place, position: position, quoted: unit, words: overlap.words, score: score)
        }
    }
}
