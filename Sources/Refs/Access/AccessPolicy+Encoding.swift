public import Objects

extension AccessPolicy {
    /// The version of the format.
    private static let version = 1

    /// The policy as it stands in the log.
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

    /// Reads a policy's file: JSON, in which `version`, `admin`, `write`, `gates` and `retention` may be left out.
    ///
    /// - Throws: An error with the path of the member that is wrong.
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
            throw reader.error("version", "is one that this program does not know")
        }
        let isSigned = try reader.bool("signed")
        var keys: [Key] = []
        for (index, value) in (try reader.list("keys")).enumerated() {
            var member = JSONObjectReader(value.object ?? JSONObject(), path: "keys[\(index)]")
            keys.append(try Key(&member))
            try member.finish()
        }
        var gates: [Gate] = []
        for (index, value) in (try reader.list("gates")).enumerated() {
            var member = JSONObjectReader(value.object ?? JSONObject(), path: "gates[\(index)]")
            gates.append(try Gate(&member))
        }
        let retention =
            try reader.take("retention").map { (json) throws(JSONSchemaError) in
                try RetentionRules(json, as: "retention")
            }
        try self.init(isSigned: isSigned, keys: keys, gates: gates, retention: retention)
    }

    /// Takes a policy or `null`, of which only the one encoding is accepted.
    static func take(
        _ key: String, from reader: inout JSONObjectReader
    ) throws(JSONSchemaError) -> AccessPolicy? {
        let value = reader.take(key)
        if case .null? = value { return nil }
        guard let value, let object = value.object else {
            throw reader.error(key, "must be a policy, or null")
        }
        var member = JSONObjectReader(object, path: key)
        let policy = try AccessPolicy(&member)
        try member.finish()
        guard policy.json.canonicalBytes == value.canonicalBytes else {
            throw reader.error(key, "is not written as a policy is")
        }
        return policy
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
        guard let key = PublicKey(hex: try reader.string("public")) else {
            throw reader.error("public", "must be an Ed25519 key: 64 hexadecimal digits")
        }
        var namespaces: Set<RefNamespace> = []
        for value in try reader.list("write") {
            guard let namespace = value.string.flatMap(RefNamespace.init(rawValue:)),
                namespaces.insert(namespace).inserted
            else {
                throw reader.error(
                    "write", "must be different ones of \(RefNamespace.listing)")
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

    /// Takes a list that may be left out.
    fileprivate mutating func list(_ key: String) throws(JSONSchemaError) -> [JSON] {
        has(key) ? try array(key) : []
    }
}
