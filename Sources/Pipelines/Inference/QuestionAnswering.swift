public import Conditions
public import Artifacts

public import Objects
public import Refs
internal import Storage

/// The inference pipeline: resolve, retrieve, answer. It never writes to the repository.
public struct QuestionAnswering: Sendable {
    /// The features and the model that answer.
    public let pair: ResolvedPair
    private let retriever: Retriever
    private let condition: Condition?

    /// Resolves a selection and loads the versions that it names.
    ///
    /// - Parameters:
    ///   - condition: A condition on the rows that answers come from; nil for all rows. It is applied before the
    ///     search, once for all questions.
    ///   - embedders: Opens the embedder of the features' space.
    ///   - approximately: Whether the search may miss candidates in exchange for speed; see ``Reply/search``.
    ///   - verified: The record of leaves that were already verified; nil to verify all.
    ///   - threads: The number of threads for a question. With 1, a question stays on the caller's thread; a service that
    ///     answers several at once needs no more.
    ///   - openingThreads: The number of threads for loading; nil for the same number.
    ///   - previous: Loaded versions that this one replaces. Both share what their features have in common, so that a
    ///     small change of large features takes little time and memory; neither depends on the other.
    /// - Throws: `embedding` when features and model are in different spaces, or the space's embedder is missing;
    ///   `condition` when it does not fit the rows; `unusable`, `pin`, `refs`, `objects`.
    public init(
        _ selection: Selection, in repository: Repository, now: Timestamp,
        where condition: Condition? = nil,
        embedders: EmbedderSource = EmbedderSource(), approximately: Bool = false,
        verified: VerifiedLeaves? = nil, segments: SegmentCache = SegmentCache(),
        retrieval: RetrievalOverrides = RetrievalOverrides(), threads: Int,
        openingThreads: Int? = nil, sharing previous: QuestionAnswering? = nil
    ) throws(InferenceError) {
        let state = try wrapping(repository.state(), as: InferenceError.refs)
        try self.init(
            try ChosenVersions(selection, in: repository, state: state, now: now), in: repository,
            state: state, where: condition, embedders: embedders, approximately: approximately,
            verified: verified, segments: segments, retrieval: retrieval, threads: threads,
            openingThreads: openingThreads, sharing: previous)
    }

    /// Answers a single question without taking a lease.
    ///
    /// A collection may remove the versions between resolving and reading them; the selection is then resolved once
    /// more, in the newest state.
    ///
    /// - Throws: The errors of ``answer(_:count:where:)`` and
    ///   ``init(_:in:now:where:embedders:approximately:verified:segments:retrieval:threads:)``.
    public static func reply(
        to question: String, count: Int?, _ selection: Selection, in repository: Repository,
        now: Timestamp, where condition: Condition? = nil,
        embedders: EmbedderSource = EmbedderSource(), approximately: Bool = false,
        verified: VerifiedLeaves? = nil, segments: SegmentCache = SegmentCache(),
        retrieval: RetrievalOverrides = RetrievalOverrides(), threads: Int
    ) throws(InferenceError) -> Reply {
        func reply(in state: State) throws(InferenceError) -> Reply {
            try QuestionAnswering(
                try ChosenVersions(selection, in: repository, state: state, now: now),
                in: repository, state: state, where: condition, embedders: embedders,
                approximately: approximately, verified: verified, segments: segments,
                retrieval: retrieval, threads: threads
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
    init(
        _ chosen: ChosenVersions, in repository: Repository, state: State,
        where condition: Condition?, embedders: EmbedderSource, approximately: Bool,
        verified: VerifiedLeaves?, segments: SegmentCache, retrieval: RetrievalOverrides,
        threads: Int, openingThreads: Int? = nil, sharing previous: QuestionAnswering? = nil
    ) throws(InferenceError) {
        self.condition = condition
        // People act on answers, so the versions that an answer names must survive a power failure.
        try wrapping(repository.log.makeDurable(), as: InferenceError.refs)
        pair = try ResolvedPair.resolve(
            chosen, in: repository, state: state, embedders: embedders)
        retriever = try Retriever.load(
            pair, where: condition, approximately: approximately, verified: verified,
            segments: segments, retrieval: retrieval, threads: threads,
            openingThreads: openingThreads ?? threads, sharing: previous?.retriever)
    }

    /// Answers a question from its `count` best chunks; nil for the ranker's own number.
    ///
    /// - Parameter own: A further condition on the rows, besides the condition of all questions. The service caches the
    ///   matching rows of the last few conditions.
    /// - Throws: `condition` when it does not fit the rows; `embedding`, `objects`.
    public func answer(
        _ question: String, count: Int? = nil, where own: Condition? = nil
    ) throws(InferenceError) -> Reply {
        let found = try retriever.chunks(
            for: question, count: count ?? retriever.ranker.retrieval.k, where: own)
        let conditions = [condition, own].compactMap { $0 }
        let judgement = Judgement(found, ranker: retriever.ranker)
        let answer = ExtractiveAnswer.choose(
            found.question, found.phrases, from: judgement.isAnswered ? found.chunks : [])
        return Reply(
            question: question, judgement: judgement, units: answer.units,
            quotedPlace: answer.place, sources: found.chunks, ranker: retriever.ranker,
            features: pair.features, model: pair.model, release: pair.release, space: pair.space,
            transaction: pair.transaction,
            condition: conditions.count > 1 ? .all(conditions) : conditions.first,
            search: found.mode)
    }

    /// Finds the `count` best chunks for a question, without composing an answer; nil for the ranker's own number.
    ///
    /// - Parameter own: As for ``answer(_:count:where:)``.
    /// - Throws: `condition` when it does not fit the rows; `embedding`, `objects`.
    public func retrieve(
        _ question: String, count: Int? = nil, where own: Condition? = nil
    ) throws(InferenceError) -> Retrieval {
        let found = try retriever.chunks(
            for: question, count: count ?? retriever.ranker.retrieval.k, where: own)
        let judgement = Judgement(found, ranker: retriever.ranker)
        return Retrieval(
            chunks: found.chunks, isAnswered: judgement.isAnswered, reason: judgement.reason,
            search: found.mode)
    }
}

/// What retrieval found for a question.
public struct Retrieval: Sendable {
    /// The best chunks, best first.
    public let chunks: [FoundChunk]
    /// Whether the chunks answer the question, as the ranker's answering rule judges.
    public let isAnswered: Bool
    /// The reason of that judgement, as the end of a sentence.
    public let reason: String
    /// How the search found the chunks.
    public let search: SearchMode
}
