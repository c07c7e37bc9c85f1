public import Objects

/// A set of versions that belong together, by identity: what `fti.lock` holds.
///
/// The file is JSON with one pin on each line, so that tools of any kind can read it and a difference of
/// two of them shows what moved. `sha256` is that of the canonical JSON (RFC 8785) of all other members, so a file that
/// was edited is told from one that was laid out anew.
public struct LockFile: Hashable, Sendable {
    /// One version.
    public struct Pin: Hashable, Sendable {
        /// What a person typed to name it.
        public let revision: String
        /// The snapshot that it was.
        public let id: ObjectID
        /// What sort of snapshot.
        public let kind: Snapshot.Kind

        /// Makes a pin.
        public init(revision: String, id: ObjectID, kind: Snapshot.Kind) {
            self.revision = revision
            self.id = id
            self.kind = kind
        }
    }

    /// The repository that the versions are in.
    public let repository: RandomBits
    /// The newest transaction when they were resolved, all in one state.
    public let transaction: Int
    /// The versions, in the order in which they were asked for.
    public let pins: [Pin]
    /// The lease that keeps the versions in the repository; nil when there is none.
    public let lease: RandomBits?

    /// The most bytes that a lock file may have.
    public static let byteLimit = 1 << 20
    /// The version of the format.
    private static let version = 1

    /// Makes a lock file's content.
    public init(
        repository: RandomBits, transaction: Int, pins: [Pin], lease: RandomBits? = nil
    ) {
        self.repository = repository
        self.transaction = transaction
        self.pins = pins
        self.lease = lease
    }

    /// The only pin of a kind, or nil when there is none or more than one.
    public func pin(of kind: Snapshot.Kind) -> Pin? {
        let found = pins.filter { $0.kind == kind }
        return found.count == 1 ? found.first : nil
    }

    /// The SHA-256 of the canonical JSON of what the file says.
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

    /// Reads a lock file; how it is laid out does not matter.
    ///
    /// - Parameter edited: Whether a file is read too that says something else than when it was written.
    /// - Throws: ``JSONSchemaError``, which says what is wrong with the file.
    public init(decoding bytes: [UInt8], edited: Bool = false) throws(JSONSchemaError) {
        var reader = try JSONObjectReader(file: bytes)
        guard try reader.count("fti-lock") == Self.version else {
            throw reader.error("fti-lock", "is a version that this program does not know")
        }
        guard let repository = RandomBits(hex: try reader.string("repository")) else {
            throw reader.error("repository", "must be 32 lower-case hexadecimal digits")
        }
        var pins: [Pin] = []
        for member in try reader.array("pins") {
            guard let object = member.object else {
                throw reader.error("pins", "must be objects")
            }
            var pin = JSONObjectReader(object, path: "pins.\(pins.count)")
            let revision = try pin.string("revision")
            let id = try pin.objectID("id")
            guard let kind = Snapshot.Kind(rawValue: try pin.string("kind")) else {
                throw pin.error("kind", "is not a kind of snapshot")
            }
            try pin.finish()
            pins.append(Pin(revision: revision, id: id, kind: kind))
        }
        let lease = reader.has("lease") ? RandomBits(hex: try reader.string("lease")) : nil
        guard lease != nil || !reader.has("lease") else {
            throw reader.error("lease", "must be 32 lower-case hexadecimal digits")
        }
        self.init(
            repository: repository, transaction: try reader.count("transaction"), pins: pins,
            lease: lease)
        let digest = try reader.objectID("sha256")
        try reader.finish()
        guard edited || digest == self.digest else {
            throw reader.error(
                "sha256", "is not that of the other members: the file was edited; pin again")
        }
    }
}
