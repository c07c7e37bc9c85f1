public import Objects

/// Somebody's consent to one move of one ref.
///
/// It is void once the ref moves, wherever to, once the policy changes, and when it expires; so it is good for one
/// move at most.
public struct Approval: Hashable, Sendable {
    /// The ref.
    public let ref: RefName
    /// What the ref points at as long as it is not moved.
    public let old: ObjectID?
    /// What it may be moved to; nil for its removal.
    public let new: ObjectID?
    /// Who consents.
    public let key: PublicKey
    /// Up to when.
    public let expires: Timestamp
    /// The transaction that says so.
    public let transaction: Int

    /// What one key can approve of a ref once at a time.
    struct Subject: Hashable {
        let new: ObjectID?
        let key: PublicKey
    }

    var subject: Subject { Subject(new: new, key: key) }

    var json: JSON {
        [
            "ref": .string(ref.text), "old": old.map { .string($0.hex) } ?? .null,
            "new": new.map { .string($0.hex) } ?? .null, "key": .string(key.hex),
            "expires": .string(expires.description), "transaction": .integer(transaction),
        ]
    }

    init(
        ref: RefName, old: ObjectID?, new: ObjectID?, key: PublicKey, expires: Timestamp,
        transaction: Int
    ) {
        self.ref = ref
        self.old = old
        self.new = new
        self.key = key
        self.expires = expires
        self.transaction = transaction
    }

    /// The command that approves a move, or with no revision the removal of a ref.
    static func command(for ref: RefName, to revision: String?) -> String {
        "ftictl approve \(ref) \(revision ?? "--delete")"
    }

    init(_ reader: inout JSONObjectReader) throws(JSONSchemaError) {
        guard let key = PublicKey(hex: try reader.string("key")) else {
            throw reader.error("key", "must be an Ed25519 key")
        }
        self.init(
            ref: try reader.refName("ref"), old: try reader.objectIDOrNull("old"),
            new: try reader.objectIDOrNull("new"), key: key,
            expires: try reader.timestamp("expires"), transaction: try reader.count("transaction"))
        try reader.finish()
    }
}
