public import Artifacts
public import EmbeddingService
public import Objects
public import Refs
internal import Storage

/// Answers question after question from what a selection names, and follows when refs move.
///
/// The new versions are loaded beside the old ones and take over when they fit. Versions that do not fit are parked:
/// the old ones go on answering, and each reply can say so. Not for two threads at once.
public final class FollowingService {
    /// Versions that were to be answered from and cannot be.
    public struct Parked: Sendable {
        /// The features snapshot; nil when not even that is known.
        public let features: ObjectID?
        /// The model snapshot.
        public let model: ObjectID?
        /// Why.
        public let error: InferenceError
    }

    /// What became of the versions since the question before.
    public enum Change: Sendable {
        /// Other versions answer from now on.
        case switched
        /// Other versions were chosen and do not fit.
        case parked(Parked)
    }

    /// What answers at present.
    public private(set) var current: QuestionAnswering
    /// What does not, although refs point at it.
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

    /// How long what answers is kept after the service was last seen.
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

    /// Looks whether other versions are chosen now; says what came of it, nil when nothing did.
    ///
    /// Whatever fails here leaves the present versions answering.
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

    /// Answers from the present versions; as ``QuestionAnswering/answer(_:count:where:)``.
    public func answer(
        _ question: String, count: Int? = nil, where own: Condition? = nil
    ) throws(InferenceError) -> Reply {
        try current.answer(question, count: count, where: own)
    }

    /// Gives the lease back; the versions may be collected then.
    public func stop() { lease.release() }

    private func replace(with next: ChosenVersions, in newest: State) -> Change? {
        do throws(InferenceError) {
            do throws(InferenceError) {
                // Both, as long as it is not known which will answer.
                try takeLease(for: [chosen, next])
            } catch {
                // After a long pause the one that answers may have been collected.
                if error.fault == .io { throw error }
                try takeLease(for: [next])
            }
            current = try QuestionAnswering(
                next, in: repository, state: newest, where: condition, embedders: embedders,
                approximately: approximately, verified: verified, segments: segments,
                retrieval: retrieval, threads: threads)
        } catch {
            // What fails for a reason outside is tried again at the next question.
            if error.fault != .io { (refused, state) = (next, newest) }
            narrowLease()
            return park(error, next)
        }
        (chosen, state) = (next, newest)
        (parked, refused) = (nil, nil)
        narrowLease()
        return .switched
    }

    /// Leaves in the lease what answers. Where that fails it names more than is needed until it is renewed.
    private func narrowLease() { try? takeLease(for: [chosen]) }

    /// Remembers what cannot answer; nil when that was said already.
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
