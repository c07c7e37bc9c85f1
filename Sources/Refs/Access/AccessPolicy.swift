public import Objects

/// Who may write what, and what moves of refs must satisfy.
///
/// The log holds it whole, so that the log alone suffices to check every entry: each by the policy of the state
/// before it.
public struct AccessPolicy: Hashable, Sendable {
    /// A key that the policy knows.
    public struct Key: Hashable, Sendable {
        /// What people call it.
        public let name: String
        /// The key.
        public let publicKey: PublicKey
        /// Whether it may move every ref, change the policy and override gates.
        public let isAdmin: Bool
        /// Where it may move refs.
        public let namespaces: Set<RefNamespace>

        /// Makes a key.
        public init(
            name: String, publicKey: PublicKey, isAdmin: Bool = false,
            namespaces: Set<RefNamespace> = []
        ) {
            self.name = name
            self.publicKey = publicKey
            self.isAdmin = isAdmin
            self.namespaces = namespaces
        }

        /// Whether it may move a ref.
        public func mayMove(_ name: RefName) -> Bool {
            isAdmin || namespaces.contains(name.namespace)
        }
    }

    /// Whether each entry must be signed by one of ``keys``, and may do what that key may do.
    public let isSigned: Bool
    /// The keys, by name; a key that is not here is worth nothing any more.
    public let keys: [Key]
    /// What moves must satisfy.
    public let gates: [Gate]
    /// For how long collections keep what refs pointed at; nil for the standard.
    public let retention: RetentionRules?
    /// The policy's identity: the SHA-256 of its canonical JSON.
    public let id: ObjectID

    /// The most keys that a policy may have.
    public static let keyLimit = 256
    /// The most bytes that a policy's file may have; the log takes fewer.
    public static let byteLimit = 256 << 10

    /// Makes a policy.
    ///
    /// - Throws: An error with the path of the member that is wrong: two keys with one name, gates that nobody could
    ///   satisfy, nobody who could ever change the policy.
    public init(
        isSigned: Bool, keys: [Key], gates: [Gate], retention: RetentionRules? = nil
    ) throws(JSONSchemaError) {
        self.isSigned = isSigned
        self.keys = keys.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
        self.gates = gates
        self.retention = retention
        let bytes = Self.json(
            isSigned: isSigned, keys: self.keys, gates: gates, retention: retention
        ).canonicalBytes
        // Computed once: a transaction with thousands of approvals asks for it thousands of times.
        id = ObjectID(of: bytes.span)
        try check()
    }

    /// What the policy says of a key; nil when it does not list it.
    public func key(_ key: PublicKey) -> Key? { keys.first { $0.publicKey == key } }

    /// The key of a name.
    public func key(named name: String) -> Key? {
        keys.first { $0.name.utf8.elementsEqual(name.utf8) }
    }

    private func check() throws(JSONSchemaError) {
        let reader = JSONObjectReader(JSONObject())
        guard keys.count <= Self.keyLimit else {
            throw reader.error("keys", "must be at most \(Self.keyLimit)")
        }
        guard gates.count <= Gate.countLimit else {
            throw reader.error("gates", "must be at most \(Gate.countLimit)")
        }
        for (index, key) in keys.enumerated() {
            guard KeyName.isValid(key.name) else {
                throw reader.error("keys.name", "must be like ada or feature-bot")
            }
            for other in keys[..<index] {
                guard !other.name.utf8.elementsEqual(key.name.utf8) else {
                    throw reader.error("keys", "has two keys named \(key.name)")
                }
                guard other.publicKey != key.publicKey else {
                    throw reader.error("keys", "lists one key as \(other.name) and \(key.name)")
                }
            }
        }
        guard !isSigned || keys.contains(where: \.isAdmin) else {
            throw reader.error("keys", "must have an admin: nobody could change the policy")
        }
        for gate in gates {
            guard case .approvals(let count, let names) = gate.condition else { continue }
            guard isSigned else {
                throw reader.error("gates", "cannot demand approvals where nothing is signed")
            }
            for name in names ?? [] where self.key(named: name) == nil {
                throw reader.error("gates", "demands an approval by \(name), who is not in keys")
            }
            guard (names?.count ?? keys.count) >= count else {
                throw reader.error("gates", "demands \(count) approvals, more than there are keys")
            }
        }
    }
}
