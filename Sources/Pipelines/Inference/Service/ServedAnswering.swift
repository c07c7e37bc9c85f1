public import Artifacts
public import Objects
public import Refs
internal import Storage
internal import Synchronization

/// What writes the answers of a service.
public enum Engine: Sendable {
    /// Sentences of the passages.
    case extractive
    /// A language model.
    ///
    /// - Parameters:
    ///   - temperature: The randomness of answers unless the client asks for another.
    ///   - canaryTimeout: The longest time for checking it against a canary.
    case model(any ChatModel, temperature: Double, canaryTimeout: Duration)
}

/// Whether a language model is the one that a release records.
public enum EngineCheck: Sendable {
    /// No language model takes part, or it answers as the release's canary records.
    case passed
    /// The release has no canary.
    case unknown
    /// The language model is not used, for this reason.
    case failed(InferenceError)

    /// Whether it is known that the right one answers.
    public var isVerified: Bool { if case .passed = self { true } else { false } }
}

/// The checks of a service's language model: the one that runs can be ended.
final class EngineChecks: Sendable {
    private struct State {
        var running: (versions: ChosenVersions, state: Refs.State, deadline: Deadline)?
        var isStopped = false
    }

    private let state = Mutex(State())

    /// The versions whose language model is being asked, and the state in which they were chosen.
    var running: (ChosenVersions, Refs.State)? {
        state.withLock { state in state.running.map { ($0.versions, $0.state) } }
    }

    /// Runs a check, one at a time.
    func run<Outcome>(
        of versions: ChosenVersions, in chosen: Refs.State, within time: Duration,
        _ check: (Deadline) -> Outcome
    ) -> Outcome {
        let deadline = Deadline(after: time)
        state.withLock { state in
            if state.isStopped { deadline.cancel() }
            state.running = (versions, chosen, deadline)
        }
        defer { state.withLock { $0.running = nil } }
        return check(deadline)
    }

    /// Ends the check of some versions, if it still runs.
    func end(of versions: ChosenVersions) {
        state.withLock { state in
            if state.running?.versions == versions { state.running?.deadline.cancel() }
        }
    }

    /// Ends the check that runs, and all later ones at once.
    func stop() {
        state.withLock { state in
            state.isStopped = true
            state.running?.deadline.cancel()
        }
    }
}

/// Everything that answers questions for one set of versions; any number of threads use it.
public final class Answering: Sendable {
    /// Finds passages.
    public let answering: QuestionAnswering
    /// Writes answers.
    let generator: any Generator
    /// The identity of the prompt; nil where no language model is asked.
    public let promptID: ObjectID?
    /// The identity of the embedding space: a hash over its canaries, so computed once for all answers.
    public let spaceID: ObjectID
    private let engine: Engine
    private let canary: Canary?
    private let check: Mutex<EngineCheck>
    private let checks: EngineChecks
    private let state: Refs.State

    init(
        _ answering: QuestionAnswering, in state: Refs.State, _ engine: Engine,
        _ checks: EngineChecks
    ) throws(InferenceError) {
        self.answering = answering
        self.state = state
        self.engine = engine
        self.checks = checks
        spaceID = answering.versions.space.id
        let prompt = try answering.versions.prompt()
        switch engine {
        case .extractive:
            generator = ExtractiveGenerator(nothingFound: prompt.nothingFound.text)
            (promptID, canary) = (nil, nil)
            check = Mutex(.passed)
        case .model(let model, let temperature, _):
            generator = ChatGenerator(model: model, prompt: prompt, temperature: temperature)
            promptID = prompt.id
            canary = try answering.versions.canary()
            check = Mutex(.unknown)
        }
    }

    /// The outcome of the last check of the language model.
    public var engineCheck: EngineCheck { check.withLock { $0 } }

    /// Asks the language model what the release's canary records.
    ///
    /// - Parameter limit: The longest time, if it is shorter than the engine's own.
    @discardableResult
    func checkEngine(within limit: Duration? = nil) -> EngineCheck {
        guard case .model(let model, _, let timeout) = engine, let canary else {
            return engineCheck
        }
        let time = min(limit ?? timeout, timeout)
        let versions = answering.versions.chosen
        let outcome = checks.run(of: versions, in: state, within: time) {
            deadline -> EngineCheck in
            do throws(GenerationError) {
                switch try canary.check(model, by: deadline) {
                case .same: return .passed
                case .differs(let difference):
                    return .failed(.engine(model: model.name, reason: difference.description))
                }
            } catch { return .failed(.generation(error)) }
        }
        return check.withLock { check in
            // A check that was ended says nothing about the language model.
            if case .failed(.generation(.cancelled)) = outcome, case .failed = check {
                return check
            }
            check = outcome
            return outcome
        }
    }

    /// Does not use the language model any more if it failed the check of other versions with the same canary.
    func adopt(_ outcome: EngineCheck, of other: Answering) {
        guard case .failed(.engine) = outcome, let canary, canary == other.canary else { return }
        check.withLock { $0 = outcome }
    }
}

/// The versions that a selection names, and how they are opened.
public struct ServedAnswering: ServedVersions {
    let settings: AnswerService.Settings
    let repository: Repository
    let checks = EngineChecks()

    /// See ``ServedVersions``.
    public func choose(in state: State) throws(InferenceError) -> ChosenVersions {
        try ChosenVersions(
            settings.selection, reranker: settings.loading.reranking.model, in: repository,
            state: state, now: settings.now())
    }

    /// See ``ServedVersions``.
    public func snapshots(of versions: ChosenVersions) -> [String: ObjectID] { versions.snapshots }

    /// See ``ServedVersions``. Checks the language model, too; only the first versions come into service without it.
    public func open(
        _ versions: ChosenVersions, in state: State, from current: Answering?
    ) throws(InferenceError) -> Answering {
        let answering = try QuestionAnswering(
            versions, in: repository, state: state, loading: settings.loading,
            sharing: current?.answering)
        let opened = try Answering(answering, in: state, settings.engine, checks)
        let outcome = opened.checkEngine(within: current == nil ? settings.firstCheck : nil)
        if case .failed(let error) = outcome, let current {
            current.adopt(outcome, of: opened)
            throw error
        }
        return opened
    }

    /// Touches what the first question needs.
    public func warm(_ opened: Answering) throws(InferenceError) {
        _ = try opened.answering.retrieve("first question")
    }

    /// See ``ServedVersions``.
    public func failure(_ error: RefError) -> InferenceError { .refs(error) }
}
