public import Artifacts
public import Conditions
public import Objects
public import Refs
internal import Storage
internal import Synchronization

/// Answers questions for many clients at once, from the versions that a selection names, and follows refs that move.
///
/// A request takes ``current`` once and uses it to its end, so an answer never mixes versions. One thread calls
/// ``follow()`` again and again: it loads new versions beside the current ones, and switches if they fit. Versions that
/// do not fit are parked: the current ones keep answering, and ``parked`` has the reason. Safe to use from many threads.
public final class AnswerService: Sendable {
    /// What a service needs besides the repository.
    public struct Settings: Sendable {
        /// The versions to serve.
        public var selection: Selection
        /// How versions are loaded.
        public var loading: LoadingOptions
        /// What writes answers.
        public var engine = Engine.extractive
        /// The longest time for checking the language model before the service starts; nil for the engine's own. A
        /// check that takes longer fails, and ``AnswerService/follow()`` makes it again.
        public var firstCheck: Duration?
        /// The number of passages; nil for the ranker's own number.
        public var passages: Int?
        /// This process, as its lease and its answers name it; nil for a lease that says nothing of it.
        public var replica: Replica?
        /// The clock.
        public var now: @Sendable () -> Timestamp

        /// Makes settings of a service that quotes from the passages.
        public init(
            _ selection: Selection, loading: LoadingOptions = LoadingOptions(),
            now: @escaping @Sendable () -> Timestamp
        ) {
            self.selection = selection
            self.loading = loading
            self.now = now
        }
    }

    /// Versions in service. They stay protected from collection for as long as anyone keeps a reference.
    public typealias InService = Follower<ServedAnswering>.InService

    /// New versions that cannot be served.
    public struct Parked: Sendable {
        /// The snapshots by role; empty when the selection could not even be resolved.
        public let snapshots: [String: ObjectID]
        /// The reason.
        public let error: InferenceError
        /// When they were parked.
        public let since: Timestamp
    }

    /// A change of versions since ``follow()`` was last called.
    public enum Change: Sendable {
        /// New versions answer.
        case switched
        /// New versions cannot answer; the previous ones still do.
        case parked(Parked)
        /// The language model of the versions in service was checked again, with this outcome.
        case checked(EngineCheck)
    }

    private let settings: Settings
    private let source: ServedAnswering
    private let follower: Follower<ServedAnswering>
    private let repositoryID: RandomBits
    private let backOff = Mutex(BackOff())
    private let damage = Mutex(Damage())

    /// The seconds for which the lease outlives a service that ends without ``stop()``.
    private static let leaseSeconds = 600

    /// Loads what the selection names, and takes a lease for it where the repository can be written.
    ///
    /// A language model that does not answer as the release records it, or not at all, does not keep the service from
    /// starting: passages are found, answers fail, and ``follow()`` checks the model again.
    ///
    /// - Throws: As ``QuestionAnswering``.
    public init(_ settings: Settings, in repository: Repository) throws(InferenceError) {
        self.settings = settings
        repositoryID = try wrapping(repository.state(), as: InferenceError.refs).repositoryID
        source = ServedAnswering(settings: settings, repository: repository)
        follower = try Follower(
            source, in: repository,
            purpose: "fti-inference", leaseSeconds: Self.leaseSeconds, replica: settings.replica,
            now: settings.now)
    }

    private var checks: EngineChecks { source.checks }

    /// The versions that answer: take them once for each request.
    public var current: InService { follower.current }

    /// The newest versions, if they cannot answer.
    public var parked: Parked? { follower.rejection.map(Self.parked) }

    /// How many transactions the log goes beyond the last one after which the versions in service were still the
    /// chosen ones.
    public var transactionsBehind: Int { follower.transactionsBehind }

    /// The number of former versions that requests still use.
    public var drainingCount: Int { follower.drainingCount }

    /// Whether the selection can never name other versions.
    public var isPinned: Bool { if case .pinned = settings.selection { true } else { false } }

    /// Switches to the versions that the selection names now; any failure leaves the current ones answering.
    ///
    /// - Returns: Nil when nothing changed, or nothing that was not reported before.
    public func follow() -> Change? {
        let isDue = backOff.withLock { $0.isDue }
        if isDue, let check = recheckEngine() { return .checked(check) }
        if damage.withLock({ $0.take() }), case .switched = follower.follow(reopening: true) {
            return .switched
        }
        // The lease is renewed by its own timer, and what is pinned never moves.
        guard !isPinned else { return nil }
        let isEngine = if case .engine = follower.rejection?.error { true } else { false }
        let mayPass = isEngine || follower.rejection?.isTemporary ?? false
        let change = follower.follow(retrying: isDue && mayPass)
        // Only an attempt that was due begins a pause: looking for moved refs in between must not prolong it.
        if isDue, mayPass { backOff.withLock { $0.wait() } }
        switch change {
        case nil: return nil
        case .switched:
            backOff.withLock { $0.reset() }
            return .switched
        case .rejected(let rejection): return .parked(Self.parked(rejection))
        }
    }

    /// Asks the language model of the versions in service again, if it failed; nil when the outcome is the same.
    private func recheckEngine() -> EngineCheck? {
        let serving = current.opened
        guard case .failed(let before) = serving.engineCheck else { return nil }
        let check = serving.checkEngine()
        guard case .failed(let now) = check else {
            backOff.withLock { $0.reset() }
            return check
        }
        backOff.withLock { $0.wait() }
        return now.message.utf8.elementsEqual(before.message.utf8) ? nil : check
    }

    /// Ends a check of the language model that is running when the selection names versions by now that ``follow()`` has
    /// not tried, so that it goes on to these. Another thread than the one that follows calls it now and then.
    public func endOutdatedCheck() {
        guard let (versions, state) = checks.running,
            let newest = try? source.repository.log.refreshed(state),
            newest.number != state.number, let chosen = try? source.choose(in: newest),
            chosen != versions, chosen != follower.rejection?.versions
        else { return }
        checks.end(of: versions)
    }

    /// Ends a check of the language model that is running, and all later ones at once, so that ``follow()`` returns.
    public func stopChecking() { checks.stop() }

    /// Ends the lease; the versions may be collected from then on.
    public func stop() { follower.stop() }

    private static func parked(_ rejection: Follower<ServedAnswering>.Rejection) -> Parked {
        Parked(
            snapshots: rejection.versions?.snapshots ?? [:], error: rejection.error,
            since: rejection.since)
    }
}

extension AnswerService {
    /// Answers a question from the versions in service, with quotes; see ``QuestionAnswering/answer(_:count:where:)``.
    public func quote(
        _ question: String, count: Int? = nil, where own: Condition? = nil
    ) throws(InferenceError) -> Reply {
        try current.opened.answering.answer(question, count: count, where: own)
    }

    /// Finds the chunks for a question in versions that ``current`` named.
    ///
    /// Where these turn out to be damaged, ``follow()`` opens them again, because the repository may be repaired.
    ///
    /// - Parameter isReranked: Whether the reranker takes part, if the versions have one.
    /// - Throws: As ``QuestionAnswering/retrieve(_:count:where:isReranked:by:)``.
    public func retrieve(
        _ question: String, count: Int? = nil, where own: Condition? = nil,
        from versions: InService,
        isReranked: Bool = true, by deadline: Deadline? = nil
    ) throws(InferenceError) -> Retrieval {
        do throws(InferenceError) {
            return try versions.opened.answering.retrieve(
                question, count: count ?? settings.passages, where: own, isReranked: isReranked,
                by: deadline)
        } catch {
            if error.fault == .damaged { damage.withLock { $0.isFound = true } }
            throw error
        }
    }

    /// Answers a question from versions that ``current`` named.
    ///
    /// - Parameters:
    ///   - id: The name of the answer; see ``newAnswerID()``.
    ///   - deadline: When the answer must be complete.
    ///   - found: Receives how long it took to find the passages.
    ///   - part: Receives each part of the answer, on the calling thread; together they are the record's answer.
    /// - Throws: `engine` when the language model is not the one that the release records; `generation` when it fails;
    ///   as ``QuestionAnswering/retrieve(_:count:where:isReranked:by:)``. A call that fails may have passed parts.
    public func answer(
        _ ask: AnswerRequest, as id: AnswerID, from versions: InService, by deadline: Deadline,
        found: (Duration) -> Void = { _ in }, part: (String) -> Void
    ) throws(InferenceError) -> AnswerRecord {
        let serving = versions.opened
        if case .failed(let error) = serving.engineCheck { throw error }
        let generator = serving.generator
        let asked = try wrapping(
            generator.standalone(ask.question, after: ask.conversation, by: deadline),
            as: InferenceError.generation)
        let start = ContinuousClock.now
        let retrieval = try retrieve(
            asked, count: ask.passages, where: ask.condition, from: versions, by: deadline)
        found(.now - start)
        var request = GenerationRequest(
            ask.question, after: ask.conversation, retrieval: retrieval)
        request.tokenLimit = ask.tokenLimit
        request.temperature = ask.temperature
        let answer = try wrapping(
            generator.generate(request, by: deadline, part: part), as: InferenceError.generation)
        return record(ask, id, retrieval, answer, from: serving)
    }

    private func record(
        _ ask: AnswerRequest, _ id: AnswerID, _ retrieval: Retrieval, _ answer: GeneratedAnswer,
        from serving: Answering
    ) -> AnswerRecord {
        let versions = serving.answering.versions
        // A prompt may have had room for the first passages only.
        let shown = answer.prompt == nil ? retrieval.chunks.count : answer.shown
        var settings = retrieval.ranker.retrieval
        settings.k = ask.passages ?? self.settings.passages ?? settings.k
        let isSame = retrieval.text.utf8.elementsEqual(ask.question.utf8)
        return AnswerRecord(
            id: id.description, replica: replicaName,
            time: self.settings.now(), ref: servedRef, question: ask.question,
            asked: isSame ? nil : retrieval.text, conversation: ask.conversation,
            isAnswered: answer.isAnswered, answer: answer.text,
            isVerified: serving.engineCheck.isVerified, citations: answer.citations,
            passages: retrieval.chunks.prefix(shown).enumerated().map { index, chunk in
                AnswerRecord.Passage(chunk, number: index + 1)
            },
            prompt: answer.prompt.map { .init(id: $0.prompt, messages: $0.messages) },
            generator: serving.generator.model.map { model in
                .openAI(
                    model: model, snapshot: versions.chosen.roles.generator, ending: answer.ending,
                    promptTokens: answer.promptTokens, replyTokens: answer.replyTokens)
            } ?? .extractive,
            versions: .init(
                release: versions.chosen.release, features: versions.chosen.roles.features,
                ranker: versions.chosen.roles.ranker, space: serving.spaceID,
                transaction: versions.chosen.transaction,
                repository: repositoryID.hex),
            condition: retrieval.condition?.description, retrieval: settings,
            rerank: retrieval.reranking.map {
                .init(model: $0.model, candidates: $0.candidates)
            })
    }

    /// The release that the service follows; nil when it serves something else.
    private var servedRef: String? {
        if case .release(let name) = settings.selection { name } else { nil }
    }

    /// A new name for an answer of this process.
    public func newAnswerID() -> AnswerID { AnswerID(of: replicaName) }

    /// The name of this process in answers.
    public var replicaName: String { settings.replica?.name ?? "unnamed" }
}

extension AnswerRecord.Passage {
    init(_ chunk: FoundChunk, number: Int) {
        self.init(
            chunk.row, number: number, score: chunk.score, similarity: Double(chunk.similarity),
            vectorRank: chunk.vectorRank.map { $0 + 1 }, wordsRank: chunk.wordsRank.map { $0 + 1 },
            rerank: chunk.rerank)
    }
}

/// What a client asks.
public struct AnswerRequest: Sendable {
    /// The question, as the client put it.
    public var question: String
    /// The messages before it.
    public var conversation: [ChatMessage]
    /// The number of passages; nil for the service's own number.
    public var passages: Int?
    /// A further condition on the rows that passages come from.
    public var condition: Condition?
    /// The maximum number of tokens of the answer; nil for the prompt's own limit, which always holds too.
    public var tokenLimit: Int?
    /// The randomness of the answer; nil for the service's setting.
    public var temperature: Double?

    /// Makes a request without wishes.
    public init(_ question: String, after conversation: [ChatMessage] = []) {
        self.question = question
        self.conversation = conversation
    }
}

/// Damage that answers met, and when to open their versions again.
private struct Damage {
    var isFound = false
    private var backOff = BackOff()

    /// Whether it is time to open the versions again. Each time makes the next pause longer, because opening them finds
    /// only some damage.
    mutating func take() -> Bool {
        guard isFound, backOff.isDue else { return false }
        isFound = false
        backOff.wait()
        return true
    }
}

/// When to try again what failed: after one second, and then after twice the time of the last pause, 16 at most.
private struct BackOff {
    private static let longest = 16
    private var seconds = 1
    private var next = ContinuousClock.now

    var isDue: Bool { ContinuousClock.now >= next }

    mutating func wait() {
        next = .now + .seconds(seconds)
        seconds = min(2 * seconds, Self.longest)
    }

    mutating func reset() { self = BackOff() }
}
