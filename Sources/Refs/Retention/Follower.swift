public import Objects
public import Storage

/// The versions that a service serves, and how it opens them.
public protocol ServedVersions {
    /// The versions that are chosen in a state; equal when they name the same snapshots.
    associatedtype Versions: Equatable
    /// The opened form of the versions, ready to serve.
    associatedtype Opened
    /// The error of the service.
    associatedtype Failure: Diagnosable

    /// Resolves the versions in a state.
    func choose(in state: State) throws(Failure) -> Versions
    /// The snapshots to protect from collection while the versions are served.
    func snapshots(of versions: Versions) -> [ObjectID]
    /// Opens versions that were chosen in a state.
    func open(_ versions: Versions, in state: State) throws(Failure) -> Opened
    /// Wraps an error of the repository.
    func failure(_ error: RefError) -> Failure
}

/// Serves the versions that refs name, and follows when the refs move.
///
/// A lease, which a timer renews, protects the versions that are served. New versions are opened while the current
/// ones stay in service, and replace them if that succeeds; versions that cannot be opened are rejected.
/// Not safe to use from two threads at once.
public final class Follower<Source: ServedVersions> {
    /// Versions that were chosen and cannot be served.
    public struct Rejection {
        /// The versions; nil when they could not even be resolved.
        public let versions: Source.Versions?
        /// The reason.
        public let error: Source.Failure
    }

    /// A change since ``follow()`` was last called.
    public enum Change {
        /// New versions are served.
        case switched
        /// New versions were rejected.
        case rejected(Rejection)
    }

    /// The opened versions in service.
    public private(set) var current: Source.Opened
    /// The newest versions, if they were rejected.
    public private(set) var rejection: Rejection?

    private let source: Source
    private let repository: Repository
    private let lease: HeldLease
    private var state: State
    private var served: Source.Versions
    /// Rejected versions that are not tried again.
    private var refused: Source.Versions?

    /// Opens the versions that are chosen in the newest state, and takes a lease for them where the repository can be
    /// written.
    ///
    /// - Parameters:
    ///   - purpose: The purpose of the lease, for people.
    ///   - seconds: How many seconds the lease lasts after its last renewal, and so may outlive the process.
    public init(
        _ source: Source, in repository: Repository, purpose: String, leaseSeconds seconds: Int
    ) throws(Source.Failure) {
        self.source = source
        self.repository = repository
        lease = HeldLease(in: repository, purpose: purpose, seconds: seconds)
        state = try wrapping(repository.state(), as: source.failure)
        served = try source.choose(in: state)
        current = try source.open(served, in: state)
        try hold([served])
    }

    /// Reads the entries since the last call, and switches to the versions that are chosen now.
    ///
    /// Any failure leaves the current versions in service.
    ///
    /// - Returns: Nil when nothing changed, or the same rejection was reported before.
    public func follow() -> Change? {
        do throws(Source.Failure) {
            let newest = try wrapping(repository.log.refreshed(state), as: source.failure)
            guard newest.number != state.number else { return nil }
            let next = try source.choose(in: newest)
            if next == served { (rejection, refused) = (nil, nil) }
            guard next != served, next != refused else {
                state = newest
                return nil
            }
            return replace(with: next, in: newest)
        } catch {
            return reject(nil, error)
        }
    }

    /// Ends the lease; the versions may be collected from then on.
    public func stop() { lease.release() }

    private func replace(with next: Source.Versions, in newest: State) -> Change? {
        do throws(Source.Failure) {
            do throws(Source.Failure) {
                // Protects both until it is known which will be served.
                try hold([served, next])
            } catch {
                // After a long pause the versions in service may have been collected.
                if error.fault == .io { throw error }
                try hold([next])
            }
            current = try source.open(next, in: newest)
        } catch {
            // An I/O error may be temporary: the next call tries again.
            if error.fault != .io { (refused, state) = (next, newest) }
            try? hold([served])
            return reject(next, error)
        }
        (served, state) = (next, newest)
        (rejection, refused) = (nil, nil)
        // A lease that cannot be narrowed now protects more than it needs to.
        try? hold([served])
        return .switched
    }

    /// Records a rejection; returns nil when it was reported already.
    private func reject(_ versions: Source.Versions?, _ error: Source.Failure) -> Change? {
        let isKnown = rejection.map { known in
            known.versions == versions && known.error.message.utf8.elementsEqual(error.message.utf8)
        }
        let rejection = Rejection(versions: versions, error: error)
        self.rejection = rejection
        return isKnown == true ? nil : .rejected(rejection)
    }

    private func hold(_ versions: [Source.Versions]) throws(Source.Failure) {
        var snapshots: [ObjectID] = []
        for id in versions.flatMap(source.snapshots) where !snapshots.contains(id) {
            snapshots.append(id)
        }
        try wrapping(lease.hold(snapshots), as: source.failure)
    }
}
