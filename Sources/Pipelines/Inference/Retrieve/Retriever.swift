internal import Artifacts
internal import Objects
internal import Storage

/// The retrieve stage: features and model loaded once, then any number of questions.
struct Retriever: Sendable {
    let policy: RetrievalPolicy
    private let index: FeatureIndex
    /// Preselects rows; nil where that is not wanted.
    private let preselection: ApproximateSearch?
    /// What passages come from where a question has no condition of its own.
    private let scope: Scope
    private let condition: Condition?
    private let narrower = ScopeCache()
    private let pair: ResolvedPair
    private let threads: Int

    /// Queries that recall is measured with.
    private static let sample = 16

    /// Loads what a pair names.
    ///
    /// - Parameters:
    ///   - condition: What must hold of the rows that passages come from; nil for all rows.
    ///   - approximately: Whether candidates are preselected by their signs.
    ///   - verified: What verified leaves are; nil where nothing is remembered of them.
    /// - Throws: `objects` when a file of the model is missing or malformed; `embedding` when the model's own
    ///   configuration names another space than its snapshot; `condition` when it does not fit the rows.
    init(
        _ pair: ResolvedPair, where condition: Condition?, approximately: Bool,
        verified: VerifiedLeaves?, threads: Int
    ) throws(InferenceError) {
        self.pair = pair
        self.threads = threads
        self.condition = condition
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
                pair.table, schema: pair.schema, in: pair.objects, verified: verified,
                threads: threads)
        }
        self.index = index
        preselection =
            approximately ? ApproximateSearch(index.vectors, threads: threads) : nil
        scope = try Self.scope(
            condition, of: index, preselection, pair, candidates: policy.candidates,
            threads: threads)
    }

    /// The rows that fit a condition, and how well preselecting works among them.
    private static func scope(
        _ condition: Condition?, of index: FeatureIndex, _ preselection: ApproximateSearch?,
        _ pair: ResolvedPair, candidates: Int, threads: Int
    ) throws(InferenceError) -> Scope {
        var rows: RowSet?
        if let condition {
            let checked = try Wrapping.objects { () throws(ObjectError) in
                try index.checked(condition, in: pair.objects)
            }
            let fitting: Condition
            do throws(ConditionError) { fitting = try checked.get() } catch {
                throw .condition(error)
            }
            rows = try Wrapping.objects { () throws(ObjectError) in
                try index.rows(where: fitting, in: pair.objects, threads: threads)
            }
        }
        guard let preselection else { return Scope(rows: rows, approximate: nil, mode: .exact) }
        let among = rows
        let queries = try queries(
            sample, of: index, among: rows ?? RowSet(all: index.count), pair, threads: threads)
        let widened = try Wrapping.objects { () throws(ObjectError) in
            try preselection.widened(
                for: candidates, of: queries, among: among, threads: threads)
        }
        let mode =
            widened.map { SearchMode.approximate(recall: $0.recall, sample: queries.count) }
            ?? .exactInstead(sample: queries.count)
        return Scope(rows: rows, approximate: widened?.search, mode: mode)
    }

    /// The beginnings of the texts of some rows, evenly spread, embedded as if somebody had asked for them: nearer
    /// to what is asked than the rows' own vectors, which find themselves.
    private static func queries(
        _ count: Int, of index: FeatureIndex, among set: RowSet, _ pair: ResolvedPair, threads: Int
    ) throws(InferenceError) -> [[Float]] {
        let count = min(count, set.count)
        let rows = try Wrapping.objects { () throws(ObjectError) in
            try index.rows(
                at: (0..<count).map { set[(2 * $0 + 1) * set.count / (2 * count)] },
                in: pair.objects, threads: threads)
        }
        return try Wrapping.embedding { () throws(EmbeddingError) in
            try pair.embedder.embed(
                rows.map { row in
                    row.text.split(separator: " ", maxSplits: 12).prefix(12).joined(separator: " ")
                }, as: .query)
        }
    }

    /// The scope of a question with a condition of its own, which holds besides the one of all questions.
    private func scope(_ own: Condition?) throws(InferenceError) -> Scope {
        guard let own else { return scope }
        return try narrower.scope(of: own) { () throws(InferenceError) in
            try Self.scope(
                condition.map { .all([$0, own]) } ?? own, of: index, preselection, pair,
                candidates: policy.candidates, threads: threads)
        }
    }

    /// The passages that answer best, best first, at most `count`, and how they were found.
    ///
    /// - Parameter condition: What must hold of their rows besides the condition of all questions.
    func passages(
        for question: String, count: Int, where condition: Condition?
    ) throws(InferenceError) -> (passages: [Passage], mode: SearchMode) {
        let scope = try scope(condition)
        let query = try Wrapping.embedding { () throws(EmbeddingError) in
            try pair.embedder.embed(question, as: .query)
        }
        let retrieval = CandidateRetrieval(policy: policy)
        let candidates = try Wrapping.objects { () throws(ObjectError) in
            if let approximate = scope.approximate {
                return try approximate.nearest(
                    policy.candidates, to: query, among: scope.rows, threads: threads)
            }
            return try retrieval.candidates(
                query, in: index.vectors, among: scope.rows, threads: threads)
        }
        let rows = try Wrapping.objects { () throws(ObjectError) in
            try index.rows(at: candidates.map(\.row), in: pair.objects, threads: threads)
        }
        let contents = Dictionary(
            zip(candidates.map(\.row), rows), uniquingKeysWith: { first, _ in first })
        let ranked = retrieval.rank(question, candidates, passages: rows.map { PassageText($0) })
        let passages = ranked.prefix(count).compactMap { ranked in
            contents[ranked.row].map {
                Passage(row: $0, score: ranked.score, similarity: ranked.similarity)
            }
        }
        return (passages, scope.mode)
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
