internal import Dispatch
public import Objects
package import Storage
internal import Synchronization

/// Protects the snapshots that a service uses, or that a lock file names, from collection, wherever refs point.
///
/// It expires ``seconds`` after it was written, by the clock of the storage, so that a holder with a wrong clock loses
/// nothing. Its file is `leases/NAME.json`.
public struct Lease: Hashable, Sendable {
    /// The name of its file without `.json`: 32 hexadecimal digits.
    public let name: RandomBits
    /// What needs the snapshots, for people.
    public var purpose: String
    /// The snapshots that are protected, with all that they need.
    public var snapshots: [ObjectID]
    /// How many seconds the lease lasts after it was written; nil for a lease that never expires.
    public var seconds: Int?
    /// What the holder serves; nil where it serves nothing, or does not say.
    public var serving: ServedState?

    /// The maximum number of bytes that the file of a lease may have.
    static let byteLimit = 1 << 20
    /// The maximum number of seconds that a lease may last unless it never expires: a holder that needs more renews it.
    public static let longest = 7 * 86_400

    /// Makes a lease; `seconds` is clamped to 1 through ``longest``.
    public init(
        name: RandomBits, purpose: String, snapshots: [ObjectID], seconds: Int?,
        serving: ServedState? = nil
    ) {
        self.name = name
        self.purpose = purpose
        self.snapshots = snapshots
        self.seconds = seconds.map { min(max($0, 1), Self.longest) }
        self.serving = serving
    }

    var blob: BlobName { Self.blob(name) }

    static func blob(_ name: RandomBits) -> BlobName { BlobName(.leases, name.hex + ".json") }

    var encoded: [UInt8] {
        var object = JSONObject()
        object["type"] = "lease"
        object["version"] = 1
        object["purpose"] = .string(purpose)
        object["snapshots"] = .array(snapshots.map { .string($0.hex) })
        object["seconds"] = seconds.map { .integer($0) } ?? .null
        object["serving"] = serving?.json
        let line = JSON.object(object).canonicalBytes
        return line + [0x0A] + Array(ObjectID(of: line.span).hex.utf8) + [0x0A]
    }

    /// Decodes a lease; nil when the bytes are not one.
    init?(decoding bytes: [UInt8], name: RandomBits) {
        let lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false).map {
            Array($0)
        }
        guard lines.count == 3, lines[2].isEmpty else { return nil }
        let line = lines[0]
        guard lines[1].elementsEqual(ObjectID(of: line.span).hex.utf8),
            let object = try? JSON(canonical: line).object
        else { return nil }
        var reader = JSONObjectReader(object)
        do throws(JSONSchemaError) {
            guard try reader.string("type") == "lease", try reader.count("version") == 1 else {
                return nil
            }
            let purpose = try reader.string("purpose")
            let seconds = try reader.countOrNull("seconds")
            let snapshots = try reader.array("snapshots")
            let ids = snapshots.compactMap { $0.string.flatMap { ObjectID(hex: $0) } }
            // A description that this version cannot read must not hide what the lease protects.
            let serving = reader.take("serving").flatMap { ServedState($0) }
            try reader.finish()
            guard ids.count == snapshots.count else { return nil }
            self.init(
                name: name, purpose: purpose, snapshots: ids, seconds: seconds, serving: serving)
        } catch { return nil }
    }
}

extension Repository {
    /// Writes or renews a lease, and checks that its snapshots exist.
    ///
    /// Everything that exists once the lease is written stays, so a holder that gets no error can go on for as long as
    /// the lease lasts.
    ///
    /// - Throws: `gone` when something was collected before the lease was written: a new lease is then removed, a
    ///   renewed one stays; `storage` when the repository cannot be written.
    public func take(_ lease: Lease) throws(RefError) {
        let isNew =
            try wrapping(bucket.create(lease.blob, lease.encoded), as: RefError.storage) == .created
        if !isNew {
            try wrapping(bucket.replace(lease.blob, lease.encoded), as: RefError.storage)
        }
        // A state after the lease: a collection that follows it sees the lease before it deletes anything.
        let state = try state()
        var closure = SnapshotClosure(
            in: try objects(in: state), complete: Admission.targets(of: state))
        for snapshot in lease.snapshots {
            let missing = try wrapping(closure.firstMissing(for: snapshot), as: RefError.objects)
            guard let missing else { continue }
            if isNew { try release(lease.name) }
            throw .gone(snapshot: snapshot, missing: missing)
        }
        // A collection may just have removed the file because the lease had long expired.
        if try wrapping(bucket.open(lease.blob), as: RefError.storage) == nil { try take(lease) }
    }

    /// Removes a lease if there is one of this name.
    public func release(_ name: RandomBits) throws(RefError) {
        try wrapping(bucket.delete(Lease.blob(name)), as: RefError.storage)
    }

    /// The leases that have not expired, sorted by name. The file of an expired one may be gone at any time.
    ///
    /// - Throws: `damaged` when a file that may be a lease is unreadable, because nobody knows what it protects.
    public func leases() throws(RefError) -> [Lease] { try leaseFiles().current }

    /// The lease of a name; nil when there is none, or it has expired.
    ///
    /// - Throws: As ``leases()``.
    public func lease(_ name: RandomBits?) throws(RefError) -> Lease? {
        try leases().first { $0.name == name }
    }

    /// The leases, and the files of those that expired so long ago that nobody can be renewing them.
    ///
    /// - Throws: As ``leases()``.
    package func leaseFiles() throws(RefError) -> LeaseListing {
        let listing = try listLeases()
        // Until a person removes the file, nothing can be collected.
        if let (_, error) = listing.unreadable.first { throw error }
        return listing
    }

    /// Everything in the folder of leases that is named as a lease, readable or not.
    ///
    /// - Throws: `storage` for an error that does not concern one file alone.
    package func listLeases() throws(RefError) -> LeaseListing {
        var listing = LeaseListing()
        let names: [RandomBits]
        do throws(StorageError) { names = try leaseNames() } catch {
            try listing.add(BucketFolder.leases.rawValue, .storage(error))
            return listing
        }
        if names.isEmpty { return listing }
        let blobs = names.map { Lease.blob($0) }
        let ages = try wrapping(bucket.ages(of: blobs), as: RefError.storage)
        for (name, blob) in zip(names, blobs) {
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

    /// The names of the files that are named as leases, ascending.
    private func leaseNames() throws(StorageError) -> [RandomBits] {
        try bucket.list(.leases).compactMap { entry in
            entry.name.utf8.suffix(5).elementsEqual(".json".utf8)
                ? RandomBits(hex: entry.name.dropLast(5)) : nil
        }.sorted { $0.hex < $1.hex }
    }

    /// A lease, expired or not; nil when its file is gone.
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

/// The contents of the folder of leases.
package struct LeaseListing {
    /// The leases that have not expired, by name.
    package var current: [Lease] = []
    /// The files of leases that expired long ago.
    package var expired: [BlobName] = []
    /// The files that may be leases and cannot be read, with the reasons.
    package private(set) var unreadable: [(place: String, error: RefError)] = []

    /// Records an error of one file; rethrows any other.
    fileprivate mutating func add(_ place: String, _ error: RefError) throws(RefError) {
        guard error.concernsOneFile else { throw error }
        unreadable.append((place, error))
    }
}

/// A lease that a timer renews for as long as it is held, so that an idle service keeps the versions it serves.
///
/// Safe to use from many threads. It ends with ``release()`` or with its last reference; after a crash it expires.
public final class HeldLease: Sendable {
    private struct Contents {
        var snapshots: [ObjectID] = []
        var serving: ServedState?
        /// Whether the file exists; never where the repository cannot be written.
        var isTaken = false
        var isReleased = false
    }

    private let repository: Repository
    private let name: RandomBits
    private let purpose: String
    private let seconds: Int
    private let contents = Mutex(Contents())

    /// Makes a lease that protects nothing yet.
    ///
    /// - Parameters:
    ///   - purpose: What needs the snapshots, for people.
    ///   - seconds: How many seconds the lease lasts after its last renewal, and so may outlive the process.
    ///   - milliseconds: The interval of renewal; by default a quarter of `seconds`.
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

    /// Protects these snapshots from now on, and no others; does nothing once the lease was released.
    ///
    /// In a repository that cannot be written it protects nothing and throws nothing: reading works all the same.
    ///
    /// - Parameter serving: What the holder serves, for others to see.
    /// - Throws: `gone` when a snapshot was collected before; `damaged` and `objects`.
    public func hold(
        _ snapshots: [ObjectID], serving: ServedState? = nil
    ) throws(RefError) {
        let result: Result<Void, RefError> = contents.withLock { contents in
            guard !contents.isReleased else { return .success(()) }
            var next = contents
            (next.snapshots, next.serving) = (snapshots, serving)
            do throws(RefError) {
                try repository.take(lease(of: next))
                next.isTaken = true
            } catch .storage {
                // The repository cannot be written.
            } catch {
                // The file names the new snapshots by now; restore the old ones.
                if contents.isTaken { try? repository.take(lease(of: contents)) }
                return .failure(error)
            }
            contents = next
            return .success(())
        }
        try result.get()
    }

    /// Ends the lease; the snapshots may be collected from then on.
    public func release() {
        contents.withLock { contents in
            contents.isReleased = true
            guard contents.isTaken else { return }
            contents.isTaken = false
            // A file that cannot be removed expires.
            try? repository.release(name)
        }
    }

    private func lease(of contents: Contents) -> Lease {
        Lease(
            name: name, purpose: purpose, snapshots: contents.snapshots, seconds: seconds,
            serving: contents.serving)
    }

    private static func renew(_ lease: HeldLease, every milliseconds: Int) {
        DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(milliseconds)) {
            [weak lease] in
            guard let lease else { return }
            let isHeld = lease.contents.withLock { contents in
                if contents.isTaken {
                    // When renewal fails, the snapshots stay readable until a collection removes them.
                    try? lease.repository.take(lease.lease(of: contents))
                }
                return !contents.isReleased
            }
            if isHeld { renew(lease, every: milliseconds) }
        }
    }
}
