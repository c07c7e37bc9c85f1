import Hummingbird
import Artifacts
import Conditions
import InferencePipeline
import Objects
import Serving

/// A request to `POST /v1/vector_stores/{id}/search`.
struct SearchRequest {
    /// The questions; each is searched for, and the results are merged.
    let queries: [String]
    let condition: Condition?
    let count: Int
    /// The least score of a result, from 0 to 1.
    let threshold: Double
    /// Whether results come in the order of their vectors' similarity alone.
    let isUnranked: Bool

    /// The number of results that OpenAI's API returns by default, and the most.
    private static let usualCount = 10
    private static let largestCount = 50
    /// The most questions in one request.
    private static let queryLimit = 16

    init(_ body: JSON) throws {
        let request = try APIRequest(body)
        guard let query = request.member("query") else {
            throw request.failure("query", "is missing")
        }
        let items = query.array ?? [query]
        guard !items.isEmpty, items.count <= Self.queryLimit else {
            throw request.failure(
                "query", "must be text, or a list of 1 to \(Self.queryLimit) texts")
        }
        queries = try items.map { item in
            guard let text = item.string else {
                throw request.failure("query", "must be text or a list of texts")
            }
            guard text.contains(where: { $0.isLetter || $0.isNumber }) else {
                throw request.failure("query", "has no words")
            }
            return text
        }
        condition = try request.nested("filters").map { try SearchFilter.condition($0) }
        // Every row is compared with every value, so filters have the limit of typed conditions.
        if let condition, condition.description.utf8.count > Condition.byteLimit {
            throw request.failure(
                "filters", "are longer than a condition of \(Condition.byteLimit) bytes")
        }
        count =
            try request.integer("max_num_results", in: 1...Self.largestCount) ?? Self.usualCount
        let ranking = try request.nested("ranking_options")
        threshold = try ranking?.number("score_threshold", in: 0...1) ?? 0
        switch try ranking?.text("ranker") {
        case nil, "auto", "default-2024-11-15", "default_2024_08_21": isUnranked = false
        case "none": isUnranked = true
        default:
            throw HTTPFailure(
                .badRequest, "ranking_options.ranker must be auto or none",
                param: "ranking_options.ranker")
        }
        try request.refuse([("rewrite_query", [false])])
    }

    /// The results of all questions, best first, each chunk once.
    func results(_ found: [Retrieval]) -> [SearchResult] {
        let results = found.flatMap { SearchResult.all(of: $0.chunks, isUnranked: isUnranked) }
            .filter { $0.score >= threshold }
        // The ranker's order of one question's chunks is more than their scores: it spreads over sections.
        if found.count == 1, !isUnranked { return Array(results.prefix(count)) }
        var best: [String: SearchResult] = [:]
        for result in results {
            let key = result.chunk.row.key
            if let known = best[key], !result.precedes(known) { continue }
            best[key] = result
        }
        return Array(best.values.sorted { $0.precedes($1) }.prefix(count))
    }

    /// The body of the answer.
    func body(_ results: [SearchResult], versions: JSONObject) -> JSON {
        [
            "object": "vector_store.search_results.page",
            "search_query": .array(queries.map { .string($0) }),
            "data": .array(results.map(\.json)), "has_more": false, "next_page": .null,
            "fti": .object(versions),
        ]
    }
}

/// A chunk that a search found.
struct SearchResult {
    let chunk: FoundChunk
    /// From 0 to 1: the score of the reranker or else of the ranker on the logistic curve, or the cosine mapped to that
    /// range.
    let score: Double
    /// What results with the same score are sorted by: a logistic curve is flat at its ends.
    private let order: Double

    /// The results of one question, in the order of its chunks.
    ///
    /// Where a reranker scored the first chunks, the ranker's scores of the others are scaled so that they are below.
    static func all(of chunks: [FoundChunk], isUnranked: Bool) -> [SearchResult] {
        let least = chunks.compactMap(\.rerank).min().map { PortableMath.sigmoid($0) } ?? 1
        return chunks.map { chunk in
            if isUnranked {
                let similarity = Double(chunk.similarity)
                return SearchResult(
                    chunk: chunk, score: min(1, max(0, (similarity + 1) / 2)), order: similarity)
            }
            let order = chunk.rerank ?? chunk.score
            return SearchResult(
                chunk: chunk,
                score: PortableMath.sigmoid(order) * (chunk.rerank == nil ? least : 1),
                order: order)
        }
    }

    func precedes(_ other: SearchResult) -> Bool {
        if score != other.score { return score > other.score }
        return order != other.order
            ? order > other.order
            : chunk.row.key.utf8.lexicographicallyPrecedes(other.chunk.row.key.utf8)
    }

    var json: JSON {
        [
            "file_id": .string(chunk.row.key), "filename": .string(chunk.row.document),
            "score": .number(score), "attributes": .object(attributes),
            "content": [["type": "text", "text": .string(chunk.row.text)]],
        ]
    }

    /// The chunk's title, section and metadata, and the ranker's own figures, as text, numbers and truth values.
    private var attributes: JSONObject {
        var object = JSONObject()
        for member in chunk.row.metadata {
            switch member.value {
            case .string, .number, .float, .bool: object[member.key] = member.value
            case .array(let items):
                object[member.key] = .string(items.compactMap(\.string).joined(separator: ", "))
            case .null, .object: break
            }
        }
        object["title"] = .string(chunk.row.title)
        object["section"] = .string(chunk.row.section)
        object["headings"] = .string(chunk.row.headings.joined(separator: " / "))
        object["similarity"] = .number(Double(chunk.similarity))
        object["rank_score"] = .number(chunk.score)
        if let rerank = chunk.rerank { object["rerank_score"] = .number(rerank) }
        return object
    }
}

/// The filters of a search, in the form of OpenAI's API: comparisons, joined by `and` and `or`.
enum SearchFilter {
    private static let depthLimit = 16

    /// The condition that a filter states.
    ///
    /// - Throws: ``HTTPFailure`` that names the member.
    static func condition(_ filter: APIRequest) throws -> Condition {
        try condition(filter, depth: 0)
    }

    private static func condition(_ filter: APIRequest, depth: Int) throws -> Condition {
        guard depth < depthLimit else { throw filter.failure("filters", "are nested too deeply") }
        let type = try filter.requiredText("type")
        switch type {
        case "and", "or":
            guard let items = try filter.list("filters"), !items.isEmpty else {
                throw filter.failure("filters", "must be a list of filters")
            }
            let inner = try items.enumerated().map { index, item in
                let place = "filters[\(index)]"
                guard let object = item.object else {
                    throw filter.failure(place, "must be an object")
                }
                return try condition(
                    APIRequest(object, at: filter.name(place)), depth: depth + 1)
            }
            return inner.count == 1 ? inner[0] : type == "and" ? .all(inner) : .any(inner)
        case "in", "nin":
            guard let items = try filter.list("value"), !items.isEmpty else {
                throw filter.failure("value", "must be a list of values")
            }
            let found = Condition.membership(
                try name(filter), try items.map { try literal($0, filter) })
            return type == "in" ? found : .not(found)
        default:
            guard let comparison = comparisons[type] else {
                throw filter.failure(
                    "type", "must be eq, ne, gt, gte, lt, lte, in, nin, and, or")
            }
            guard let value = filter.member("value") else {
                throw filter.failure("value", "is missing")
            }
            return .comparison(try name(filter), comparison, try literal(value, filter))
        }
    }

    private static let comparisons: [String: Condition.Operator] = [
        "eq": .equal, "ne": .unequal, "gt": .greater, "gte": .greaterOrEqual, "lt": .less,
        "lte": .lessOrEqual,
    ]

    private static func name(_ filter: APIRequest) throws -> Condition.Name {
        Condition.Name(try filter.requiredText("key"))
    }

    private static func literal(
        _ value: JSON, _ filter: APIRequest
    ) throws -> Condition.Literal {
        // A larger number may have lost digits when the request was read.
        if let number = value.number, number.magnitude >= Double(JSON.largestInteger) {
            throw filter.failure("value", "must be a number between -2^53 and 2^53")
        }
        return switch ConditionValue(value) {
        case .text(let text): Condition.Literal(.text(text))
        case .number(let number): Condition.Literal(.number(number))
        case .truth(let truth): Condition.Literal(.truth(truth))
        default: throw filter.failure("value", "must be text, a number, true or false")
        }
    }
}
