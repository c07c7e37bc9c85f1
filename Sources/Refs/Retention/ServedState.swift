public import Objects

/// A process that serves versions, as it introduces itself in its lease.
public struct Replica: Hashable, Sendable {
    /// Its name among the replicas of a fleet, such as that of its host.
    public let name: String
    /// What it follows: a ref or another revision, or the lock file that pins its versions.
    public let follows: String
    /// Where it answers, such as `10.0.0.7:8080`; nil where it says nothing about that.
    public let address: String?

    /// The maximum number of bytes of each text.
    public static let textLimit = 256

    /// Describes a process; nil unless each text has 1 to ``textLimit`` bytes of UTF-8 and no control characters or
    /// invisible ones.
    public init?(name: String, follows: String, address: String? = nil) {
        for text in [name, follows, address].compactMap(\.self) {
            guard !text.isEmpty,
                Quoting.plain(text, limit: Self.textLimit).utf8.elementsEqual(text.utf8)
            else { return nil }
        }
        self.name = name
        self.follows = follows
        self.address = address
    }
}

/// What a replica serves: the member `serving` of its lease.
public struct ServedState: Hashable, Sendable {
    /// New versions that the replica rejected.
    public struct Parked: Hashable, Sendable {
        /// The snapshots by role; empty when they could not even be resolved.
        public let snapshots: [String: ObjectID]
        /// Why they are not served.
        public let reason: String
        /// When the replica rejected them first.
        public let since: Timestamp

        /// The maximum number of bytes of a reason that is kept; the rest is cut.
        private static let reasonLimit = 2000
        /// The maximum number of bytes of a reason in a lease, with its control characters escaped.
        private static let storedLimit = 8192

        /// Describes rejected versions.
        public init(snapshots: [String: ObjectID], reason: String, since: Timestamp) {
            self.snapshots = snapshots
            self.reason = Quoting.plain(Secrets.redacted(reason), limit: Self.reasonLimit)
            self.since = since
        }

        fileprivate init(_ reader: inout JSONObjectReader) throws(JSONSchemaError) {
            snapshots = try reader.snapshots()
            reason = try reader.string("reason")
            since = try reader.timestamp("since")
            guard reason.utf8.count <= Self.storedLimit else {
                throw reader.error("reason", "must have at most \(Self.storedLimit) bytes")
            }
        }
    }

    /// The process.
    public let replica: Replica
    /// The snapshots in service by role, such as `release` and `features`.
    public let snapshots: [String: ObjectID]
    /// The newest transaction of the state in which the versions in service were chosen.
    public let transaction: Int
    /// When these versions came into service.
    public let since: Timestamp
    /// Snapshots of former versions that requests still use, and no longer those in service.
    public let draining: [ObjectID]
    /// The newest versions, if the replica rejected them.
    public let parked: Parked?

    /// Describes a replica.
    public init(
        replica: Replica, snapshots: [String: ObjectID], transaction: Int, since: Timestamp,
        draining: [ObjectID] = [], parked: Parked? = nil
    ) {
        self.replica = replica
        self.snapshots = snapshots
        self.transaction = transaction
        self.since = since
        self.draining = draining
        self.parked = parked
    }
}

extension ServedState {
    /// The state as the JSON of a lease; members without a value are left out.
    public var json: JSON {
        var object = JSONObject()
        object["replica"] = .string(replica.name)
        object["follows"] = .string(replica.follows)
        object["address"] = replica.address.map { .string($0) }
        object["snapshots"] = Self.json(snapshots)
        object["transaction"] = .integer(transaction)
        object["since"] = .string(since.description)
        object["draining"] = .array(draining.map { .string($0.hex) })
        object["parked"] = parked.map { parked in
            [
                "snapshots": Self.json(parked.snapshots), "reason": .string(parked.reason),
                "since": .string(parked.since.description),
            ]
        }
        return .object(object)
    }

    /// Decodes the member of a lease; nil when it is malformed.
    init?(_ json: JSON) {
        guard let object = json.object else { return nil }
        var reader = JSONObjectReader(object)
        do throws(JSONSchemaError) {
            let replica = Replica(
                name: try reader.string("replica"), follows: try reader.string("follows"),
                address: reader.has("address") ? try reader.string("address") : nil)
            let draining = try reader.array("draining")
            let ids = draining.compactMap { $0.string.flatMap { ObjectID(hex: $0) } }
            guard let replica, ids.count == draining.count else { return nil }
            self.init(
                replica: replica, snapshots: try reader.snapshots(),
                transaction: try reader.count("transaction"),
                since: try reader.timestamp("since"), draining: ids,
                parked: reader.has("parked")
                    ? try reader.nested("parked") { (parked) throws(JSONSchemaError) in
                        try Parked(&parked)
                    } : nil)
            try reader.finish()
        } catch { return nil }
    }

    private static func json(_ snapshots: [String: ObjectID]) -> JSON {
        .object(JSONObject(snapshots.map { ($0.key, .string($0.value.hex)) }))
    }
}

extension JSONObjectReader {
    /// Takes the member `snapshots`: ids by role.
    fileprivate mutating func snapshots() throws(JSONSchemaError) -> [String: ObjectID] {
        var snapshots: [String: ObjectID] = [:]
        for member in try object("snapshots") {
            guard let id = member.value.string.flatMap({ ObjectID(hex: $0) }),
                Quoting.plain(member.key).utf8.elementsEqual(member.key.utf8)
            else { throw error("snapshots", "must have a role and an id in each member") }
            snapshots[member.key] = id
        }
        return snapshots
    }
}
