public import Conditions
public import Artifacts
public import Objects
public import Refs
internal import Storage
internal import Synchronization

/// Answers questions from the versions that a selection names, and switches to others when refs move.
///
/// Loads new versions alongside the current ones, and switches if they fit. Parks versions that do not fit: the current
/// ones keep answering, and ``parked`` has the reason. Not thread-safe.
public final class FollowingService {
    /// Versions that the selection names but that cannot answer.
    public struct Parked: Sendable {
        /// The features snapshot; nil when the selection could not even be resolved.
        public let features: ObjectID?
        /// The model snapshot.
        public let model: ObjectID?
        /// The reason.
        public let error: InferenceError

        fileprivate init(_ rejection: Follower<AnsweringVersions>.Rejection) {
            features = rejection.versions?.features
            model = rejection.versions?.model
            error = rejection.error
        }
    }

    /// A change of versions since the previous question.
    public enum Change: Sendable {
        /// New versions answer.
        case switched
        /// New versions cannot answer; the previous ones still do.
        case parked(Parked)
    }

    /// The versions that currently answer.
    public var current: QuestionAnswering { follower.current }
    /// The newest versions if they cannot answer; nil if they do.
    public var parked: Parked? { follower.rejection.map { Parked($0) } }

    private let follower: Follower<AnsweringVersions>
    private let isPinned: Bool

    /// The seconds for which the lease outlives a service that ends without ``stop()``.
    private static let leaseSeconds = 600

    /// Loads what a selection names, and takes a lease for it where the repository can be written.
    ///
    /// - Throws: As ``QuestionAnswering``.
    public init(
        _ selection: Selection, in repository: Repository, now: @escaping @Sendable () -> Timestamp,
        where condition: Condition? = nil,
        embedders: EmbedderSource = EmbedderSource(), approximately: Bool = false,
        verified: VerifiedLeaves? = nil, segments: SegmentCache = SegmentCache(),
        retrieval: RetrievalOverrides = RetrievalOverrides(), threads: Int
    ) throws(InferenceError) {
        isPinned = if case .pinned = selection { true } else { false }
        let opened = LastOpened()
        let versions = AnsweringVersions(
            choosing: { (state) throws(InferenceError) in
                try ChosenVersions(selection, in: repository, state: state, now: now())
            },
            opening: { (chosen, state) throws(InferenceError) in
                try opened.replaced { (previous) throws(InferenceError) in
                    try QuestionAnswering(
                        chosen, in: repository, state: state, where: condition,
                        embedders: embedders, approximately: approximately, verified: verified,
                        segments: segments, retrieval: retrieval, threads: threads,
                        sharing: previous)
                }
            })
        follower = try Follower(
            versions, in: repository, purpose: "fti-inference", leaseSeconds: Self.leaseSeconds)
    }

    /// Switches to the versions that the selection names now; any failure leaves the current ones answering.
    ///
    /// - Returns: Nil when nothing changed, the same versions were already parked, or the selection is pinned.
    public func follow() -> Change? {
        guard !isPinned, let change = follower.follow() else { return nil }
        return switch change {
        case .switched: .switched
        case .rejected(let rejection): .parked(Parked(rejection))
        }
    }

    /// Answers from the current versions; see ``QuestionAnswering/answer(_:count:where:)``.
    public func answer(
        _ question: String, count: Int? = nil, where own: Condition? = nil
    ) throws(InferenceError) -> Reply {
        try current.answer(question, count: count, where: own)
    }

    /// Ends the lease; the versions may be collected from then on.
    public func stop() { follower.stop() }
}

/// The versions that were loaded last, with which the next ones share memory.
private final class LastOpened: Sendable {
    private let service = Mutex<QuestionAnswering?>(nil)

    func replaced(
        _ open: (QuestionAnswering?) throws(InferenceError) -> QuestionAnswering
    ) throws(InferenceError) -> QuestionAnswering {
        try service.withLock { (service) throws(InferenceError) in
            let next = try open(service)
            service = next
            return next
        }
    }
}

/// The versions that a selection names, and how they are loaded.
private struct AnsweringVersions: ServedVersions {
    let choosing: (State) throws(InferenceError) -> ChosenVersions
    let opening: (ChosenVersions, State) throws(InferenceError) -> QuestionAnswering

    func choose(in state: State) throws(InferenceError) -> ChosenVersions { try choosing(state) }

    func snapshots(of versions: ChosenVersions) -> [ObjectID] {
        [versions.features, versions.model, versions.release].compactMap(\.self)
    }

    func open(
        _ versions: ChosenVersions, in state: State
    ) throws(InferenceError) -> QuestionAnswering {
        try opening(versions, state)
    }

    func failure(_ error: RefError) -> InferenceError { .refs(error) }
}
