public import Artifacts
internal import Objects

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
