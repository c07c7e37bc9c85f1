public import Conditions
public import Artifacts

public import Objects
public import Refs
internal import Storage

/// The inference pipeline: resolve, retrieve, answer. It never writes to the repository.
public struct QuestionAnswering: Sendable {
    /// The versions that answer.
    public let versions: ResolvedVersions
    let retriever: Retriever
    private let condition: Condition?

    /// Resolves a selection and loads the versions that it names.
    ///
    /// - Parameter previous: Loaded versions that these replace. Both share what their features have in common, so a
    ///   small change of large features takes little time and memory; neither depends on the other.
    /// - Throws: `embedding` when features and model are in different spaces, or the space's embedder is missing;
    ///   `condition` when it does not fit the rows; `unusable`, `pin`, `refs`, `objects`.
    public init(
        _ selection: Selection, in repository: Repository, now: Timestamp,
        loading options: LoadingOptions = LoadingOptions(),
        sharing previous: QuestionAnswering? = nil
    ) throws(InferenceError) {
        let state = try wrapping(repository.state(), as: InferenceError.refs)
        try self.init(
            try ChosenVersions(
                selection, reranker: options.reranking.model, in: repository, state: state,
                now: now), in: repository, state: state, loading: options, sharing: previous)
    }

    /// Answers a single question without taking a lease.
    ///
    /// A collection may remove the versions between resolving and reading them; the selection is then resolved once
    /// more, in the newest state.
    ///
    /// - Throws: The errors of ``answer(_:count:where:)`` and ``init(_:in:now:loading:sharing:)``.
    public static func reply(
        to question: String, count: Int?, _ selection: Selection, in repository: Repository,
        now: Timestamp, loading options: LoadingOptions = LoadingOptions()
    ) throws(InferenceError) -> Reply {
        func reply(in state: State) throws(InferenceError) -> Reply {
            try QuestionAnswering(
                try ChosenVersions(
                    selection, reranker: options.reranking.model, in: repository, state: state,
                    now: now),
                in: repository, state: state, loading: options
            ).answer(question, count: count)
        }
        let state = try wrapping(repository.state(), as: InferenceError.refs)
        do throws(InferenceError) { return try reply(in: state) } catch {
            guard error.isOfCollection else { throw error }
            let newest = try wrapping(repository.log.refreshed(state), as: InferenceError.refs)
            guard newest.number > state.number else { throw error }
            return try reply(in: newest)
        }
    }

    /// Loads versions that were resolved in a state.
    ///
    /// - Parameter previous: As for ``init(_:in:now:loading:sharing:)``.
    init(
        _ chosen: ChosenVersions, in repository: Repository, state: State,
        loading options: LoadingOptions, sharing previous: QuestionAnswering? = nil
    ) throws(InferenceError) {
        condition = options.condition
        // People act on answers, so the versions that an answer names must survive a power failure.
        try wrapping(repository.log.makeDurable(), as: InferenceError.refs)
        versions = try ResolvedVersions.resolve(
            chosen, in: repository, state: state, embedders: options.embedders,
            sharing: previous?.versions)
        retriever = try Retriever.load(versions, options, sharing: previous?.retriever)
    }

    /// Finds the `count` best chunks for a question; nil for the ranker's own number.
    ///
    /// - Parameter own: A further condition on the rows, besides the condition of all questions. The service caches the
    ///   matching rows of the last few conditions.
    /// - Parameter isReranked: Whether the reranker takes part, if the versions have one.
    /// - Parameter deadline: When reranking gives up; nil for never.
    /// - Throws: `condition` when it does not fit the rows; `late`, `embedding`, `objects`.
    public func retrieve(
        _ question: String, count: Int? = nil, where own: Condition? = nil,
        isReranked: Bool = true, by deadline: Deadline? = nil
    ) throws(InferenceError) -> Retrieval {
        let count = count ?? retriever.ranker.retrieval.k
        let reranking = isReranked ? retriever.reranking : nil
        let found = try retriever.chunks(
            for: question, count: count, where: own, reranking: reranking, by: deadline)
        let conditions = [condition, own].compactMap { $0 }
        return Retrieval(
            text: question, question: found.question, phrases: found.phrases,
            judgement: Judgement(found, ranker: retriever.ranker),
            chunks: Array(found.chunks.prefix(count)), ranker: retriever.ranker,
            reranking: reranking,
            condition: conditions.count > 1 ? .all(conditions) : conditions.first,
            search: found.mode)
    }

    /// Answers a question with sentences of its `count` best chunks; see ``retrieve(_:count:where:isReranked:by:)``.
    public func answer(
        _ question: String, count: Int? = nil, where own: Condition? = nil
    ) throws(InferenceError) -> Reply {
        let retrieval = try retrieve(question, count: count, where: own)
        return Reply(
            retrieval: retrieval, answer: ExtractiveAnswer(of: retrieval), versions: versions)
    }

    /// The vectors of texts, as questions are embedded.
    ///
    /// - Throws: `embedding`.
    public func embed(
        _ texts: [String], as role: EmbeddingRole
    ) throws(InferenceError) -> [[Float]] {
        try wrapping(versions.embedder.embed(texts, as: role), as: InferenceError.embedding)
    }
}

/// How versions are loaded, and which of their rows answer.
public struct LoadingOptions: Sendable {
    /// A condition on the rows that answers come from; nil for all rows. It is applied before the search, once for all
    /// questions.
    public var condition: Condition?
    /// Settings that override the ranker's.
    public var retrieval = RetrievalOverrides()
    /// Opens the embedder of the features' space.
    public var embedders = EmbedderRegistry()
    /// Which reranker reorders passages, and how it is opened.
    public var reranking = RerankingOptions()
    /// Whether the search may miss candidates in exchange for speed; see ``Retrieval/search``.
    public var isApproximate = false
    /// The record of leaves that were already verified; nil to verify all.
    public var verified: VerifiedLeaves?
    /// The cache of lexical segments for features without an index.
    public var segments = SegmentCache()
    /// The number of threads that load versions.
    public var loadingThreads = Threads.available
    /// The number of threads that answer one question. With 1, a question stays on the caller's thread; a service that
    /// answers several at once needs no more.
    public var threads = Threads.available

    /// The defaults.
    public init() {}
}

/// Which reranker reorders passages, and how it is opened.
public struct RerankingOptions: Sendable {
    /// The revision of its model; nil for the one that a release binds. A release or a lock file decides the reranker:
    /// beside them, this must name the same one.
    public var model: String?
    /// The number of passages that it scores, in ``Reranking/candidateRange``.
    public var candidates = Reranking.usualCandidates
    /// Opens it; nil where this program cannot run any.
    public var provider: (any RerankerProvider)?

    /// Makes options that open no reranker.
    public init() {}
}

/// The chunks that were found for a question, and the judgement on whether they answer it.
public struct Retrieval: Sendable {
    /// The question.
    public let text: String
    /// The question's words and their weights.
    let question: Question
    /// The phrases that the question demands word for word.
    let phrases: QuotedPhrases
    /// Whether the chunks answer the question, and why.
    let judgement: Judgement
    /// The best chunks, best first.
    public let chunks: [FoundChunk]
    /// The ranker that ordered them.
    let ranker: Ranker
    /// What reordered the first chunks; nil where no reranker took part.
    public let reranking: Reranking?
    /// The condition on all chunks; nil when they come from all rows.
    public let condition: Condition?
    /// How the search found the chunks.
    public let search: SearchMode

    /// Whether the chunks answer the question, as the ranker's rule judges it.
    public var isAnswered: Bool { judgement.isAnswered }
}
