public import Artifacts
public import Objects

/// An answer, where it was found, and the hashes that it came from.
public struct Reply: Sendable {
    /// The question.
    public let question: String
    /// Whether the passages answer it, and why not.
    let judgement: Judgement
    /// What is quoted; empty when nothing answers.
    let units: [QuotedUnit]
    /// The place, from 0, of the source that is quoted; nil where none is.
    let quotedPlace: Int?
    /// The best passages, best first.
    public let sources: [Passage]
    /// What ranked them.
    let ranker: Ranker
    /// The features snapshot.
    public let features: ObjectID
    /// The model snapshot.
    public let model: ObjectID
    /// The release that binds the two, when it was named.
    public let release: ObjectID?
    /// The embedding space.
    public let space: ObjectID
    /// The newest transaction of the state that was answered from.
    public let transaction: Int
    /// What holds of all passages; nil where they come from all rows.
    public let condition: Condition?
    /// How the passages were found among all rows.
    public let search: SearchMode

    /// Whether the passages answer the question.
    public var isAnswered: Bool { !units.isEmpty }

    /// What is quoted: sentences one after the other, code on lines of its own. Empty when nothing answers.
    public var answer: String {
        var text = ""
        for unit in units {
            if !text.isEmpty { text += unit.isVerbatim || text.last == "\n" ? "\n" : " " }
            text += unit.isVerbatim ? unit.text + "\n" : unit.text
        }
        return text.last == "\n" ? String(text.dropLast()) : text
    }

    /// The answer, and which of the sources it quotes: `[1]`.
    private var cited: String {
        guard let quotedPlace else { return answer }
        // The sources are listed by section: the number is that of the quoted one's.
        let row = sources[quotedPlace].row
        let number = sections.firstIndex { Self.isOneSection($0.best.row, row) } ?? 0
        return answer + (units.last?.isVerbatim == true ? "\n" : " ") + "[\(number + 1)]"
    }

    private static func isOneSection(_ row: FeatureRow, _ other: FeatureRow) -> Bool {
        row.document.utf8.elementsEqual(other.document.utf8)
            && row.section.utf8.elementsEqual(other.section.utf8)
    }

    /// The reply as one JSON object.
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
        object["model"] = .string(model.hex)
        if let release { object["release"] = .string(release.hex) }
        object["space"] = .string(space.hex)
        object["transaction"] = .integer(transaction)
        if let condition { object["where"] = .string(condition.description) }
        switch search {
        case .exact: object["search"] = ["mode": "exact"]
        case .exactInstead(let sample):
            object["search"] = [
                "mode": "exact", "sample": .integer(sample),
                "reason": "preselecting rows by their signs misses too many",
            ]
        case .approximate(let recall, let sample):
            object["search"] = [
                "mode": "approximate", "recall": .number(recall), "sample": .integer(sample),
            ]
        }
        return object
    }

    /// The reply as text, line by line.
    public var lines: [String] {
        var lines =
            isAnswered
            ? cited.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
            : ["The documents do not say: \(judgement.reason)."]
        lines.append("")
        if isAnswered, let missing = Judgement.words(judgement.missingPhrases) {
            lines.append("no passage has the words \(missing); found without them:")
        }
        if !isAnswered, !sources.isEmpty { lines.append("nearest to the question:") }
        for (index, (source, count)) in sections.enumerated() {
            let score = Double(Int((source.score * 100).rounded())) / 100
            let place =
                source.row.section.isEmpty
                ? source.row.document : "\(source.row.document)#\(source.row.section)"
            let titles = source.row.headings.isEmpty ? [source.row.title] : source.row.headings
            let headings = titles.joined(separator: " / ")
            let passages = count == 1 ? "" : "; \(count) passages"
            lines.append("\(index + 1). \(place)  (\(headings); score \(score)\(passages))")
            lines += source.details.map { "   \($0)" }
        }
        lines += [
            "",
            "features     \(features.hex)",
            "model        \(model.hex)",
        ]
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

    /// The best passage of each section, best first, and how many of the passages are from there.
    private var sections: [(best: Passage, count: Int)] {
        var result: [(best: Passage, count: Int)] = []
        for source in sources {
            let known = result.firstIndex { Self.isOneSection($0.best.row, source.row) }
            if let known { result[known].count += 1 } else { result.append((source, 1)) }
        }
        return result
    }
}

extension Reply {
    /// Why the passages are in this order, and why there is an answer or none, for `ask --explain`.
    public var explanation: JSONObject {
        let factors = ranker.factors
        var object = JSONObject()
        object["retrieval"] = ranker.retrieval.json
        object["weights"] = .object(
            JSONObject(zip(Signal.allCases, factors).map { ($0.rawValue, .number($1)) }))
        object["candidates"] = .array(
            sources.map { source in
                [
                    "key": .string(source.row.key), "score": .number(source.score),
                    "vectorRank": source.vectorRank.map { .integer($0 + 1) } ?? .null,
                    "wordsRank": source.wordsRank.map { .integer($0 + 1) } ?? .null,
                    "signals": .object(
                        JSONObject(
                            zip(Signal.allCases, source.signals).map { ($0.rawValue, .number($1)) })
                    ),
                ]
            })
        object["judgement"] = judgement.json
        return object
    }

    /// The same as text, line by line.
    public var explanationLines: [String] {
        let factors = ranker.factors
        var lines = ["score = sum of weight x signal:"]
        for (index, source) in sources.enumerated() {
            func place(_ rank: Int?) -> String { rank.map { "\($0 + 1)" } ?? "none" }
            lines.append(
                "\(index + 1). \(source.row.key)  (rank by vector \(place(source.vectorRank)), by words \(place(source.wordsRank)))"
            )
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

    /// Three decimals.
    private static func fixed(_ value: Double) -> String {
        let rounded = (value * 1000).rounded() / 1000
        return "\(rounded == 0 ? 0 : rounded)"
    }
}

/// A chunk that may answer, and how well.
public struct Passage: Sendable {
    /// The chunk.
    public let row: FeatureRow
    /// Its score by the model; only differences within one question mean something.
    public let score: Double
    /// The cosine of its vector with the question's.
    public let similarity: Float
    /// Its place among the nearest by vector, from 0; nil where it is none of them.
    public let vectorRank: Int?
    /// Its place among the best by words, from 0; nil where it is none of them.
    public let wordsRank: Int?
    /// What the ranker saw in it, in the order of ``Signal``.
    public let signals: [Double]

    init(_ ranked: HybridRetrieval.Ranked) {
        row = ranked.row
        score = ranked.score
        similarity = ranked.candidate.similarity
        vectorRank = ranked.candidate.vectorRank
        wordsRank = ranked.candidate.wordsRank
        signals = ranked.signals
    }
}

extension Passage {
    /// What a reply's JSON says of it: its title, its place and its text, how well it answers, and what else the row has, flat
    /// as in the row.
    var json: JSONObject {
        var object = row.attributes
        object["ordinal"] = nil
        object["key"] = .string(row.key)
        object["score"] = .number(score)
        object["similarity"] = .number(Double(similarity))
        return object
    }

    /// What a reply's text says below the place: the address, then what else is known.
    var details: [String] {
        var known: [String] = row.page.map { ["page \($0)"] } ?? []
        for member in row.metadata where member.key != Self.address {
            guard let value = Self.text(member.value) else { continue }
            known.append("\(member.key): \(value)")
        }
        let address = row.metadata[Self.address]?.string
        return [address, known.isEmpty ? nil : known.joined(separator: "; ")].compactMap { $0 }
    }

    /// The attribute that says where a document can be read.
    private static let address = "url"

    /// A value in one line; nil where there is none to show.
    private static func text(_ json: JSON) -> String? {
        switch json {
        case .null, .object: nil
        case .string(let text): text
        case .array(let items): items.compactMap(\.string).joined(separator: ", ")
        default: json.canonicalText
        }
    }
}
