internal import Dispatch
public import Objects
package import Storage
internal import Synchronization

/// Says that somebody needs snapshots, whatever refs point at: a service while it answers, a lock file.
///
/// It lasts for so long after it was written, by the clock of the place where the repository is: whose clock is
/// wrong loses nothing. Its file is `leases/NAME.json`.
public struct Lease: Hashable, Sendable {
    /// The name of its file without `.json`: 32 hexadecimal digits.
    public let name: RandomBits
    /// What needs the snapshots, for people.
    public var purpose: String
    /// The snapshots that are needed, with all that they need.
    public var snapshots: [ObjectID]
    /// How many seconds it lasts after it was written; nil for as long as it is there.
    public var seconds: Int?

    /// The most bytes that the file of a lease may have.
    static let byteLimit = 1 << 20
    /// The longest that a lease may last unless it lasts for ever: whoever needs more renews it.
    public static let longest = 7 * 86_400

    /// Makes a lease.
    public init(name: RandomBits, purpose: String, snapshots: [ObjectID], seconds: Int?) {
        self.name = name
        self.purpose = purpose
        self.snapshots = snapshots
        self.seconds = seconds.map { min(max($0, 1), Self.longest) }
    }

    var blob: BlobName { Self.blob(name) }

    static func blob(_ name: RandomBits) -> BlobName { BlobName(.leases, name.hex + ".json") }

    var encoded: [UInt8] {
        let json: JSON = [
            "type": "lease", "version": 1, "purpose": .string(purpose),
            "snapshots": .array(snapshots.map { .string($0.hex) }),
            "seconds": seconds.map { .integer($0) } ?? .null,
        ]
        let line = json.canonicalBytes
        return line + [0x0A] + Array(ObjectID(of: line.span).hex.utf8) + [0x0A]
    }

    /// Reads a lease; nil when its bytes are not one.
    init?(decoding bytes: [UInt8], name: RandomBits) {
        let lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false).map {
            Array($0)
        }
        guard lines.count == 3, lines[2].isEmpty else { return nil }
        let line = lines[0]
        let hash = ObjectID(of: line.span).hex
        guard lines[1].elementsEqual(hash.utf8), let object = try? JSON(canonical: line).object
        else { return nil }
        var reader = JSONObjectReader(object)
        do throws(JSONSchemaError) {
            guard try reader.string("type") == "lease", try reader.count("version") == 1 else {
                return nil
            }
            let purpose = try reader.string("purpose")
            let seconds = try reader.countOrNull("seconds")
            var snapshots: [ObjectID] = []
            for value in try reader.array("snapshots") {
                guard let id = value.string.flatMap({ ObjectID(hex: $0) }) else { return nil }
                snapshots.append(id)
            }
            try reader.finish()
            self.init(name: name, purpose: purpose, snapshots: snapshots, seconds: seconds)
        } catch { return nil }
    }
}

extension Repository {
    /// Writes a lease, or renews one, and checks that what it is for is there.
    ///
    /// What is there after the lease was written stays, so whoever gets no error can go on for as long as the lease
    /// lasts.
    ///
    /// - Throws: `incomplete` when something was collected before the lease was there, which is then withdrawn
    ///   unless it was being renewed; `storage` when the repository cannot be written.
    public func take(_ lease: Lease) throws(RefError) {
        let isNew: Bool
        do throws(StorageError) {
            isNew = try bucket.create(lease.blob, lease.encoded) == .created
            if !isNew { try bucket.replace(lease.blob, lease.encoded) }
        } catch { throw .storage(error) }
        // A state after the lease: a collection that follows it sees the lease before it deletes anything.
        let state = try state()
        var closure = SnapshotClosure(
            in: try objects(in: state), complete: Admission.targets(of: state))
        for snapshot in lease.snapshots {
            let missing: ObjectID?
            do throws(ObjectError) { missing = try closure.firstMissing(for: snapshot) } catch {
                throw .objects(error)
            }
            guard let missing else { continue }
            if isNew { try release(lease.name) }
            throw .gone(snapshot: snapshot, missing: missing)
        }
        do throws(StorageError) {
            // Whoever found that it had long expired may have removed it just now.
            guard try bucket.open(lease.blob) == nil else { return }
        } catch { throw .storage(error) }
        try take(lease)
    }

    /// Removes a lease; does nothing when there is none.
    public func release(_ name: RandomBits) throws(RefError) {
        do throws(StorageError) { try bucket.delete(Lease.blob(name)) } catch {
            throw .storage(error)
        }
    }

    /// The leases that have not expired, by name. Whoever holds one that has may find its file gone.
    ///
    /// - Throws: `damaged` when a file that may be a lease is unreadable, because what it is for is not known then.
    public func leases() throws(RefError) -> [Lease] {
        try leaseFiles().current
    }

    /// The leases, and the files of those that have long expired: not of one that is being renewed just now.
    ///
    /// - Throws: As ``leases()``.
    package func leaseFiles() throws(RefError) -> LeaseListing {
        let listing = try listLeases()
        // What it is for is not known: until a person removes it nothing can be collected.
        if let (_, error) = listing.unreadable.first { throw error }
        return listing
    }

    /// Everything that may be a lease, also what is not one.
    ///
    /// - Throws: `storage` when the process has not the means to look.
    package func listLeases() throws(RefError) -> LeaseListing {
        var listing = LeaseListing()
        let names: [RandomBits]
        do throws(StorageError) { names = try leaseNames() } catch {
            try listing.add(BucketFolder.leases.rawValue, .storage(error))
            return listing
        }
        if names.isEmpty { return listing }
        let ages: [BlobName: Int]
        do throws(StorageError) { ages = try bucket.ages(of: names.map { Lease.blob($0) }) } catch {
            throw .storage(error)
        }
        for name in names {
            let blob = Lease.blob(name)
            do throws(RefError) {
                guard let lease = try readLease(name), let age = ages[blob] else { continue }
                let span = lease.seconds.map { $0 * 1000 } ?? .max
                if age <= span {
                    listing.current.append(lease)
                } else if age / 2 > span {
                    listing.expired.append(blob)
                }
            } catch { try listing.add(blob.description, error) }
        }
        return listing
    }

    /// The names of the files that are named as leases are, ascending.
    private func leaseNames() throws(StorageError) -> [RandomBits] {
        var names: [RandomBits] = []
        for entry in try bucket.list(.leases) where entry.name.utf8.count == 37 {
            guard entry.name.utf8.suffix(5).elementsEqual(".json".utf8),
                let name = RandomBits(hex: String(entry.name.dropLast(5)))
            else { continue }
            names.append(name)
        }
        return names.sorted { $0.hex < $1.hex }
    }

    /// A lease, however old; nil when its file is gone.
    ///
    /// - Throws: `damaged` when the file is not a lease.
    private func readLease(_ name: RandomBits) throws(RefError) -> Lease? {
        let place = Lease.blob(name).description
        let bytes: [UInt8]?
        do throws(StorageError) {
            bytes = try bucket.read(Lease.blob(name), limit: Lease.byteLimit)
        } catch {
            switch error {
            case .tooLarge(_, let size, let limit):
                throw .damaged(
                    place: place,
                    reason: "it has \(size) bytes, more than the \(limit) of a lease")
            case .damaged(_, let reason): throw .damaged(place: place, reason: reason)
            default: throw .storage(error)
            }
        }
        guard let bytes else { return nil }
        guard let lease = Lease(decoding: bytes, name: name) else {
            throw .damaged(place: place, reason: "it is not a lease")
        }
        return lease
    }
}

/// What the folder of leases holds.
package struct LeaseListing {
    /// Those that have not expired, by name.
    package var current: [Lease] = []
    /// The files of those that have long expired.
    package var expired: [BlobName] = []
    /// What may be a lease and cannot be read, and why.
    package private(set) var unreadable: [(place: String, error: RefError)] = []

    /// Notes what cannot be read; passes on what is not about it.
    fileprivate mutating func add(_ place: String, _ error: RefError) throws(RefError) {
        guard error.concernsOneFile else { throw error }
        unreadable.append((place, error))
    }
}

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
