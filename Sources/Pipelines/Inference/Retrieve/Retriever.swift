internal import Artifacts
internal import Objects
internal import Storage

/// The retrieve stage: features and model loaded once, then any number of questions.
struct Retriever: Sendable {
    let policy: RetrievalPolicy
    /// How candidates are found.
    let mode: SearchMode
    private let index: FeatureIndex
    private let approximate: ApproximateSearch?
    private let pair: ResolvedPair
    private let threads: Int

    /// Queries that recall is measured with.
    private static let sample = 16

    /// Loads what a pair names.
    ///
    /// - Parameters:
    ///   - approximately: Whether candidates are preselected by their signs.
    ///   - verified: What verified leaves are; nil where nothing is remembered of them.
    /// - Throws: `objects` when a file of the model is missing or malformed; `embedding` when the model's own
    ///   configuration names another space than its snapshot.
    init(
        _ pair: ResolvedPair, approximately: Bool, verified: VerifiedLeaves?, threads: Int
    ) throws(InferenceError) {
        self.pair = pair
        self.threads = threads
        let policy = try Wrapping.objects { () throws(ObjectError) in
            try RetrievalPolicy(
                tensors: try Self.file(RetrievalPolicy.tensorsName, of: pair),
                config: try Self.file(RetrievalPolicy.configName, of: pair))
        }
        guard policy.space == pair.space else {
            throw .embedding(.spacesDiffer(needed: policy.space, found: pair.space))
        }
        self.policy = policy
        let index = try Wrapping.objects { () throws(ObjectError) in
            let verified = if let verified { verified } else { try VerifiedLeaves() }
            return try FeatureIndex(
                pair.table, in: pair.objects, verified: verified, threads: threads)
        }
        self.index = index
        guard approximately else {
            mode = .exact
            approximate = nil
            return
        }
        let search = ApproximateSearch(index.vectors, threads: threads)
        let queries = try Self.queries(Self.sample, of: index, pair, threads: threads)
        let widened = try Wrapping.objects { () throws(ObjectError) in
            try search.widened(for: policy.candidates, of: queries, threads: threads)
        }
        approximate = widened?.search
        mode =
            widened.map { .approximate(recall: $0.recall, sample: queries.count) }
            ?? .exactInstead(sample: queries.count)
    }

    /// The beginnings of the texts of some rows, evenly spread, embedded as if somebody had asked for them: nearer
    /// to what is asked than the rows' own vectors, which find themselves.
    private static func queries(
        _ count: Int, of index: FeatureIndex, _ pair: ResolvedPair, threads: Int
    ) throws(InferenceError) -> [[Float]] {
        let count = min(count, index.count)
        let rows = try Wrapping.objects { () throws(ObjectError) in
            try index.rows(
                at: (0..<count).map { (2 * $0 + 1) * index.count / (2 * count) },
                in: pair.objects, threads: threads)
        }
        return try Wrapping.embedding { () throws(EmbeddingError) in
            try pair.embedder.embed(
                rows.map { row in
                    row.text.split(separator: " ", maxSplits: 12).prefix(12).joined(separator: " ")
                }, as: .query)
        }
    }

    /// The passages that answer best, best first; at most `count`.
    func passages(for question: String, count: Int) throws(InferenceError) -> [Passage] {
        let query = try Wrapping.embedding { () throws(EmbeddingError) in
            try pair.embedder.embed(question, as: .query)
        }
        let retrieval = CandidateRetrieval(policy: policy)
        let candidates = try Wrapping.objects { () throws(ObjectError) in
            if let approximate {
                return try approximate.nearest(policy.candidates, to: query, threads: threads)
            }
            return try retrieval.candidates(query, in: index.vectors, threads: threads)
        }
        let rows = try Wrapping.objects { () throws(ObjectError) in
            try index.rows(at: candidates.map(\.row), in: pair.objects, threads: threads)
        }
        let contents = Dictionary(
            zip(candidates.map(\.row), rows), uniquingKeysWith: { first, _ in first })
        let ranked = retrieval.rank(question, candidates, passages: rows.map { PassageText($0) })
        return ranked.prefix(count).compactMap { ranked in
            contents[ranked.row].map {
                Passage(row: $0, score: ranked.score, similarity: ranked.similarity)
            }
        }
    }

    private static func file(
        _ name: String, of pair: ResolvedPair
    ) throws(ObjectError) -> [UInt8] {
        guard let path = try? RelativePath(name),
            let entry = try TreeReader(pair.objects).entry(at: path, in: pair.modelTree)
        else {
            throw .malformed(
                pair.model, as: "retrieval policy", reason: "it has no file \(name)", offset: nil)
        }
        return try pair.objects.read(entry.id, limit: RetrievalPolicy.fileLimit)
    }
}
