public import Objects
public import Storage
internal import Synchronization

/// The versions that a service serves, and how it opens them.
public protocol ServedVersions: Sendable {
    /// The versions that are chosen in a state; equal when they name the same snapshots.
    associatedtype Versions: Equatable, Sendable
    /// The opened form of the versions, which any number of threads use at once.
    associatedtype Opened: Sendable
    /// The error of the service.
    associatedtype Failure: Diagnosable

    /// Resolves the versions in a state.
    func choose(in state: State) throws(Failure) -> Versions
    /// The snapshots to protect from collection while the versions are served, by role, such as `features`.
    func snapshots(of versions: Versions) -> [String: ObjectID]
    /// Opens versions that were chosen in a state.
    ///
    /// - Parameter current: The versions in service, with which the new ones can share what has not changed; nil for
    ///   the first ones.
    func open(
        _ versions: Versions, in state: State, from current: Opened?
    ) throws(Failure) -> Opened
    /// Prepares opened versions for their first request; versions whose preparation fails are rejected.
    func warm(_ opened: Opened) throws(Failure)
    /// Wraps an error of the repository.
    func failure(_ error: RefError) -> Failure
}

extension ServedVersions {
    /// Prepares nothing.
    public func warm(_ opened: Opened) throws(Failure) {}
}

/// Serves the versions that refs name, and follows when the refs move.
///
/// Any number of threads take ``current`` and use it for as long as a request runs, while one thread calls ``follow()``
/// again and again. New versions are opened and warmed beside the current ones, and replace them if that succeeds;
/// versions that cannot be opened are rejected, and the current ones stay in service. A lease, which a timer renews,
/// protects the versions in service, and former ones until the last request that uses them has ended.
public final class Follower<Source: ServedVersions>: Sendable {
    /// Opened versions. They stay protected from collection for as long as anyone keeps a reference.
    public final class InService: Sendable {
        /// The versions.
        public let versions: Source.Versions
        /// The opened form.
        public let opened: Source.Opened
        /// The newest transaction of the state in which they were chosen.
        public let transaction: Int
        /// When they came into service.
        public let since: Timestamp

        fileprivate init(
            _ versions: Source.Versions, _ opened: Source.Opened, in state: State, since: Timestamp
        ) {
            self.versions = versions
            self.opened = opened
            transaction = state.number
            self.since = since
        }
    }

    /// Versions that were chosen and cannot be served.
    public struct Rejection: Sendable {
        /// The versions; nil when they could not even be resolved.
        public let versions: Source.Versions?
        /// The reason.
        public let error: Source.Failure
        /// When they were first rejected for this reason.
        public let since: Timestamp

        /// Whether the reason may pass, as I/O errors do, so that it is worth trying again after a while.
        public var isTemporary: Bool { error.fault == .io }

        fileprivate func hasSameReason(_ other: Rejection) -> Bool {
            versions == other.versions
                && error.message.utf8.elementsEqual(other.error.message.utf8)
        }
    }

    /// A change since ``follow(retrying:)`` was last called.
    public enum Change: Sendable {
        /// New versions are served.
        case switched
        /// New versions were rejected.
        case rejected(Rejection)
    }

    /// What readers see; no thread holds its lock for long.
    private struct Service {
        var current: InService
        var rejection: Rejection?
        /// Former versions, some of which requests still use.
        var former: [FormerVersions] = []
        /// The newest transaction that was read.
        var newest: Int
        /// The newest transaction in whose state the current versions were chosen.
        var confirmed: Int
    }

    private struct FormerVersions {
        weak let versions: InService?
    }

    /// What only the thread that follows needs.
    private struct Progress {
        /// The newest state whose choice was made: served, or rejected for good.
        var state: State
        /// Rejected versions that are not tried again.
        var refused: Rejection?
        /// The newest transaction of the state whose choice was rejected for a reason that may pass.
        var postponed: Int?
        /// What the lease protects, and what it says.
        var held: (snapshots: [ObjectID], serving: ServedState?)?
    }

    private let source: Source
    private let repository: Repository
    private let replica: Replica?
    private let now: @Sendable () -> Timestamp
    private let lease: HeldLease
    private let service: Mutex<Service>
    private let progress: Mutex<Progress>

    /// Opens the versions that are chosen in the newest state, and takes a lease for them where the repository can be
    /// written.
    ///
    /// - Parameters:
    ///   - purpose: The purpose of the lease, for people.
    ///   - seconds: How many seconds the lease lasts after its last renewal, and so may outlive the process.
    ///   - replica: How the lease introduces this process; nil when it says nothing about what is served.
    public init(
        _ source: Source, in repository: Repository, purpose: String, leaseSeconds seconds: Int,
        replica: Replica? = nil, now: @escaping @Sendable () -> Timestamp = Writer.systemClock
    ) throws(Source.Failure) {
        self.source = source
        self.repository = repository
        self.replica = replica
        self.now = now
        lease = HeldLease(in: repository, purpose: purpose, seconds: seconds)
        let state = try wrapping(repository.state(), as: source.failure)
        let versions = try source.choose(in: state)
        let opened = try source.open(versions, in: state, from: nil)
        try source.warm(opened)
        service = Mutex(
            Service(
                current: InService(versions, opened, in: state, since: now()),
                newest: state.number, confirmed: state.number))
        progress = Mutex(Progress(state: state))
        try updateLease()
    }

    // MARK: Reading

    /// The versions in service: take them once for each request, and keep the reference until it ends.
    public var current: InService { service.withLock(\.current) }

    /// The newest versions, if they were rejected.
    public var rejection: Rejection? { service.withLock(\.rejection) }

    /// How many transactions the log goes beyond the last one after which the versions in service were still the
    /// chosen ones, as far as ``follow(retrying:)`` has read it.
    public var transactionsBehind: Int { service.withLock { $0.newest - $0.confirmed } }

    /// The number of former versions that requests still use.
    public var drainingCount: Int { inUse().count - 1 }

    // MARK: Following

    /// Reads the entries since the last call, and switches to the versions that are chosen now.
    ///
    /// Any failure leaves the current versions in service. Calls from several threads run one after another.
    ///
    /// - Parameters:
    ///   - retrying: Whether to try rejected versions again although the log has not changed, because the reason may
    ///     have passed.
    ///   - reopening: Whether to open the versions in service again, from the files that hold them now, for instance
    ///     because those that they were opened from are damaged.
    /// - Returns: Nil when nothing changed, or the same rejection was reported before.
    public func follow(retrying: Bool = false, reopening: Bool = false) -> Change? {
        let change = progress.withLock {
            advance(&$0, retrying: retrying || reopening, reopening: reopening)
        }
        // A lease that cannot be narrowed now protects more than it needs to.
        try? updateLease()
        return change
    }

    /// Ends the lease; the versions may be collected from then on.
    public func stop() { lease.release() }

    private func advance(
        _ progress: inout Progress, retrying: Bool, reopening: Bool
    ) -> Change? {
        let newest: State
        let next: Source.Versions
        do throws(Source.Failure) {
            newest = try wrapping(repository.log.refreshed(progress.state), as: source.failure)
            let refused = progress.refused
            let isNew = newest.number != progress.state.number
            service.withLock { service in
                service.newest = newest.number
                // The log may have been unreadable before.
                if !isNew { service.rejection = refused }
            }
            guard retrying || isNew && newest.number != progress.postponed else { return nil }
            next = try source.choose(in: newest)
        } catch { return reject(nil, error).change }
        if next == current.versions, !reopening {
            (progress.state, progress.refused) = (newest, nil)
            service.withLock { ($0.rejection, $0.confirmed) = (nil, newest.number) }
            return nil
        }
        if let refused = progress.refused, refused.versions == next, !retrying {
            progress.state = newest
            service.withLock { $0.rejection = refused }
            return nil
        }
        do throws(Source.Failure) {
            try replace(
                with: next, in: newest, sharing: reopening ? nil : current.opened, &progress)
        } catch {
            let (rejection, change) = reject(next, error)
            if rejection.isTemporary {
                progress.postponed = newest.number
            } else {
                (progress.state, progress.refused) = (newest, rejection)
            }
            return change
        }
        (progress.state, progress.refused) = (newest, nil)
        return .switched
    }

    /// Opens other versions, and puts them in service.
    private func replace(
        with next: Source.Versions, in state: State, sharing current: Source.Opened?,
        _ progress: inout Progress
    ) throws(Source.Failure) {
        do throws(Source.Failure) {
            // Protects both until it is known which will be served.
            try hold(inUse().map(\.versions) + [next], &progress)
        } catch {
            // After a long pause the versions in service may have been collected.
            if error.fault == .io { throw error }
            try hold([next], &progress)
        }
        let opened = try source.open(next, in: state, from: current)
        try source.warm(opened)
        let new = InService(next, opened, in: state, since: now())
        // The last reference to the former versions may end here, and they take long to close: not under the lock.
        let former = service.withLock { service in
            let former = service.current
            service.former.append(FormerVersions(versions: former))
            service.current = new
            (service.rejection, service.confirmed) = (nil, state.number)
            return former
        }
        _ = former
    }

    /// Records a rejection; the change is nil when it was reported already.
    private func reject(
        _ versions: Source.Versions?, _ error: Source.Failure
    ) -> (rejection: Rejection, change: Change?) {
        let new = Rejection(versions: versions, error: error, since: now())
        return service.withLock { service in
            if let known = service.rejection, known.hasSameReason(new) { return (known, nil) }
            service.rejection = new
            return (new, .rejected(new))
        }
    }

    // MARK: The lease

    /// The versions in service, followed by the former ones that requests still use.
    private func inUse() -> [InService] {
        service.withLock { service in
            let former = service.former.compactMap(\.versions)
            service.former.removeAll { $0.versions == nil }
            return [service.current] + former
        }
    }

    /// Makes the lease protect what is in use, and say what is served.
    private func updateLease() throws(Source.Failure) {
        try progress.withLock { (progress) throws(Source.Failure) in
            try hold(inUse().map(\.versions), &progress)
        }
    }

    /// Makes the lease protect versions, unless it already protects these and says what is served now.
    private func hold(
        _ versions: [Source.Versions], _ progress: inout Progress
    ) throws(Source.Failure) {
        let snapshots = distinctSnapshots(of: versions)
        let serving = replica.map(servedState)
        if let held = progress.held, held == (snapshots, serving) { return }
        progress.held = (snapshots, serving)
        try wrapping(lease.hold(snapshots, serving: serving), as: source.failure)
    }

    private func servedState(of replica: Replica) -> ServedState {
        let used = inUse()
        let (current, former) = (used[0], used.dropFirst())
        let snapshots = source.snapshots(of: current.versions)
        return ServedState(
            replica: replica, snapshots: snapshots, transaction: current.transaction,
            since: current.since,
            draining: distinctSnapshots(of: former.map(\.versions)).filter {
                !snapshots.values.contains($0)
            },
            parked: rejection.map { rejection in
                ServedState.Parked(
                    snapshots: rejection.versions.map(source.snapshots) ?? [:],
                    reason: rejection.error.message, since: rejection.since)
            })
    }

    private func distinctSnapshots(of versions: [Source.Versions]) -> [ObjectID] {
        var snapshots: [ObjectID] = []
        for versions in versions {
            for (_, id) in source.snapshots(of: versions).sorted(by: { $0.key < $1.key })
            where !snapshots.contains(id) { snapshots.append(id) }
        }
        return snapshots
    }
}
