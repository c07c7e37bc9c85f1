public import Objects
public import Storage

/// Versions that belong together, named by their ids: the contents of `fti.lock`.
///
/// The file is JSON with one pin on each line: any tool can read it, and a diff of two lock files shows what moved.
/// `sha256` is the hash of the canonical JSON (RFC 8785) of all other members, so that a reader can tell an edited file
/// from a reformatted one.
public struct LockFile: Hashable, Sendable {
    /// One version, named by a revision and by its id.
    public struct Pin: Hashable, Sendable {
        /// The revision that named it when it was pinned.
        public let revision: String
        /// The snapshot that the revision named then.
        public let id: ObjectID
        /// The kind of the snapshot.
        public let kind: Snapshot.Kind

        /// Makes a pin; the caller has resolved the revision.
        public init(revision: String, id: ObjectID, kind: Snapshot.Kind) {
            self.revision = revision
            self.id = id
            self.kind = kind
        }
    }

    /// The repository that holds the versions.
    public let repository: RandomBits
    /// The newest transaction of the state in which all revisions were resolved.
    public let transaction: Int
    /// The versions, in the order in which they were pinned.
    public let pins: [Pin]
    /// The lease that protects the versions from collection; nil when there is none.
    public let lease: RandomBits?

    /// The maximum number of bytes that a lock file may have.
    public static let byteLimit = 1 << 20
    private static let version = 1

    /// Makes the contents of a lock file.
    public init(
        repository: RandomBits, transaction: Int, pins: [Pin], lease: RandomBits? = nil
    ) {
        self.repository = repository
        self.transaction = transaction
        self.pins = pins
        self.lease = lease
    }

    /// The only pin of a kind; nil when there is none or more than one.
    public func pin(of kind: Snapshot.Kind) -> Pin? {
        let found = pins.filter { $0.kind == kind }
        return found.count == 1 ? found.first : nil
    }

    /// The SHA-256 of the canonical JSON of all members except `sha256`.
    private var digest: ObjectID {
        var object = JSONObject()
        object["fti-lock"] = .integer(Self.version)
        object["lease"] = lease.map { .string($0.hex) }
        object["pins"] = .array(pins.map(Self.json))
        object["repository"] = .string(repository.hex)
        object["transaction"] = .integer(transaction)
        return ObjectID(of: JSON.object(object).canonicalBytes.span)
    }

    private static func json(_ pin: Pin) -> JSON {
        [
            "revision": .string(pin.revision), "id": .string(pin.id.hex),
            "kind": .string(pin.kind.rawValue),
        ]
    }

    /// The bytes of the file.
    public var encoded: [UInt8] {
        let name = lease.map { "\"lease\":\"\($0.hex)\"," } ?? ""
        var bytes = Array("{\"fti-lock\":\(Self.version),\(name)\"pins\":[".utf8)
        for (index, pin) in pins.enumerated() {
            bytes.append(contentsOf: (index == 0 ? "\n" : ",\n").utf8)
            Self.json(pin).appendCanonical(to: &bytes)
        }
        let end =
            "\n],\"repository\":\"\(repository.hex)\",\"sha256\":\"\(digest.hex)\","
            + "\"transaction\":\(transaction)}\n"
        return bytes + Array(end.utf8)
    }

    /// Reads a lock file in any JSON layout.
    ///
    /// - Parameter edited: Whether to accept a file that was edited after it was written.
    /// - Throws: ``JSONSchemaError`` with the path of the faulty member.
    public init(decoding bytes: [UInt8], edited: Bool = false) throws(JSONSchemaError) {
        var reader = try JSONObjectReader(file: bytes)
        guard try reader.count("fti-lock") == Self.version else {
            throw reader.error("fti-lock", "is a version that this program does not know")
        }
        let repository = try reader.randomBits("repository")
        let pins = try reader.objects("pins") { (pin) throws(JSONSchemaError) in
            let revision = try pin.string("revision")
            let id = try pin.objectID("id")
            guard let kind = Snapshot.Kind(rawValue: try pin.string("kind")) else {
                throw pin.error("kind", "is not a kind of snapshot")
            }
            return Pin(revision: revision, id: id, kind: kind)
        }
        let lease = reader.has("lease") ? try reader.randomBits("lease") : nil
        self.init(
            repository: repository, transaction: try reader.count("transaction"), pins: pins,
            lease: lease)
        let digest = try reader.objectID("sha256")
        try reader.finish()
        guard edited || digest == self.digest else {
            throw reader.error(
                "sha256", "does not match the other members: the file was edited; pin again")
        }
    }
}

/// The result of pinning versions.
public struct PinOutcome: Sendable {
    /// How long the pinned versions are protected from collection.
    public enum Protection: Sendable {
        /// Until their lease is released.
        case untilReleased
        /// Not at all: the repository cannot be written, for this reason.
        case none(StorageError)
        /// For ``Repository/provisionalLeaseSeconds`` only: the lease could not be extended, for this reason.
        case provisional(RefError)
    }

    /// The lock file that was written.
    public let lock: LockFile
    /// How long the versions are protected.
    public let protection: Protection
}

extension Repository {
    /// How many seconds the lease of a new lock file lasts unless it is extended once the file is written.
    public static let provisionalLeaseSeconds = 600

    /// The pins of resolved revisions, each revision once.
    ///
    /// A release is followed by its features, its ranker, its reranker and its generator. They are named as inputs of the
    /// release, so that a later check asks the release and not the refs that its parts came from.
    ///
    /// - Throws: `objects` when a snapshot cannot be read; `misfit` when a release is malformed.
    public func pins(
        of versions: [(revision: String, id: ObjectID)], in state: State
    ) throws(RefError) -> [LockFile.Pin] {
        let objects = try objects(in: state)
        var pins: [LockFile.Pin] = []
        var known: Set<[UInt8]> = []
        func add(_ revision: String, _ id: ObjectID, _ kind: Snapshot.Kind) {
            guard known.insert(Array(revision.utf8)).inserted else { return }
            pins.append(LockFile.Pin(revision: revision, id: id, kind: kind))
        }
        for (revision, id) in versions {
            let snapshot = try wrapping(Snapshot(id, in: objects), as: RefError.objects)
            add(revision, id, snapshot.kind)
            guard snapshot.kind == .release else { continue }
            let roles = try Release(of: snapshot, in: objects).roles
            add("\(revision)^\(Release.featuresRole)", roles.features, .features)
            for (role, model) in [
                (Release.modelRole, roles.ranker), (Release.rerankerRole, roles.reranker),
                (Release.generatorRole, roles.generator),
            ] {
                if let model { add("\(revision)^\(role)", model, .model) }
            }
        }
        return pins
    }

    /// Writes a lock file, and takes a lease for its versions where the repository can be written.
    ///
    /// The new lease precedes the file, and the lease of a replaced file is released after it, so a lease protects the
    /// versions of the file at every moment. If a crash prevents the file, the new lease expires.
    ///
    /// - Parameters:
    ///   - replaced: The lock file that `write` overwrites; nil for a new file.
    ///   - purpose: The purpose of the lease, for people.
    ///   - write: Writes the bytes of the lock file durably.
    /// - Throws: `gone` when a version was collected; `storage` when `write` fails.
    public func pin(
        _ pins: [LockFile.Pin], in state: State, replacing replaced: LockFile? = nil,
        purpose: String, write: ([UInt8]) throws(StorageError) -> Void
    ) throws(RefError) -> PinOutcome {
        // Others will rely on what is pinned: a power cut must not take it back.
        try log.makeDurable()
        var lease = Lease(
            name: RandomBits { UInt64.random(in: .min ... .max) }, purpose: purpose,
            snapshots: pins.map(\.id), seconds: Self.provisionalLeaseSeconds)
        var refusal: StorageError?
        do throws(RefError) { try take(lease) } catch .storage(let cause) { refusal = cause }
        let lock = LockFile(
            repository: state.repositoryID, transaction: state.number, pins: pins,
            lease: refusal == nil ? lease.name : nil)
        lease.seconds = nil
        do throws(StorageError) { try write(lock.encoded) } catch {
            if refusal == nil {
                // A file of unknown durability exists, and needs its lease.
                if case .durabilityUnknown = error {
                    try? take(lease)
                } else {
                    try? release(lease.name)
                }
            }
            throw .storage(error)
        }
        if let refusal { return PinOutcome(lock: lock, protection: .none(refusal)) }
        do throws(RefError) { try take(lease) } catch {
            return PinOutcome(lock: lock, protection: .provisional(error))
        }
        if let replaced, let old = replaced.lease, replaced.repository == lock.repository {
            try? release(old)
        }
        return PinOutcome(lock: lock, protection: .untilReleased)
    }
}
