public import Objects

/// Who may write what, and which gates the moves of refs must pass.
///
/// The log contains every access policy in full, so the log alone suffices to check its entries. Each entry is judged
/// by the access policy of the state before it.
public struct AccessPolicy: Hashable, Sendable {
    /// A key and its rights.
    public struct Key: Hashable, Sendable {
        /// The name that people use for it.
        public let name: String
        /// The public key that verifies its signatures.
        public let publicKey: PublicKey
        /// Whether it may move every ref, change the access policy and override gates.
        public let isAdmin: Bool
        /// The namespaces in which it may move refs.
        public let namespaces: Set<RefNamespace>

        /// Makes a key, by default without any rights.
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

    /// Whether each entry must be signed by one of ``keys`` that has the rights for it.
    public let isSigned: Bool
    /// The keys, sorted by name; a key that is not listed has no rights.
    public let keys: [Key]
    /// The gates that the moves of refs must pass.
    public let gates: [Gate]
    /// How long collections keep old values of refs; nil for the standard retention.
    public let retention: RetentionRules?
    /// The identity of the access policy: the SHA-256 of its canonical JSON.
    public let id: ObjectID

    /// The maximum number of keys that an access policy may have.
    public static let keyLimit = 256
    /// The maximum number of bytes that the file of an access policy may have.
    public static let byteLimit = 256 << 10

    /// Makes an access policy from its parts, and checks that they make sense together.
    ///
    /// - Throws: An error with the path of the faulty member; for instance if two keys share a name, a gate can never
    ///   pass, or signatures are demanded without an admin.
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

    /// The rights of a key; nil when it is not listed.
    public func key(_ key: PublicKey) -> Key? { keys.first { $0.publicKey == key } }

    /// The key with a name; nil when there is none.
    public func key(named name: String) -> Key? {
        keys.first { $0.name.utf8.elementsEqual(name.utf8) }
    }

    private func check() throws(JSONSchemaError) {
        let reader = JSONObjectReader(JSONObject())
        guard keys.count <= Self.keyLimit else {
            throw reader.error("keys", "must have at most \(Self.keyLimit) elements")
        }
        guard gates.count <= Gate.countLimit else {
            throw reader.error("gates", "must have at most \(Gate.countLimit) elements")
        }
        for (index, key) in keys.enumerated() {
            guard KeyName.isValid(key.name) else {
                throw reader.error("keys.name", "must be a name such as ada or feature-bot")
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
            throw reader.error("keys", "must include an admin, who can change the access policy")
        }
        for gate in gates {
            guard case .approvals(let count, let names) = gate.condition else { continue }
            guard isSigned else {
                throw reader.error("gates", "cannot demand approvals without signatures")
            }
            for name in names ?? [] where self.key(named: name) == nil {
                throw reader.error("gates", "demand an approval by \(name), who is not in keys")
            }
            guard (names?.count ?? keys.count) >= count else {
                throw reader.error(
                    "gates", "demand \(count) approvals, more than the keys that may give them")
            }
        }
    }
}

extension AccessPolicy {
    private static let version = 1

    /// The access policy in the JSON form that the log contains.
    public var json: JSON {
        Self.json(isSigned: isSigned, keys: keys, gates: gates, retention: retention)
    }

    static func json(
        isSigned: Bool, keys: [Key], gates: [Gate], retention: RetentionRules?
    ) -> JSON {
        var object = JSONObject()
        object["type"] = "policy"
        object["version"] = .integer(version)
        object["signed"] = .bool(isSigned)
        object["keys"] = .array(keys.map(\.json))
        object["gates"] = .array(gates.map(\.json))
        if let retention { object["retention"] = retention.json }
        return .object(object)
    }

    /// Decodes the file of an access policy: JSON that requires only `signed`, and the `name` and `public` of each key.
    ///
    /// - Throws: An error with the path of the faulty member.
    public init(decoding bytes: [UInt8]) throws(JSONSchemaError) {
        var reader = try JSONObjectReader(file: bytes)
        try self.init(&reader)
        try reader.finish()
    }

    private init(_ reader: inout JSONObjectReader) throws(JSONSchemaError) {
        if reader.has("type"), try reader.string("type") != "policy" {
            throw reader.error("type", "must be policy")
        }
        if reader.has("version"), try reader.count("version") != Self.version {
            throw reader.error("version", "is unknown to this program")
        }
        let isSigned = try reader.bool("signed")
        let keys = reader.has("keys") ? try reader.objects("keys", Key.init) : []
        let gates = reader.has("gates") ? try reader.objects("gates", Gate.init) : []
        let retention =
            try reader.take("retention").map { (json) throws(JSONSchemaError) in
                try RetentionRules(json, as: "retention")
            }
        try self.init(isSigned: isSigned, keys: keys, gates: gates, retention: retention)
    }

    /// Takes an access policy in its canonical encoding, or `null`.
    static func take(
        _ key: String, from reader: inout JSONObjectReader
    ) throws(JSONSchemaError) -> AccessPolicy? {
        let value = reader.take(key)
        if case .null? = value { return nil }
        guard let value, let object = value.object else {
            throw reader.error(key, "must be an access policy, or null")
        }
        var member = JSONObjectReader(object, path: key)
        let accessPolicy = try AccessPolicy(&member)
        try member.finish()
        guard accessPolicy.json.canonicalBytes == value.canonicalBytes else {
            throw reader.error(key, "is not a canonically encoded access policy")
        }
        return accessPolicy
    }
}

extension AccessPolicy.Key {
    var json: JSON {
        [
            "name": .string(name), "public": .string(publicKey.hex), "admin": .bool(isAdmin),
            "write": .array(
                namespaces.map(\.rawValue).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
                    .map { .string($0) }),
        ]
    }

    init(_ reader: inout JSONObjectReader) throws(JSONSchemaError) {
        let name = try reader.string("name")
        let key = try reader.publicKey("public")
        var namespaces: Set<RefNamespace> = []
        for value in reader.has("write") ? try reader.array("write") : [] {
            guard let namespace = value.string.flatMap(RefNamespace.init(rawValue:)),
                namespaces.insert(namespace).inserted
            else {
                throw reader.error(
                    "write", "must be a list without duplicates of \(RefNamespace.listing)")
            }
        }
        let isAdmin = reader.has("admin") ? try reader.bool("admin") : false
        self.init(name: name, publicKey: key, isAdmin: isAdmin, namespaces: namespaces)
    }
}

extension JSONObjectReader {
    fileprivate mutating func bool(_ key: String) throws(JSONSchemaError) -> Bool {
        guard let value = take(key)?.bool else { throw error(key, "must be true or false") }
        return value
    }
}

extension Repository {
    /// Sets or removes the access policy in a transaction of its own.
    ///
    /// - Parameter base: The access policy that the new one was derived from; the transaction is refused if another one
    ///   is in force when it commits. Without `base`, any access policy is replaced.
    /// - Throws: `unauthorized` when the writer is not an admin of the present access policy; `accessPolicyChanged`.
    @discardableResult
    public func setAccessPolicy(
        _ accessPolicy: AccessPolicy?, replacing base: AccessPolicy?? = nil, message: String = "",
        writer: Writer
    ) throws(RefError) -> State {
        let state = try self.state()
        func check(_ state: State) throws(RefError) {
            guard let base, base?.id != state.accessPolicy?.id else { return }
            throw .accessPolicyChanged
        }
        try check(state)
        return try log.append(
            [.accessPolicy(accessPolicy)], to: state, message: message, writer: writer, admit: check
        )
    }

    /// Approves a move of a ref from its present target. The ref need not exist yet.
    ///
    /// - Throws: `unauthorized` when there is no access policy, it demands no signatures, or it does not list the
    ///   writer's key; `nothingToApprove` when the ref already points at `new`; `conflict` when it moved meanwhile.
    @discardableResult
    public func approve(
        _ name: RefName, new: ObjectID?, expires: Timestamp, on state: State,
        message: String = "", writer: Writer
    ) throws(RefError) -> State {
        guard let accessPolicy = state.accessPolicy else {
            throw .unauthorized(
                reason: "there is no access policy, so there is nothing to approve",
                remedy: "ftictl policy init")
        }
        let old = state.target(of: name)
        guard new != old else { throw .nothingToApprove(name, new) }
        return try log.append(
            [.approve(name, old: old, new: new, accessPolicy: accessPolicy.id, expires: expires)],
            to: state,
            message: message, writer: writer
        ) { (newer) throws(RefError) in
            guard newer.target(of: name) != old else { return }
            throw newer.conflict(over: name, expected: .same(as: old))
        }
    }
}
