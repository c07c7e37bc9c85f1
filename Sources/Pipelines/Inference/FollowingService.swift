public import Artifacts
public import Objects
public import Refs
internal import Storage

/// Answers a series of questions from the versions that a selection names, and follows refs as they move.
///
/// New versions load beside the old ones, and replace them when they fit. The service rejects versions that do not fit,
/// keeps answering from the previous ones, and can report this in each reply. Not thread-safe.
public final class FollowingService {
    /// Versions that the service rejected.
    public struct Parked: Sendable {
        /// The features snapshot; nil when it could not be resolved.
        public let features: ObjectID?
        /// The model snapshot; nil when it could not be resolved.
        public let model: ObjectID?
        /// Why they were rejected.
        public let error: InferenceError
    }

    /// A change of versions since the previous question.
    public enum Change: Sendable {
        /// The service now answers from other versions.
        case switched
        /// The service rejected the versions that the selection now names.
        case parked(Parked)
    }

    /// The versions that answer at present.
    public private(set) var current: QuestionAnswering
    /// The versions that the selection names but the service rejected.
    public private(set) var parked: Parked?

    private let selection: Selection
    private let repository: Repository
    private let condition: Condition?
    private let embedders: EmbedderSource
    private let approximately: Bool
    private let verified: VerifiedLeaves?
    private let segments: SegmentCache
    private let retrieval: RetrievalOverrides
    private let threads: Int
    private let now: @Sendable () -> Timestamp
    private var state: State
    private var chosen: ChosenVersions
    private var refused: ChosenVersions?
    private let lease: HeldLease

    /// How many seconds the lease protects the current versions after its last renewal.
    private static let leaseSeconds = 600

    /// Loads the versions that a selection names, and takes a lease on them if the repository is writable.
    ///
    /// - Throws: The errors of ``QuestionAnswering``.
    public init(
        _ selection: Selection, in repository: Repository, now: @escaping @Sendable () -> Timestamp,
        where condition: Condition? = nil,
        embedders: EmbedderSource = EmbedderSource(), approximately: Bool = false,
        verified: VerifiedLeaves? = nil, segments: SegmentCache = SegmentCache(),
        retrieval: RetrievalOverrides = RetrievalOverrides(), threads: Int
    ) throws(InferenceError) {
        self.selection = selection
        self.repository = repository
        self.condition = condition
        self.embedders = embedders
        self.approximately = approximately
        self.verified = verified
        self.segments = segments
        self.retrieval = retrieval
        self.threads = threads
        self.now = now
        lease = HeldLease(in: repository, purpose: "fti-inference", seconds: Self.leaseSeconds)
        state = try wrapping(as: InferenceError.refs) { () throws(RefError) in
            try repository.state()
        }
        chosen = try ChosenVersions(selection, in: repository, state: state, now: now())
        current = try QuestionAnswering(
            chosen, in: repository, state: state, where: condition, embedders: embedders,
            approximately: approximately, verified: verified, segments: segments,
            retrieval: retrieval, threads: threads)
        try takeLease(for: [chosen])
    }

    /// Checks whether the selection now names other versions, and returns what changed; nil when nothing did.
    ///
    /// After any failure, the present versions keep answering.
    public func follow() -> Change? {
        do throws(InferenceError) {
            if case .pinned = selection { return nil }
            let before = state
            let newest = try wrapping(as: InferenceError.refs) { () throws(RefError) in
                try repository.log.refreshed(before)
            }
            guard newest.number != state.number else { return nil }
            let next = try ChosenVersions(selection, in: repository, state: newest, now: now())
            if next.areSame(as: chosen) {
                state = newest
                (parked, refused) = (nil, nil)
                return nil
            }
            if let refused, next.areSame(as: refused) {
                state = newest
                return nil
            }
            return replace(with: next, in: newest)
        } catch {
            return park(error, nil)
        }
    }

    /// Answers from the present versions; see ``QuestionAnswering/answer(_:count:where:)``.
    public func answer(
        _ question: String, count: Int? = nil, where own: Condition? = nil
    ) throws(InferenceError) -> Reply {
        try current.answer(question, count: count, where: own)
    }

    /// Releases the lease, so that the versions may be collected.
    public func stop() { lease.release() }

    private func replace(with next: ChosenVersions, in newest: State) -> Change? {
        do throws(InferenceError) {
            do throws(InferenceError) {
                // Holds both until it is known which of them will answer.
                try takeLease(for: [chosen, next])
            } catch {
                // After a long pause, the current versions may already have been collected.
                if error.fault == .io { throw error }
                try takeLease(for: [next])
            }
            current = try QuestionAnswering(
                next, in: repository, state: newest, where: condition, embedders: embedders,
                approximately: approximately, verified: verified, segments: segments,
                retrieval: retrieval, threads: threads)
        } catch {
            // An I/O failure is retried at the next question.
            if error.fault != .io { (refused, state) = (next, newest) }
            narrowLease()
            return park(error, next)
        }
        (chosen, state) = (next, newest)
        (parked, refused) = (nil, nil)
        narrowLease()
        return .switched
    }

    /// Reduces the lease to the current versions. On failure, it covers more than necessary until its renewal.
    private func narrowLease() { try? takeLease(for: [chosen]) }

    /// Records the rejected versions; nil when this was already reported.
    private func park(_ error: InferenceError, _ versions: ChosenVersions?) -> Change? {
        let isKnown = parked.map { parked in
            parked.features == versions?.features && parked.model == versions?.model
                && parked.error.message.utf8.elementsEqual(error.message.utf8)
        }
        let parked = Parked(features: versions?.features, model: versions?.model, error: error)
        self.parked = parked
        return isKnown == true ? nil : .parked(parked)
    }

    private func takeLease(for versions: [ChosenVersions]) throws(InferenceError) {
        var snapshots: [ObjectID] = []
        for version in versions {
            for id in [version.features, version.model, version.release].compactMap(\.self)
            where !snapshots.contains(id) {
                snapshots.append(id)
            }
        }
        let needed = snapshots
        try wrapping(as: InferenceError.refs) { () throws(RefError) in try lease.hold(needed) }
    }
}
