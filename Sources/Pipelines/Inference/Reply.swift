internal import Artifacts
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
