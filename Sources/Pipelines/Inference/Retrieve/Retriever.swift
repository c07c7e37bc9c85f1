public import Artifacts
internal import Objects
internal import Storage
internal import Synchronization

/// The retrieve stage: features and model loaded once, then any number of questions.
struct Retriever: Sendable {
    let ranker: Ranker
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
    ///   - segments: Where words are found, and kept, of features without an index.
    ///   - retrieval: What is wanted otherwise than the ranker's settings say.
    /// - Throws: `objects` when a file of the model is missing or malformed; `embedding` when the model's own
    ///   configuration names another space than its snapshot; `condition` when it does not fit the rows.
    init(
        _ pair: ResolvedPair, where condition: Condition?, approximately: Bool,
        verified: VerifiedLeaves?, segments: SegmentCache, retrieval: RetrievalOverrides,
        threads: Int
    ) throws(InferenceError) {
        self.pair = pair
        self.threads = threads
        self.condition = condition
        let stored = try wrapping(as: InferenceError.objects) { () throws(ObjectError) in
            try Ranker(
                tensors: try Self.file(Ranker.tensorsName, of: pair),
                config: try Self.file(Ranker.configName, of: pair))
        }
        guard stored.space == pair.space else {
            throw .embedding(.spacesDiffer(needed: stored.space, found: pair.space))
        }
        let ranker = stored.with(
            retrieval.applied(to: stored.retrieval), space: pair.spaceDescription)
        self.ranker = ranker
        let index = try wrapping(as: InferenceError.objects) { () throws(ObjectError) in
            let verified = if let verified { verified } else { try VerifiedLeaves() }
            return try FeatureIndex(
                pair.table, schema: pair.schema, index: pair.index, in: pair.objects,
                verified: verified, segments: segments, threads: threads)
        }
        self.index = index
        preselection =
            approximately ? ApproximateSearch(index.vectors, threads: threads) : nil
        scope = try Self.scope(
            condition, of: index, preselection, pair, candidates: ranker.retrieval.candidates,
            threads: threads)
    }

    /// The rows that fit a condition, and how well preselecting works among them.
    private static func scope(
        _ condition: Condition?, of index: FeatureIndex, _ preselection: ApproximateSearch?,
        _ pair: ResolvedPair, candidates: Int, threads: Int
    ) throws(InferenceError) -> Scope {
        var rows: RowSet?
        if let condition {
            let checked = try wrapping(as: InferenceError.objects) { () throws(ObjectError) in
                try index.checked(condition, in: pair.objects)
            }
            let fitting: Condition
            do throws(ConditionError) { fitting = try checked.get() } catch {
                throw .condition(error)
            }
            rows = try wrapping(as: InferenceError.objects) { () throws(ObjectError) in
                try index.rows(where: fitting, in: pair.objects, threads: threads)
            }
        }
        guard let preselection else { return Scope(rows: rows, approximate: nil, mode: .exact) }
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
        return Scope(rows: rows, approximate: widened?.search, mode: mode)
    }

    /// The beginnings of the texts of some rows, evenly spread, embedded as if somebody had asked for them: nearer
    /// to what is asked than the rows' own vectors, which find themselves.
    private static func queries(
        _ count: Int, of index: FeatureIndex, among set: RowSet, _ pair: ResolvedPair, threads: Int
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

    /// The scope of a question with a condition of its own, which holds besides the one of all questions.
    private func scope(_ own: Condition?) throws(InferenceError) -> Scope {
        guard let own else { return scope }
        return try narrower.scope(of: own) { () throws(InferenceError) in
            try Self.scope(
                condition.map { .all([$0, own]) } ?? own, of: index, preselection, pair,
                candidates: ranker.retrieval.candidates, threads: threads)
        }
    }

    /// What was found for a question.
    struct Found {
        /// The question, as it was looked for.
        let question: Question
        /// The best passages, best first.
        let passages: [Passage]
        /// What speaks for an answer, in the order of ``AnsweringRule/Evidence``.
        let evidence: [Double]
        /// How they were found.
        let mode: SearchMode
        /// The phrases in quotation marks.
        let phrases: QuotedPhrases
        /// Whether the passages have a phrase that is asked for.
        let hasPhrase: Bool
        /// The phrases that passages had to have and none has; the passages were found without them.
        let missingPhrases: [String]
        /// How much of the question those are: from 0 to 1.
        let missingShare: Double
    }

    /// Finds the passages that answer best, at most `count`.
    ///
    /// - Parameter condition: What must hold of their rows besides the condition of all questions.
    func passages(
        for text: String, count: Int, where condition: Condition?
    ) throws(InferenceError) -> Found {
        let scope = try scope(condition)
        let query = try wrapping(as: InferenceError.embedding) { () throws(EmbeddingError) in
            try pair.embedder.embed(text, as: .query)
        }
        return try wrapping(as: InferenceError.objects) { () throws(ObjectError) in
            let asked = QuotedPhrases(in: text)
            let phrases = try asked.occurrence(
                in: index, among: scope.rows, source: pair.objects, threads: threads)
            let among = phrases.rows ?? scope.rows
            let question = Question(text, of: index.words)
            let missing = phrases.missing.reduce(into: Set<Int>()) {
                $0.formUnion(question.words(foundIn: $1))
            }
            let retrieval = HybridRetrieval(ranker, in: index, of: pair.spaceDescription)
            let nearest = try scope.approximate.flatMap { (approximate) throws(ObjectError) in
                try approximate.nearest(
                    ranker.retrieval.candidates, to: query, among: among, threads: threads)
            }
            let candidates = try retrieval.candidates(
                question, vector: query, nearest: nearest, among: among, threads: threads)
            let judged = try retrieval.judge(
                question, candidates, without: missing, in: pair.objects, threads: threads)
            let ranked = retrieval.rank(candidates, judged)
            return Found(
                question: question,
                passages: ranked.prefix(count).map { Passage($0) },
                evidence: judged.evidence, mode: scope.mode,
                phrases: asked, hasPhrase: phrases.rows != nil, missingPhrases: phrases.missing,
                missingShare: question.share(of: missing))
        }
    }

    private static func file(
        _ name: String, of pair: ResolvedPair
    ) throws(ObjectError) -> [UInt8] {
        guard let path = try? RelativePath(name),
            let entry = try TreeReader(pair.objects).entry(at: path, in: pair.modelTree)
        else {
            throw .malformed(
                pair.model, as: "ranker", reason: "it has no file \(name)", offset: nil)
        }
        return try pair.objects.read(entry.id, limit: Ranker.fileLimit)
    }
}

/// What whoever asks wants otherwise than the ranker's settings say.
public struct RetrievalOverrides: Hashable, Sendable {
    /// Where candidates come from.
    public var mode: RetrievalSettings.Mode?
    /// How many candidates each way of looking gives.
    public var candidates: Int?
    /// How many chunks of one document come before those of others.
    public var perDocument: Int?

    /// Nothing otherwise.
    public init() {}

    func applied(to settings: RetrievalSettings) -> RetrievalSettings {
        var settings = settings
        settings.mode = mode ?? settings.mode
        settings.candidates = candidates ?? settings.candidates
        settings.perDocument = perDocument ?? settings.perDocument
        return settings
    }
}

/// How candidates are found among all rows.
public enum SearchMode: Hashable, Sendable {
    /// All rows are compared; what is found is what is nearest.
    case exact
    /// All rows are compared although that was not asked for: in a sample of so many queries, preselecting rows missed
    /// too many of the nearest.
    case exactInstead(sample: Int)
    /// Rows are preselected by the signs of their numbers, so that some of the nearest may be missed.
    ///
    /// - Parameters:
    ///   - recall: The part of the nearest rows that was found in a sample of queries.
    ///   - sample: How many queries that were: the beginnings of texts of rows, evenly spread.
    case approximate(recall: Double, sample: Int)
}

/// The rows that passages may come from, and how they are searched: made once for each condition.
struct Scope: Sendable {
    /// The rows; nil for all.
    let rows: RowSet?
    /// The search that may miss some; nil where all of the rows are compared.
    let approximate: ApproximateSearch?
    /// How candidates are found.
    let mode: SearchMode
}

/// The scopes of the conditions that questions came with, the last few of them.
final class ScopeCache: Sendable {
    /// A scope takes up to eight bytes for each row of the table, and services ask the same few conditions.
    private static let limit = 16

    private let scopes = Mutex<[(condition: Condition, scope: Scope)]>([])

    /// The scope of a condition, made where it is not known.
    ///
    /// Two threads that ask for the same new one both make it.
    func scope(
        of condition: Condition, make: () throws(InferenceError) -> Scope
    ) throws(InferenceError) -> Scope {
        let known = scopes.withLock { scopes -> Scope? in
            guard let index = scopes.firstIndex(where: { $0.condition == condition }) else {
                return nil
            }
            let found = scopes.remove(at: index)
            scopes.append(found)
            return found.scope
        }
        if let known { return known }
        let scope = try make()
        scopes.withLock { scopes in
            if scopes.count >= Self.limit { scopes.removeFirst() }
            scopes.append((condition, scope))
        }
        return scope
    }
}
