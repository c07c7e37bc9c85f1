public import Conditions
public import Artifacts
public import Objects
internal import Refs

/// An answer, its sources, and the hashes of the versions that it came from.
public struct Reply: Sendable {
    /// The chunks that it comes from.
    let retrieval: Retrieval
    /// The quoted units, and the chunk that they come from.
    private let extract: ExtractiveAnswer
    /// The versions that it comes from.
    private let versions: ChosenVersions
    /// The embedding space.
    public let space: ObjectID

    init(retrieval: Retrieval, answer: ExtractiveAnswer, versions: ResolvedVersions) {
        self.retrieval = retrieval
        extract = answer
        self.versions = versions.chosen
        space = versions.space.id
    }

    /// The question.
    public var question: String { retrieval.text }
    /// The best chunks, best first.
    public var sources: [FoundChunk] { retrieval.chunks }
    /// The features snapshot.
    public var features: ObjectID { versions.roles.features }
    /// The model snapshot; nil when a release without a ranker answers.
    public var model: ObjectID? { versions.roles.ranker }
    /// The model snapshot of the reranker; nil where none takes part.
    public var reranker: ObjectID? { versions.roles.reranker }
    /// The release that binds both, when the selection named one.
    public var release: ObjectID? { versions.release }
    /// The newest transaction of the state that the answer comes from; for pinned versions, the lock file's.
    public var transaction: Int { versions.transaction }
    /// The condition on all chunks; nil when they come from all rows.
    public var condition: Condition? { retrieval.condition }

    private var judgement: Judgement { retrieval.judgement }
    private var units: [QuotedUnit] { extract.units }
    private var quotedPlace: Int? { extract.place }
    private var ranker: Ranker { retrieval.ranker }
    /// How the search found the chunks.
    public var search: SearchMode { retrieval.search }

    /// Whether the chunks answer the question.
    public var isAnswered: Bool { !units.isEmpty }

    /// The quoted text: sentences in sequence, code on lines of its own. Empty when nothing answers.
    public var answer: String { QuotedUnit.text(of: units) }

    /// The answer with the number of the source that it quotes, such as `[1]`.
    private var cited: String {
        guard let quotedPlace else { return answer }
        // Sources are listed by section, so the citation has the number of the quoted source's section.
        let row = sources[quotedPlace].row
        let number = sections.firstIndex { Self.isOneSection($0.best.row, row) } ?? 0
        return QuotedUnit.text(of: units, citing: number + 1)
    }

    private static func isOneSection(_ row: FeatureRow, _ other: FeatureRow) -> Bool {
        row.document.utf8.elementsEqual(other.document.utf8)
            && row.section.utf8.elementsEqual(other.section.utf8)
    }

    /// The reply as a JSON object.
    public var json: JSONObject {
        var object = JSONObject()
        object["question"] = .string(question)
        object["answered"] = .bool(isAnswered)
        object["answer"] = .string(answer)
        object["quotes"] = .array(units.map { .string($0.text) })
        object["quotedFrom"] = quotedPlace.map { .integer($0 + 1) } ?? .null
        if !isAnswered { object["reason"] = .string(judgement.reason) }
        if !judgement.missingPhrases.isEmpty {
            object["missingPhrases"] = .array(judgement.missingPhrases.map { .string($0) })
        }
        object["sources"] = .array(
            sources.map { .object($0.json) })
        object["features"] = .string(features.hex)
        object["model"] = model.map { .string($0.hex) } ?? .null
        if let reranker { object["reranker"] = .string(reranker.hex) }
        if let release { object["release"] = .string(release.hex) }
        object["space"] = .string(space.hex)
        object["transaction"] = .integer(transaction)
        if let condition { object["where"] = .string(condition.description) }
        switch search {
        case .exact: object["search"] = ["mode": "exact"]
        case .exactInstead(let sample):
            object["search"] = [
                "mode": "exact", "sample": .integer(sample),
                "reason": "preselection by signs misses too many rows",
            ]
        case .approximate(let recall, let sample):
            object["search"] = [
                "mode": "approximate", "recall": .number(recall), "sample": .integer(sample),
            ]
        }
        return object
    }

    /// The reply as lines of text.
    public var lines: [String] {
        var lines =
            isAnswered
            ? cited.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
            : ["The documents do not say: \(judgement.reason)."]
        lines.append("")
        if isAnswered, let missing = Judgement.words(judgement.missingPhrases) {
            lines.append("no chunk contains \(missing); found by the rest of the question:")
        }
        if !isAnswered, !sources.isEmpty { lines.append("nearest to the question:") }
        for (index, (source, count)) in sections.enumerated() {
            let score = Self.hundredths(source.score)
            let rerank = source.rerank.map { ", reranked \(Self.hundredths($0))" } ?? ""
            let place =
                source.row.section.isEmpty
                ? source.row.document : "\(source.row.document)#\(source.row.section)"
            let titles = source.row.headings.isEmpty ? [source.row.title] : source.row.headings
            let headings = titles.joined(separator: " / ")
            let chunks = count == 1 ? "" : "; \(count) chunks"
            lines.append("\(index + 1). \(place)  (\(headings); score \(score)\(rerank)\(chunks))")
            lines += source.details.map { "   \($0)" }
        }
        lines += [
            "",
            "features     \(features.hex)",
            "model        \(model?.hex ?? "none: the untrained ranker")",
        ]
        if let reranker { lines.append("reranker     \(reranker.hex)") }
        if let release { lines.append("release      \(release.hex)") }
        lines.append("transaction  \(transaction)")
        if let condition { lines.append("where        \(condition)") }
        switch search {
        case .exact: break
        case .exactInstead(let sample):
            lines.append(
                "search       exact: preselection misses too many of the nearest rows of \(sample) sample questions"
            )
        case .approximate(let recall, let sample):
            let found = Double(Int((recall * 1000).rounded(.down))) / 10
            lines.append(
                "search       approximate: finds \(found) % of the nearest rows of \(sample) sample questions"
            )
        }
        return lines
    }

    private static func hundredths(_ score: Double) -> Double {
        let rounded = (score * 100).rounded()
        return rounded == 0 ? 0 : rounded / 100
    }

    /// The best chunk of each section, best first, with the number of chunks from that section.
    private var sections: [(best: FoundChunk, count: Int)] {
        var result: [(best: FoundChunk, count: Int)] = []
        for source in sources {
            let known = result.firstIndex { Self.isOneSection($0.best.row, source.row) }
            if let known { result[known].count += 1 } else { result.append((source, 1)) }
        }
        return result
    }
}

extension Reply {
    /// The details of the ranking and of the judgement, for `ask --explain`.
    public var explanation: JSONObject {
        let factors = ranker.factors
        var object = JSONObject()
        object["retrieval"] = ranker.retrieval.json
        object["weights"] = .object(
            JSONObject(zip(Signal.allCases, factors).map { ($0.rawValue, .number($1)) }))
        object["candidates"] = .array(sources.map { .object(Self.explanation(of: $0)) })
        object["judgement"] = judgement.json
        return object
    }

    private static func explanation(of source: FoundChunk) -> JSONObject {
        var object = JSONObject()
        object["key"] = .string(source.row.key)
        object["score"] = .number(source.score)
        if let rerank = source.rerank { object["rerank"] = .number(rerank) }
        object["vectorRank"] = source.vectorRank.map { .integer($0 + 1) } ?? .null
        object["wordsRank"] = source.wordsRank.map { .integer($0 + 1) } ?? .null
        object["signals"] = .object(
            JSONObject(zip(Signal.allCases, source.signals).map { ($0.rawValue, .number($1)) }))
        return object
    }

    /// The details as lines of text.
    public var explanationLines: [String] {
        let factors = ranker.factors
        var lines = ["score = sum of weight x signal:"]
        if let count = retrieval.reranking?.candidates {
            lines.append(
                "the reranker orders the first \(count) chunks; the others keep the order of score:"
            )
        }
        for (index, source) in sources.enumerated() {
            func place(_ rank: Int?) -> String { rank.map { "\($0 + 1)" } ?? "none" }
            lines.append(
                "\(index + 1). \(source.row.key)  (rank by vector \(place(source.vectorRank)), by words \(place(source.wordsRank)))"
            )
            if let rerank = source.rerank { lines.append("   reranked \(Self.fixed(rerank))") }
            var parts: [String] = []
            for (signal, factor) in zip(Signal.allCases, factors) where factor != 0 {
                parts.append(
                    "\(signal.rawValue) \(Self.fixed(factor)) x \(Self.fixed(source.signals[signal.index]))"
                )
            }
            lines.append("   \(Self.fixed(source.score)) = \(parts.joined(separator: " + "))")
        }
        let evidence = zip(AnsweringRule.Evidence.allCases, judgement.evidence)
            .map { "\($0.rawValue) \(Self.fixed($1))" }
        lines.append(
            "\(isAnswered ? "answered" : "not answered"): \(judgement.reason); score "
                + "\(Self.fixed(judgement.score)), threshold \(Self.fixed(judgement.threshold)) "
                + "(\(evidence.joined(separator: ", ")))")
        return lines
    }

    /// Formats a number with up to three decimals.
    private static func fixed(_ value: Double) -> String {
        let rounded = (value * 1000).rounded() / 1000
        return "\(rounded == 0 ? 0 : rounded)"
    }
}

/// A chunk that retrieval found for a question, with its scores.
public struct FoundChunk: Sendable {
    /// The chunk.
    public let row: FeatureRow
    /// The model's score; only differences within one question are meaningful.
    public let score: Double
    /// The cosine of its vector with the question's.
    public let similarity: Float
    /// Its rank by vector similarity, from 0; nil where it is not among the nearest.
    public let vectorRank: Int?
    /// Its rank by words, from 0; nil where it is not among the best.
    public let wordsRank: Int?
    /// Its signals, in the order of ``Signal``.
    public let signals: [Double]
    /// The reranker's score, comparable within one question; nil where no reranker scored the chunk.
    public let rerank: Double?
}

extension FoundChunk {
    init(_ ranked: HybridRetrieval.RankedCandidate) {
        self.init(
            row: ranked.row, score: ranked.score, similarity: ranked.candidate.similarity,
            vectorRank: ranked.candidate.vectorRank, wordsRank: ranked.candidate.wordsRank,
            signals: ranked.signals, rerank: ranked.rerank)
    }
}

extension FoundChunk {
    /// The chunk in a reply's JSON: all attributes of the row except its ordinal, its key and its scores.
    var json: JSONObject {
        var object = row.attributes
        object["ordinal"] = nil
        object["key"] = .string(row.key)
        object["score"] = .number(score)
        object["similarity"] = .number(Double(similarity))
        if let rerank { object["rerank"] = .number(rerank) }
        return object
    }

    /// The lines below the chunk's place in a reply's text: the address, then the other attributes.
    var details: [String] {
        var known: [String] = row.page.map { ["page \($0)"] } ?? []
        for member in row.metadata where member.key != FeatureRow.addressMember {
            guard let value = Self.text(member.value) else { continue }
            known.append("\(member.key): \(value)")
        }
        return [address, known.isEmpty ? nil : known.joined(separator: "; ")].compactMap { $0 }
    }

    /// The address of the chunk's document; nil where it has none.
    var address: String? { row.metadata[FeatureRow.addressMember]?.string }

    /// A value on one line; nil where there is nothing to show.
    private static func text(_ json: JSON) -> String? {
        switch json {
        case .null, .object: nil
        case .string(let text): text
        case .array(let items): items.compactMap(\.string).joined(separator: ", ")
        default: json.canonicalText
        }
    }
}
