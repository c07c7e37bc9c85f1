import CommandSupport
import Objects
import Refs
import Storage

/// The pins of a lock file, compared with what their revisions name now.
struct PinComparison {
    /// A pin whose revision names another snapshot now, or whose own snapshot is gone.
    struct Difference {
        let pin: LockFile.Pin
        /// The snapshot that the revision names now; nil if it does not resolve.
        let current: ObjectID?
        /// Whether the pinned snapshot and everything it references exist.
        let exists: Bool
    }

    let lock: LockFile
    let differences: [Difference]
    /// The lease of the lock file, if it exists.
    let lease: Lease?

    init(_ lock: LockFile, in repository: OpenRepository) throws {
        self.lock = lock
        lease = try repository.repository.lease(lock.lease)
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

    /// Whether a lease keeps the pinned snapshots until it is released. A lease that expires was left by an interrupted
    /// pin.
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

    /// `models/current  pinned 586fb983b4c4, now ac25db98734d`.
    var line: String {
        let now = current.map { "now \($0.short)" } ?? "no longer resolves"
        return "\(pin.revision.printable())  pinned \(pin.id.short), \(now)"
            + (exists ? "" : "; the pinned snapshot is gone")
    }
}

extension LockFile {
    /// The default name of a lock file.
    static let usualName = "fti.lock"

    /// Reads the lock file at a path.
    ///
    /// - Parameter edited: Whether to accept a file that was edited after it was written.
    /// - Throws: `usage` if it is not a valid lock file; ``StorageError`` if it cannot be read.
    init(at path: String, edited: Bool = false) throws {
        let bytes = try LocalFile.read(path, limit: Self.byteLimit)
        do throws(JSONSchemaError) { self = try LockFile(decoding: bytes, edited: edited) } catch {
            throw CommandError.usage(
                "\(path) is not a valid lock file: \(error.path) \(error.reason)",
                remedy: "ftictl pin REV... -o \(Self.usualName) writes one")
        }
    }
}
