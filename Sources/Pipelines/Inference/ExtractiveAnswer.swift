internal import Artifacts
internal import Objects
internal import TextAnalysis

/// The answer stage without a language model: it quotes the sentences that best cover the question.
struct ExtractiveAnswer: Sendable {
    /// The most units to quote.
    static let limit = 3
    /// The number of chunks of which one is quoted; lower-ranked ones only serve as further reading.
    static let quotedChunks = 2
    /// A unit merely echoes the question if words of the question make up more than this share of it.
    private static let echoing = 0.75
    /// The least share of the question that a further unit must add, and how far its score may be below that of the
    /// best unit.
    private static let leastGain = 0.15
    private static let leastScore = 2.0

    /// The weights of a unit's score, chosen on questions about one manual and tested on another (`docs/training.md`).
    private enum Weights {
        /// The share of the question that the unit covers.
        static let coverage = 10.0
        /// The score of its chunk relative to the best chunk.
        static let chunk = 8.0
        /// The first unit of a section introduces its topic.
        static let first = 1.5
        /// A unit that introduces something explains how to use it.
        static let announcing = 0.6
        /// A unit of few words seldom answers a question; a very long one matches many words by chance.
        static let short = 4.0
        static let long = 1.0
        /// Code alone explains nothing.
        static let verbatim = 2.0
        /// A unit with little beyond the question's words is a heading, and a question answers nothing.
        static let echo = 1.0
        static let question = 3.0
    }

    /// The quoted units, best first; empty without chunks.
    let units: [QuotedUnit]
    /// The rank, from 0, of the chunk that all units come from; nil where nothing is quoted.
    let place: Int?

    private struct Unit {
        let place: Int
        let position: Int
        let quoted: QuotedUnit
        let words: WordSet
        let score: Double
    }

    /// Chooses the units to quote; none where the chunks do not answer the question.
    init(of retrieval: Retrieval) {
        self = Self.choose(
            retrieval.question, retrieval.phrases,
            from: retrieval.isAnswered ? retrieval.chunks : [])
    }

    private init(units: [QuotedUnit], place: Int?) {
        self.units = units
        self.place = place
    }

    /// Chooses the units to quote.
    ///
    /// - Parameter phrases: Phrases that the question demands word for word.
    private static func choose(
        _ question: Question, _ phrases: QuotedPhrases, from chunks: [FoundChunk]
    ) -> ExtractiveAnswer {
        let all = chunks.prefix(quotedChunks).enumerated().flatMap { place, chunk in
            Self.units(of: chunk, at: place, best: chunks[0], question)
        }
        let demanded = phrases.isEmpty ? [] : all.filter { phrases.isAny(in: $0.quoted.text) }
        let units = demanded.isEmpty ? all : demanded
        guard let best = units.max(by: { ($0.score, $1.place) < ($1.score, $0.place) }) else {
            return ExtractiveAnswer(units: [], place: nil)
        }
        var chosen = [best]
        var covered = best.words
        // An introduction alone is worthless, so the code that it introduces is quoted with it.
        let next = units.first { $0.place == best.place && $0.position == best.position + 1 }
        if let next, next.quoted.isVerbatim, best.quoted.announces {
            chosen.append(next)
            covered.formUnion(next.words)
        }
        let rest = units.filter {
            $0.place == best.place && !$0.quoted.isVerbatim
                && $0.score >= best.score - leastScore
        }
        while chosen.count < limit {
            let gains = rest.filter { unit in
                !chosen.contains { $0.position == unit.position }
            }.map { (unit: $0, gain: question.share(of: $0.words.subtracting(covered))) }
            guard let further = gains.max(by: { $0.gain < $1.gain }), further.gain >= leastGain
            else { break }
            chosen.append(further.unit)
            covered.formUnion(further.unit.words)
        }
        return ExtractiveAnswer(units: chosen.map(\.quoted), place: best.place)
    }

    private static func units(
        of chunk: FoundChunk, at place: Int, best: FoundChunk, _ question: Question
    ) -> [Unit] {
        // Ratios of negative scores mean nothing, and no more do those of a reranker, so ranks take their place.
        let fit =
            best.score > 0 && best.rerank == nil
            ? max(0, min(1, chunk.score / best.score)) : 1 / Double(1 + place)
        return QuotedUnit.units(of: chunk.row.text).enumerated().map { position, unit in
            let words = question.words(foundIn: unit.text)
            let length = Double(unit.wordCount)
            var score = Weights.coverage * question.share(of: words) + Weights.chunk * fit
            if chunk.row.ordinal == 0, position == 0 { score += Weights.first }
            if unit.announces { score += Weights.announcing }
            if unit.isVerbatim { score -= Weights.verbatim }
            if unit.isQuestion { score -= Weights.question }
            if Double(words.count) > Self.echoing * length { score -= Weights.echo }
            score -= Weights.short * max(0, 1 - length / 8)
            score -= Weights.long * max(0, PortableMath.log(max(1, length) / 35))
            return Unit(place: place, position: position, quoted: unit, words: words, score: score)
        }
    }
}

/// A part of a chunk that is quoted as a whole: a sentence, a list item, a table row, or a block of code.
struct QuotedUnit: Hashable, Sendable {
    /// The quoted text; it keeps line breaks only in code.
    let text: String
    /// Whether the unit is code, whose lines and spaces matter.
    let isVerbatim: Bool

    /// The text of quoted units: sentences in sequence, code on lines of its own; empty without units.
    ///
    /// - Parameter number: The number of the source that they come from, which follows them as `[1]`; nil for none.
    static func text(of units: [QuotedUnit], citing number: Int? = nil) -> String {
        var text = ""
        for unit in units {
            if !text.isEmpty { text += unit.isVerbatim || text.last == "\n" ? "\n" : " " }
            text += unit.isVerbatim ? unit.text + "\n" : unit.text
        }
        if text.last == "\n" { text.removeLast() }
        guard let number else { return text }
        return text + (units.last?.isVerbatim == true ? "\n" : " ") + "[\(number)]"
    }

    var wordCount: Int { text.split(whereSeparator: \.isWhitespace).count }

    /// Whether the unit introduces what follows it.
    var announces: Bool { text.last == ":" || text.hasSuffix("example") }

    var isQuestion: Bool { text.last.map { "?？؟".contains($0) } ?? false }

    /// The units of a row's text, in order.
    ///
    /// Empty lines separate blocks. A block of one line is running text. A block of several lines is a list or a table,
    /// where each line is a unit, or code, which is a single unit.
    static func units(of text: String) -> [QuotedUnit] {
        var units: [QuotedUnit] = []
        for block in blocks(of: text) {
            if block.count > 1, !block.contains(where: { isItem($0) }), isCode(block) {
                units.append(QuotedUnit(text: block.joined(separator: "\n"), isVerbatim: true))
                continue
            }
            for line in block {
                units += sentences(of: line).map { QuotedUnit(text: $0, isVerbatim: false) }
            }
        }
        return units.filter { unit in unit.text.contains { $0.isLetter || $0.isNumber } }
    }

    private static func blocks(of text: String) -> [[Substring]] {
        var blocks: [[Substring]] = [[]]
        for line in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline) {
            if line.allSatisfy(\.isWhitespace) {
                if blocks.last?.isEmpty == false { blocks.append([]) }
            } else {
                blocks[blocks.count - 1].append(line)
            }
        }
        return blocks.filter { !$0.isEmpty }
    }

    /// Whether lines look like code: some are indented, or most contain characters that are rare in prose.
    private static func isCode(_ lines: [Substring]) -> Bool {
        if lines.contains(where: { $0.first?.isWhitespace ?? false }) { return true }
        let signs: Set<Character> = ["{", "}", ";", "=", "$", "<", ">", "#", "@", "("]
        return lines.count { line in line.contains { signs.contains($0) } } * 2 > lines.count
            && !lines.contains { $0.first == "|" }
    }

    private static func isItem(_ line: Substring) -> Bool {
        guard let word = line.split(whereSeparator: \.isWhitespace).first else { return false }
        if ["-", "*", "+", "•"].contains(word) { return true }
        return word.count <= 4 && word.last == "." && word.dropLast().allSatisfy(\.isNumber)
    }

    /// The sentences of a line, with single spaces; a table row is one sentence.
    private static func sentences(of line: Substring) -> [String] {
        let words = line.split(whereSeparator: \.isWhitespace)
        return words.first?.first == "|" ? [words.joined(separator: " ")] : Sentences.split(line)
    }
}

/// The judgement on whether the retrieved chunks answer a question, with its reasons.
struct Judgement: Sendable {
    /// Whether the chunks answer the question.
    let isAnswered: Bool
    /// The reason, as the end of a sentence.
    let reason: String
    /// The demanded phrases that no chunk contains.
    let missingPhrases: [String]
    /// The evidence, in the order of ``AnsweringRule/Evidence``.
    let evidence: [Double]
    /// The score of the evidence.
    let score: Double
    /// The least score of an answer.
    let threshold: Double

    /// A question is unanswered if the missing phrases make up at least this share of it.
    private static let greatestMissing = 0.5

    init(_ found: Retriever.RetrievalResult, ranker: Ranker) {
        let rule = ranker.answering
        evidence = found.evidence
        score = rule.score(evidence)
        threshold = rule.threshold
        missingPhrases = found.missingPhrases
        if found.chunks.isEmpty {
            (isAnswered, reason) = (false, "no row matches the question and its condition")
        } else if let missing = Self.words(found.missingPhrases),
            found.missingShare >= Self.greatestMissing
        {
            (isAnswered, reason) = (false, "no chunk contains \(missing)")
        } else if found.hasPhrase {
            (isAnswered, reason) = (true, "the chunks contain a quoted phrase")
        } else if score < threshold {
            (isAnswered, reason) = (false, "no chunk covers enough of the question")
        } else {
            (isAnswered, reason) = (true, "the best chunks cover enough of the question")
        }
    }

    /// The phrases in quotation marks, for a sentence; nil without any.
    static func words(_ phrases: [String]) -> String? {
        phrases.isEmpty ? nil : phrases.map { "\u{201C}\($0)\u{201D}" }.joined(separator: ", ")
    }

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
