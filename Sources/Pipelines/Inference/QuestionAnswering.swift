public import Artifacts
public import EmbeddingService
public import Objects
public import Refs
internal import Storage

/// The inference pipeline: resolve, retrieve, answer. It never writes to the repository.
public struct QuestionAnswering: Sendable {
    /// What is answered from.
    public let pair: ResolvedPair
    private let retriever: Retriever
    private let condition: Condition?

    /// Resolves a selection and loads what it names.
    ///
    /// - Parameters:
    ///   - condition: What must hold of the rows that answers come from; nil for all rows. It chooses before the
    ///     nearest are looked for, and once for all questions.
    ///   - embedders: Where embedders behind a service are found.
    ///   - approximately: Whether candidates are found without comparing all rows, and may be missed;
    ///     see ``Reply/search``.
    ///   - verified: Which leaves of features were verified before; nil to verify all.
    /// - Throws: `embedding` when features and model are of different spaces, or the embedder of that space
    ///   is not there; `condition` when the rows have no such names or values; `unusable`, `pin`, `refs`, `objects`.
    public init(
        _ selection: Selection, in repository: Repository, now: Timestamp,
        where condition: Condition? = nil,
        embedders: EmbedderSource = EmbedderSource(), approximately: Bool = false,
        verified: VerifiedLeaves? = nil, segments: SegmentCache = SegmentCache(),
        retrieval: RetrievalOverrides = RetrievalOverrides(), threads: Int
    ) throws(InferenceError) {
        let state = try wrapping(as: InferenceError.refs) { () throws(RefError) in
            try repository.state()
        }
        try self.init(
            try ChosenVersions(selection, in: repository, state: state, now: now), in: repository,
            state: state, where: condition, embedders: embedders, approximately: approximately,
            verified: verified, segments: segments, retrieval: retrieval, threads: threads)
    }

    /// Answers one question, and takes no lease for it.
    ///
    /// What the selection names may be collected between the moment in which it is resolved and the one in which it is
    /// read. Then it is resolved once more.
    ///
    /// - Throws: As ``init(_:in:now:where:embedders:approximately:verified:threads:)``.
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
        let state = try wrapping(as: InferenceError.refs) { () throws(RefError) in
            try repository.state()
        }
        do throws(InferenceError) { return try reply(in: state) } catch {
            guard error.isOfCollection else { throw error }
            let newest = try wrapping(as: InferenceError.refs) { () throws(RefError) in
                try repository.log.refreshed(state)
            }
            guard newest.number > state.number else { throw error }
            return try reply(in: newest)
        }
    }

    /// Loads versions that were chosen in a state.
    init(
        _ chosen: ChosenVersions, in repository: Repository, state: State,
        where condition: Condition?, embedders: EmbedderSource, approximately: Bool,
        verified: VerifiedLeaves?, segments: SegmentCache, retrieval: RetrievalOverrides,
        threads: Int
    ) throws(InferenceError) {
        self.condition = condition
        // Whoever is answered acts on it: a power cut must not take back what the answer names.
        try wrapping(as: InferenceError.refs) { () throws(RefError) in
            try repository.log.makeDurable()
        }
        pair = try ResolvedPair(chosen, in: repository, state: state, embedders: embedders)
        retriever = try Retriever(
            pair, where: condition, approximately: approximately, verified: verified,
            segments: segments, retrieval: retrieval, threads: threads)
    }

    /// Answers a question from its `count` best passages; nil for as many as the ranker's settings say.
    ///
    /// - Parameter own: What must hold of their rows besides the condition of all questions. The rows that fit are
    ///   remembered for the last few conditions.
    /// - Throws: `condition` when the rows have no such names or values; `embedding`, `objects`.
    public func answer(
        _ question: String, count: Int? = nil, where own: Condition? = nil
    ) throws(InferenceError) -> Reply {
        let count = count ?? retriever.ranker.retrieval.k
        let found = try retriever.passages(for: question, count: count, where: own)
        let conditions = [condition, own].compactMap { $0 }
        let judgement = Judgement(found, ranker: retriever.ranker)
        let sources = Array(found.passages.prefix(count))
        let answer = ExtractiveAnswer(
            found.question, found.phrases, from: judgement.isAnswered ? sources : [])
        return Reply(
            question: question, judgement: judgement, units: answer.units,
            quotedPlace: answer.place, sources: sources, ranker: retriever.ranker,
            features: pair.features, model: pair.model, release: pair.release, space: pair.space,
            transaction: pair.transaction,
            condition: conditions.count > 1 ? .all(conditions) : conditions.first,
            search: found.mode)
    }
}
