import Artifacts
import CommandSupport
import Objects
import Refs

/// Formats the explanation of an answer for people.
struct ExplanationView {
    let style: Style
    let now: Timestamp
    let labels: RefLabels

    /// The width of texts that are cut.
    private static let width = 300

    // MARK: The answer

    func lines(_ check: AnswerCheck) -> [String] {
        let record = check.record
        var lines = [
            "answer \(style.yellow(record.id))  \(record.time.minuteDescription) "
                + "(\(Quantity.age(of: record.time, at: now))) by \(record.replica.printable())"
        ]
        var fields = Columns([.left, .left])
        fields.append(["  question", cut(record.question)])
        if let asked = record.asked { fields.append(["  searched for", cut(asked)]) }
        fields.append(["  answer", cut(record.answer)])
        if record.citations.removed > 0 {
            let count = Quantity.count(record.citations.removed, "citation")
            fields.append(["  removed", "\(count) of passages that were not shown"])
        }
        fields.append(["  written by", writer(record)])
        if let condition = record.condition { fields.append(["  where", cut(condition)]) }
        fields.append(["  transaction", Quantity.count(record.versions.transaction)])
        lines += fields.lines
        lines += versionLines(check) + ["passages"]
        for passage in check.passages { lines += self.lines(passage) }
        if check.passages.isEmpty { lines.append("  none") }
        return lines
    }

    private func writer(_ record: AnswerRecord) -> String {
        switch record.generator {
        case .extractive: return "quotation of passages"
        case .openAI(let model, _, let ending, let promptTokens, let replyTokens):
            var parts = [model.printable()]
            if let promptTokens, let replyTokens {
                parts.append(
                    "\(Quantity.count(promptTokens)) + \(Quantity.count(replyTokens)) tokens")
            }
            if ending != .stop { parts.append("ended by \(ending.rawValue)") }
            parts.append(
                record.isVerified ? "verified by its canary" : style.red("not verified"))
            return parts.joined(separator: ", ")
        }
    }

    private func versionLines(_ check: AnswerCheck) -> [String] {
        var columns = Columns([.left, .left, .left, .left])
        for version in check.versions {
            columns.append([
                "  \(version.role)", style.yellow(version.id.short),
                shown(version.verdict, version.difference.map { [$0] } ?? []),
                style.cyan(labels[version.id] ?? ""),
            ])
        }
        var lines = ["versions"] + columns.lines
        if let features = check.features {
            let producer = features.producer
            let revision = producer.revision.map { ", source \($0)" } ?? ""
            lines.append(
                "  features made \(Quantity.age(of: features.created, at: now)) by "
                    + "\(producer.pipeline) \(producer.version)\(revision)".printable())
            for source in check.sources {
                let members = (source.object ?? JSONObject()).map {
                    "\($0.key) \($0.value.string ?? $0.value.spacedText)"
                }
                lines.append("    from \(cut(members.joined(separator: ", ")))")
            }
        }
        return lines
    }

    private func lines(_ passage: AnswerCheck.Passage) -> [String] {
        let recorded = passage.recorded
        func rank(_ rank: Int?) -> String { rank.map { Quantity.count($0) } ?? "none" }
        var lines = [
            "  \(recorded.number)  \(style.bold(recorded.key.printable()))  "
                + (passage.isCited ? "cited  " : "")
                + shown(passage.verdict, passage.differences),
            "     score \(rounded(recorded.score)), "
                + (recorded.rerank.map { "reranked \(rounded($0)), " } ?? "") + "rank by vector "
                + "\(rank(recorded.vectorRank)), by words \(rank(recorded.wordsRank))",
        ]
        let names = recorded.headings.isEmpty ? [recorded.title] : recorded.headings
        lines.append("     \(cut(names.joined(separator: " / ")))")
        if let origin = passage.origin {
            let digest = origin.digest.map { " sha256 \($0.short)" } ?? ""
            let since = origin.row.since
            lines.append(
                "     document \(recorded.document.printable())\(digest), unchanged since "
                    + (origin.row.isKnown ? "" : "at least ") + style.yellow(since.short)
                    + (labels[since].map { " \(style.cyan($0))" } ?? ""))
        }
        return lines
    }

    private func shown(_ verdict: AnswerCheck.Verdict, _ differences: [String]) -> String {
        switch verdict {
        case .asStored: style.green(verdict.rawValue)
        case .differs:
            style.red(verdict.rawValue)
                + (differences.isEmpty
                    ? "" : ": " + differences.joined(separator: ", ").printable())
        case .collected: style.dim(verdict.rawValue)
        case .missing: style.dim("not in this repository")
        }
    }

    private func rounded(_ score: Double) -> String { "\((score * 100).rounded() / 100)" }

    private func cut(_ text: String) -> String {
        text.split(whereSeparator: \.isNewline).joined(separator: " ").printable()
            .truncated(to: Self.width)
    }

    // MARK: Retrieval now

    func lines(_ retrieval: CurrentRetrieval) -> [String] {
        let id = retrieval.versions.map { $0.release ?? $0.features }
        let name = id.map { " (\(style.yellow($0.short)))" } ?? ""
        var lines = ["retrieved now from \(style.cyan(retrieval.names.printable()))\(name)"]
        switch retrieval.outcome {
        case .failure(let obstacle):
            lines.append("  nothing: \(obstacle.message.printable())")
            if let remedy = obstacle.remedy { lines.append("  try: \(remedy.printable())") }
        case .success(let outcome):
            var columns = Columns([.right, .left, .left])
            for hit in outcome.hits {
                columns.append([
                    "  \(hit.number)", change(hit),
                    "\(hit.row.key.printable())  "
                        + style.dim("score \(rounded(hit.score))"),
                ])
            }
            lines += columns.lines
            for passage in outcome.gone {
                lines.append(
                    "  \(style.red("gone"))  was \(passage.number)  \(passage.key.printable())")
            }
            if outcome.hits.isEmpty { lines.append("  no passage") }
        }
        return lines
    }

    private func change(_ hit: CurrentRetrieval.Hit) -> String {
        guard let before = hit.before else { return style.green("new") }
        let place = before == hit.number ? "same rank" : "was \(before)"
        return hit.isChanged ? "\(place), \(style.red("text changed"))" : place
    }
}

extension AnswerCheck {
    /// What the feature pipeline read, as its configuration names it; empty for features from elsewhere.
    var sources: [JSON] {
        (features?.params["sources"]?.array ?? []).map { source in
            // The patterns of file names are long, and the same in most configurations.
            var object = source.object ?? JSONObject()
            object["include"] = nil
            return .object(object)
        }
    }

    /// The result of `explain --json`.
    func json(_ labels: RefLabels, _ now: CurrentRetrieval) -> JSONObject {
        var object = JSONObject()
        object["answer"] = .object(record.json)
        object["here"] = .bool(isHere)
        object["matches"] = .bool(!hasDifferences)
        object["versions"] = .array(
            versions.map { version in
                [
                    "role": .string(version.role), "id": .id(version.id),
                    "verdict": .string(version.verdict.rawValue),
                    "difference": version.difference.map { .string($0) } ?? .null,
                    "ref": labels[version.id].map { .string($0) } ?? .null,
                ]
            })
        object["producer"] =
            features.map { features in
                [
                    "pipeline": .string(features.producer.pipeline),
                    "version": .string(features.producer.version),
                    "revision": features.producer.revision.map { .string($0) } ?? .null,
                    "created": .string(features.created.description),
                ]
            } ?? .null
        object["sources"] = .array(sources)
        object["passages"] = .array(passages.map { .object($0.json(labels)) })
        object["now"] = now.json
        return object
    }
}

extension AnswerCheck.Passage {
    fileprivate func json(_ labels: RefLabels) -> JSONObject {
        var object = JSONObject()
        object["number"] = .integer(recorded.number)
        object["key"] = .string(recorded.key)
        object["document"] = .string(recorded.document)
        object["section"] = .string(recorded.section)
        object["cited"] = .bool(isCited)
        object["verdict"] = .string(verdict.rawValue)
        object["differences"] = .array(differences.map { .string($0) })
        object["digest"] = .id(origin?.digest)
        object["since"] = .id(origin?.row.since)
        object["sinceRef"] = origin.flatMap { labels[$0.row.since] }.map { .string($0) } ?? .null
        return object
    }
}
