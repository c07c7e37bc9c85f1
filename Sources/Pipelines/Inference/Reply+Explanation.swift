internal import Artifacts
public import Objects

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
