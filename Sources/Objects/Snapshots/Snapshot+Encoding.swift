extension Snapshot {
    /// The bytes that are stored: canonical JSON.
    public var encoded: [UInt8] {
        var object = JSONObject()
        object["type"] = "snapshot"
        object["kind"] = .string(kind.rawValue)
        object["content"] = content.json
        object["parents"] = .array(parents.map { .string($0.hex) })
        object["inputs"] = .object(JSONObject(inputs.map { ($0, .string($1.hex)) }))
        object["producer"] = producer.json
        object["params"] = .object(params)
        object["metrics"] = .object(JSONObject(metrics.map { ($0, .number($1)) }))
        object["space"] = space.map { .string($0.hex) }
        object["cursor"] = cursor?.json
        object["index"] = index?.json
        object["created"] = .string(created.description)
        object["message"] = .string(message)
        return JSON.object(object).canonicalBytes
    }

    /// Reads a snapshot; anything but its one canonical encoding is refused.
    public init(decoding bytes: [UInt8], id: ObjectID? = nil) throws(ObjectError) {
        do {
            let json = try JSON(canonical: bytes)
            guard let object = json.object else {
                throw JSONSchemaError(path: "the value", reason: "must be an object")
            }
            var reader = JSONObjectReader(object)
            try self.init(&reader)
            try reader.finish()
        } catch let error as JSONError {
            throw .malformed(id, as: "snapshot", reason: error.reason, offset: error.offset)
        } catch let error as JSONSchemaError {
            throw .malformed(
                id, as: "snapshot", reason: "\(error.path) \(error.reason)", offset: nil)
        } catch {
            throw .malformed(id, as: "snapshot", reason: "unreadable", offset: nil)
        }
    }

    private init(_ reader: inout JSONObjectReader) throws(JSONSchemaError) {
        guard try reader.string("type") == "snapshot" else {
            throw reader.error("type", "must be snapshot")
        }
        guard let kind = Kind(rawValue: try reader.string("kind")) else {
            throw reader.error("kind", "is not a kind of snapshot")
        }
        let content = try reader.nested("content") { (inner) throws(JSONSchemaError) in
            try Content(&inner)
        }
        var parents: [ObjectID] = []
        for parent in try reader.array("parents") {
            guard let id = parent.string.flatMap({ ObjectID(hex: $0) }) else {
                throw reader.error("parents", "must be identities")
            }
            parents.append(id)
        }
        var inputs: [String: ObjectID] = [:]
        for member in try reader.object("inputs") {
            guard let id = member.value.string.flatMap({ ObjectID(hex: $0) }) else {
                throw reader.error("inputs.\(member.key)", "must be an identity")
            }
            guard inputs.updateValue(id, forKey: member.key) == nil else {
                throw reader.error("inputs.\(member.key)", "is there in two spellings")
            }
        }
        var metrics: [String: Double] = [:]
        for member in try reader.object("metrics") {
            guard let value = member.value.number else {
                throw reader.error("metrics.\(member.key)", "must be a number")
            }
            guard metrics.updateValue(value, forKey: member.key) == nil else {
                throw reader.error("metrics.\(member.key)", "is there in two spellings")
            }
        }
        func optionalContent(_ name: String) throws(JSONSchemaError) -> Content? {
            guard reader.has(name) else { return nil }
            return try reader.nested(name) { (inner) throws(JSONSchemaError) in
                try Content(&inner)
            }
        }
        self.init(
            kind: kind, content: content, parents: parents, inputs: inputs,
            producer: try reader.nested("producer") { (inner) throws(JSONSchemaError) in
                try Producer(&inner)
            },
            params: try reader.object("params"), metrics: metrics,
            space: try reader.optionalObjectID("space"), cursor: try optionalContent("cursor"),
            index: try optionalContent("index"), created: try reader.timestamp("created"),
            message: try reader.string("message"))
    }

    /// Reads a stored snapshot.
    public init(_ id: ObjectID, in source: some ObjectSource) throws(ObjectError) {
        try self.init(decoding: try source.read(id, limit: structuredObjectLimit), id: id)
    }

    /// Every object that this snapshot names itself; all must exist where it does.
    public var links: [ObjectID] {
        contents.map(\.id) + parents + inputs.values.sorted() + [space].compactMap { $0 }
    }
}

extension Snapshot.Producer {
    /// The members that a snapshot's JSON has for it.
    public var json: JSON {
        var object = JSONObject()
        object["pipeline"] = .string(pipeline)
        object["version"] = .string(version)
        object["revision"] = revision.map { .string($0) }
        return .object(object)
    }

    init(_ reader: inout JSONObjectReader) throws(JSONSchemaError) {
        self.init(
            pipeline: try reader.string("pipeline"), version: try reader.string("version"),
            revision: reader.has("revision") ? try reader.string("revision") : nil)
    }
}
