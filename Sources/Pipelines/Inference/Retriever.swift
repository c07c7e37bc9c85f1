internal import Conditions
public import Artifacts
internal import Objects
internal import Refs
internal import Storage
internal import Synchronization

/// The retrieve stage: it loads features and model once, and then serves any number of questions.
struct Retriever: Sendable {
    let ranker: Ranker
    /// The reranker; nil where the versions have none.
    let reranking: Reranking?
    private let index: FeatureIndex
    /// The approximate search; nil where the caller wants an exact one.
    private let preselection: ApproximateSearch?
    /// The rows to search when a question has no condition of its own.
    let scope: Scope
    private let condition: Condition?
    private let narrower = ScopeCache()
    private let pair: ResolvedVersions
    private let threads: Int

    /// The most queries that measure recall.
    private static let sample = 16

    /// Loads the versions of a pair.
    ///
    /// - Parameter earlier: Other versions that are loaded, to share what they have in common.
    /// - Throws: `objects` when a file of the model is missing or malformed; `embedding` when the model's configuration
    ///   and its snapshot name different spaces; `condition` when it does not fit the rows; `reranker` when this program
    ///   cannot run the reranker.
    static func load(
        _ pair: ResolvedVersions, _ options: LoadingOptions, sharing earlier: Retriever? = nil
    ) throws(InferenceError) -> Retriever {
        let (condition, loading) = (options.condition, options.loadingThreads)
        let stored = try pair.ranker()
        let ranker = stored.with(
            options.retrieval.applied(to: stored.retrieval), space: pair.space)
        let index = try wrapping(as: InferenceError.objects) { () throws(ObjectError) in
            let verified = if let known = options.verified { known } else { try VerifiedLeaves() }
            return try FeatureIndex.open(
                pair.table, schema: pair.schema, index: pair.index, in: pair.objects,
                verified: verified, segments: options.segments, threads: loading,
                sharing: earlier?.index)
        }
        let preselection =
            options.isApproximate ? ApproximateSearch(index.vectors, threads: loading) : nil
        let scope = try scope(
            condition, of: index, preselection, pair, candidates: ranker.retrieval.candidates,
            threads: loading)
        let reranking = try reranking(pair, options.reranking, sharing: earlier?.reranking)
        return Retriever(
            ranker: ranker, reranking: reranking, index: index, preselection: preselection,
            scope: scope, condition: condition, pair: pair, threads: options.threads)
    }

    /// The reranker of the versions; nil where they have none.
    ///
    /// - Parameter earlier: The reranker of other versions, which is used again where it is of the same model.
    private static func reranking(
        _ pair: ResolvedVersions, _ options: RerankingOptions, sharing earlier: Reranking?
    ) throws(InferenceError) -> Reranking? {
        guard let model = pair.chosen.roles.reranker else { return nil }
        if let earlier, earlier.model == model {
            return Reranking(earlier.reranker, of: model, candidates: options.candidates)
        }
        guard let provider = options.provider else {
            throw .reranker(
                RerankerError(
                    model, "this program runs no rerankers", .refused,
                    remedy: "use fti-inference"))
        }
        let reranker = try wrapping(
            provider.open(model, in: pair.objects), as: InferenceError.reranker)
        return Reranking(reranker, of: model, candidates: options.candidates)
    }

    /// The rows that satisfy a condition, and the way to search them.
    private static func scope(
        _ condition: Condition?, of index: FeatureIndex, _ preselection: ApproximateSearch?,
        _ pair: ResolvedVersions, candidates: Int, threads: Int
    ) throws(InferenceError) -> Scope {
        var rows: RowSet?
        var checkedCondition: Condition?
        if let condition {
            let checked = try wrapping(
                index.checked(condition, in: pair.objects), as: InferenceError.objects)
            let fitting = try wrapping(as: InferenceError.condition) {
                () throws(ConditionError) in try checked.get()
            }
            checkedCondition = fitting
            rows = try wrapping(
                index.rows(where: fitting, in: pair.objects, threads: threads),
                as: InferenceError.objects)
        }
        guard let preselection else {
            return Scope(
                condition: checkedCondition, rows: rows, approximate: nil, mode: .exact)
        }
        let among = rows
        let queries = try queries(
            sample, of: index, among: rows ?? RowSet(all: index.count), pair, threads: threads)
        let widened = try wrapping(as: InferenceError.objects) { () throws(ObjectError) in
            try preselection.widened(
                for: candidates, of: queries, among: among, threads: threads)
        }
        let mode =
            widened.map { SearchMode.approximate(recall: $0.recall, sample: queries.count) }
            ?? .exactInstead(sample: queries.count)
        return Scope(
            condition: checkedCondition, rows: rows, approximate: widened?.search, mode: mode)
    }

    /// Makes test queries from the beginnings of evenly spaced rows' texts, embedded as questions.
    ///
    /// They resemble real questions more than the rows' own vectors do, each of which would find itself.
    private static func queries(
        _ count: Int, of index: FeatureIndex, among set: RowSet, _ pair: ResolvedVersions,
        threads: Int
    ) throws(InferenceError) -> [[Float]] {
        let count = min(count, set.count)
        let rows = try wrapping(as: InferenceError.objects) { () throws(ObjectError) in
            try index.rows(
                at: (0..<count).map { set[(2 * $0 + 1) * set.count / (2 * count)] },
                in: pair.objects, threads: threads)
        }
        return try wrapping(as: InferenceError.embedding) { () throws(EmbeddingError) in
            try pair.embedder.embed(
                rows.map { row in
                    row.text.split(separator: " ", maxSplits: 12).prefix(12).joined(separator: " ")
                }, as: .query)
        }
    }

    /// The scope of a question with a condition of its own, combined with the condition of all questions.
    private func scope(_ own: Condition?) throws(InferenceError) -> Scope {
        guard let own else { return scope }
        return try narrower.scope(of: own) { () throws(InferenceError) in
            try Self.scope(
                condition.map { .all([$0, own]) } ?? own, of: index, preselection, pair,
                candidates: ranker.retrieval.candidates, threads: threads)
        }
    }

    /// The chunks found for a question, and the evidence on whether they answer it.
    struct RetrievalResult {
        /// The prepared question.
        let question: Question
        /// The best chunks, best first.
        let chunks: [FoundChunk]
        /// The evidence, in the order of ``AnsweringRule/Evidence``.
        let evidence: [Double]
        /// How the search found them.
        let mode: SearchMode
        /// The quoted phrases of the question.
        let phrases: QuotedPhrases
        /// Whether every chunk contains a quoted phrase.
        let hasPhrase: Bool
        /// The quoted phrases that no row contains together with the others; the search did not demand them.
        let missingPhrases: [String]
        /// Their share of the question, from 0 to 1.
        let missingShare: Double
    }

    /// Finds the best chunks for a question, at least `count` if there are as many.
    ///
    /// - Parameters:
    ///   - condition: A further condition on the rows, besides the condition of all questions.
    ///   - reranking: What reorders them; nil for the ranker's order.
    ///   - deadline: When reranking gives up; nil for never.
    func chunks(
        for text: String, count: Int, where condition: Condition?, reranking: Reranking?,
        by deadline: Deadline?
    ) throws(InferenceError) -> RetrievalResult {
        let scope = try scope(condition)
        let query = try wrapping(
            pair.embedder.embed(text, as: .query), as: InferenceError.embedding)
        let found = try wrapping(as: InferenceError.objects) { () throws(ObjectError) in
            let retrieval = HybridRetrieval(ranker, in: index, of: pair.space)
            return try retrieval.find(
                text, vector: query, count: max(count, reranking?.candidates ?? 0),
                among: scope.rows, in: pair.objects, threads: threads
            ) { (among) throws(ObjectError) in
                try scope.approximate.flatMap { (approximate) throws(ObjectError) in
                    try approximate.nearest(
                        ranker.retrieval.candidates, to: query, among: among, threads: threads)
                }
            }
        }
        var ranked = found.ranked
        if let reranking {
            let reordered = reranking.reordered(
                ranked, for: text, perDocument: ranker.retrieval.perDocument, threads: threads,
                by: deadline)
            guard let reordered else { throw .late }
            ranked = reordered
        }
        return RetrievalResult(
            question: found.question, chunks: ranked.map { FoundChunk($0) },
            evidence: found.evidence, mode: scope.mode, phrases: found.phrases,
            hasPhrase: found.hasPhrase, missingPhrases: found.missingPhrases,
            missingShare: found.missingShare)
    }
}

/// Retrieval settings that override the ranker's.
public struct RetrievalOverrides: Hashable, Sendable {
    /// Where candidates come from.
    public var mode: RetrievalSettings.Mode?
    /// The number of candidates from each source.
    public var candidates: Int?
    /// The number of chunks of one document that may precede chunks of others.
    public var perDocument: Int?

    /// Makes overrides that change nothing.
    public init() {}

    func applied(to settings: RetrievalSettings) -> RetrievalSettings {
        var settings = settings
        settings.mode = mode ?? settings.mode
        settings.candidates = candidates ?? settings.candidates
        settings.perDocument = perDocument ?? settings.perDocument
        return settings
    }
}

/// How a search finds candidates.
public enum SearchMode: Hashable, Sendable {
    /// It compares all rows and finds the nearest ones.
    case exact
    /// It compares all rows although the caller wanted an approximate search: preselection missed too many of the
    /// nearest rows of `sample` test queries.
    case exactInstead(sample: Int)
    /// It preselects rows by the signs of their components, and may miss some of the nearest.
    ///
    /// - Parameters:
    ///   - recall: The share of the nearest rows that it found for test queries.
    ///   - sample: The number of test queries, which are the beginnings of evenly spaced rows' texts.
    case approximate(recall: Double, sample: Int)
}

/// The rows to search, and the way to search them; computed once for each condition.
struct Scope: Sendable {
    /// The condition, checked against the rows; nil for all.
    let condition: Condition?
    /// The rows; nil for all.
    let rows: RowSet?
    /// The approximate search; nil where all rows are compared.
    let approximate: ApproximateSearch?
    /// How the search finds candidates.
    let mode: SearchMode
}

/// Caches the scopes of the last few conditions.
final class ScopeCache: Sendable {
    /// The most scopes: each takes up to eight bytes per row, and services repeat a few conditions.
    private static let limit = 16

    /// A condition whose scope is known, or about to be.
    private final class Entry: Sendable {
        let condition: Condition
        let scope = Mutex<Scope?>(nil)

        init(_ condition: Condition) { self.condition = condition }
    }

    private let entries = Mutex<[Entry]>([])

    /// The scope of a condition, computed if it is not cached.
    ///
    /// Threads that need the same new scope at once wait for the first of them. Where that one fails, the next tries.
    func scope(
        of condition: Condition, make: () throws(InferenceError) -> Scope
    ) throws(InferenceError) -> Scope {
        let entry = entries.withLock { entries -> Entry in
            let index = entries.firstIndex { $0.condition == condition }
            let entry = index.map { entries.remove(at: $0) } ?? Entry(condition)
            if entries.count >= Self.limit { entries.removeFirst() }
            entries.append(entry)
            return entry
        }
        do throws(InferenceError) {
            return try entry.scope.withLock { (scope) throws(InferenceError) in
                if let scope { return scope }
                let made = try make()
                scope = made
                return made
            }
        } catch {
            // A condition that does not fit must not displace one that does.
            entries.withLock { entries in
                entries.removeAll {
                    $0 === entry && $0.scope.withLockIfAvailable { $0 == nil } ?? false
                }
            }
            throw error
        }
    }
}
