internal import Dispatch
public import Objects
internal import Synchronization

/// A lease that is renewed by a clock for as long as somebody holds it, whether or not anything else happens: a service that nobody
/// asks keeps what it answers from.
///
/// Safe to use from many threads. It ends by ``release()`` or with its last reference, and by itself some time after the process.
public final class HeldLease: Sendable {
    private struct Contents {
        var snapshots: [ObjectID] = []
        /// Whether the file is there; never where the repository cannot be written.
        var isTaken = false
        var isReleased = false
    }

    private let repository: Repository
    private let name: RandomBits
    private let purpose: String
    private let seconds: Int
    private let contents = Mutex(Contents())

    /// Holds nothing yet.
    ///
    /// - Parameters:
    ///   - purpose: What needs the snapshots, for people.
    ///   - seconds: How long they are kept after the process was last seen.
    ///   - milliseconds: How often the lease is renewed; unless given, four times as often as it must be.
    public init(
        in repository: Repository, purpose: String, seconds: Int,
        renewedEvery milliseconds: Int? = nil
    ) {
        self.repository = repository
        self.purpose = purpose
        self.seconds = seconds
        name = RandomBits { UInt64.random(in: .min ... .max) }
        Self.renew(self, every: milliseconds ?? seconds * 250)
    }

    deinit { release() }

    /// Keeps these snapshots from now on, and no others.
    ///
    /// A repository that cannot be written can be read all the same: then nothing is kept, and nothing thrown.
    ///
    /// - Throws: `gone` when something of them was collected before; `damaged` and `objects`.
    public func hold(_ snapshots: [ObjectID]) throws(RefError) {
        let result: Result<Void, RefError> = contents.withLock { contents in
            do throws(RefError) {
                try repository.take(lease(of: snapshots))
                contents.isTaken = true
            } catch .storage {
                // See above.
            } catch {
                // The file names them by now; what was held before is held on.
                if contents.isTaken { try? repository.take(lease(of: contents.snapshots)) }
                return .failure(error)
            }
            contents.snapshots = snapshots
            return .success(())
        }
        try result.get()
    }

    /// Gives the lease back; the snapshots may be collected then.
    public func release() {
        contents.withLock { contents in
            contents.isReleased = true
            guard contents.isTaken else { return }
            contents.isTaken = false
            // It expires by itself where it cannot be removed.
            try? repository.release(name)
        }
    }

    private func lease(of snapshots: [ObjectID]) -> Lease {
        Lease(name: name, purpose: purpose, snapshots: snapshots, seconds: seconds)
    }

    private static func renew(_ lease: HeldLease, every milliseconds: Int) {
        DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(milliseconds)) {
            [weak lease] in
            guard let lease else { return }
            let goesOn = lease.contents.withLock { contents in
                if contents.isTaken {
                    // Where that fails, what is held can be read as long as it is there.
                    try? lease.repository.take(lease.lease(of: contents.snapshots))
                }
                return !contents.isReleased
            }
            if goesOn { renew(lease, every: milliseconds) }
        }
    }
}
