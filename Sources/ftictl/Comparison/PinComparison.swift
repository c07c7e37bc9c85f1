import CommandSupport
import Objects
import Refs
import Storage

/// What a lock file pins, beside what its revisions name now.
struct PinComparison {
    /// A pin whose revision names something else now, or whose snapshot is gone.
    struct Difference {
        let pin: LockFile.Pin
        /// What the revision names now; nil when it names nothing.
        let current: ObjectID?
        /// Whether the pinned snapshot is there with all that it needs.
        let exists: Bool
    }

    let lock: LockFile
    let differences: [Difference]
    /// The lease of the lock file, if it is there.
    let lease: Lease?

    init(_ lock: LockFile, in repository: OpenRepository) throws {
        self.lock = lock
        lease = try repository.repository.leases().first { $0.name == lock.lease }
        var differences: [Difference] = []
        var closure = SnapshotClosure(in: try repository.objects, complete: [])
        for pin in lock.pins {
            let current = try Self.current(pin.revision, in: repository)
            let exists = try closure.firstMissing(for: pin.id) == nil
            guard current != pin.id || !exists else { continue }
            differences.append(Difference(pin: pin, current: current, exists: exists))
        }
        self.differences = differences
    }

    /// Whether a lease keeps what is pinned; one that ends by itself is of a pin that was cut off.
    var isKept: Bool { lease.map { $0.seconds == nil } ?? false }

    private static func current(
        _ revision: String, in repository: OpenRepository
    ) throws -> ObjectID? {
        do { return try repository.snapshotID(revision) } catch let error as any Diagnosable {
            guard error.fault == .missing else { throw error }
            return nil
        }
    }
}

extension PinComparison.Difference {
    var json: JSON {
        [
            "revision": .string(pin.revision), "pinned": .id(pin.id), "current": .id(current),
            "exists": .bool(exists),
        ]
    }

    /// `models/current  pinned 586fb983b4c4, is ac25db98734d now`.
    var line: String {
        let now = current.map { "is \($0.short) now" } ?? "names nothing now"
        return "\(pin.revision.printable())  pinned \(pin.id.short), \(now)"
            + (exists ? "" : "; the pinned snapshot is gone")
    }
}

extension LockFile {
    /// The name that a lock file has unless another is given.
    static let usualName = "fti.lock"

    /// Reads the lock file at a path.
    ///
    /// - Parameter edited: Whether a file is read too that says something else than when it was written.
    /// - Throws: `usage` when it is none; ``StorageError`` when it cannot be read.
    init(at path: String, edited: Bool = false) throws {
        let bytes = try LocalFile.read(path, limit: Self.byteLimit)
        do throws(JSONSchemaError) { self = try LockFile(decoding: bytes, edited: edited) } catch {
            throw CommandError.usage(
                "\(path) is no lock file that can be used: \(error.path) \(error.reason)",
                remedy: "ftictl pin REV... -o \(Self.usualName) writes one")
        }
    }
}
