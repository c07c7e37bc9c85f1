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

/// The deadlines of the checks of a language model, which end when the service stops.
final class EngineCheckDeadlines: Sendable {
    private struct State {
        var current: Deadline?
        var isStopped = false
    }

    private let state = Mutex(State())

    /// The deadline of a check that begins now, one at a time.
    func begin(after time: Duration) -> Deadline {
        state.withLock { state in
            let deadline = Deadline(after: time)
            if state.isStopped { deadline.cancel() }
            state.current = deadline
            return deadline
        }
    }

    /// Ends the check that runs, and all later ones at once.
    func stop() {
        state.withLock { state in
            state.isStopped = true
            state.current?.cancel()
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
    private let deadlines: EngineCheckDeadlines

    init(
        _ answering: QuestionAnswering, _ engine: Engine, _ deadlines: EngineCheckDeadlines
    ) throws(InferenceError) {
        self.answering = answering
        self.engine = engine
        self.deadlines = deadlines
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
        let outcome: EngineCheck
        do throws(GenerationError) {
            let time = min(limit ?? timeout, timeout)
            switch try canary.check(model, by: deadlines.begin(after: time)) {
            case .same: outcome = .passed
            case .differs(let difference):
                outcome = .failed(.engine(model: model.name, reason: difference.description))
            }
        } catch { outcome = .failed(.generation(error)) }
        check.withLock { $0 = outcome }
        return outcome
    }
}

/// The versions that a selection names, and how they are opened.
public struct ServedAnswering: ServedVersions {
    let settings: AnswerService.Settings
    let repository: Repository
    let deadlines = EngineCheckDeadlines()

    /// See ``ServedVersions``.
    public func choose(in state: State) throws(InferenceError) -> ChosenVersions {
        try ChosenVersions(
            settings.selection, in: repository, state: state, now: settings.now())
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
        let opened = try Answering(answering, settings.engine, deadlines)
        let limit = current == nil ? settings.firstCheck : nil
        if case .failed(let error) = opened.checkEngine(within: limit), current != nil {
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
