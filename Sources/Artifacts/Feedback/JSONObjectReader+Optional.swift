internal import Objects

/// Members of records, which unlike stored objects may be null and may have further members.
extension JSONObjectReader {
    /// Takes a member and converts it; nil when it is missing or null.
    private mutating func optional<Value>(
        _ key: String, _ expected: String, _ convert: (JSON) -> Value?
    ) throws(JSONSchemaError) -> Value? {
        guard let json = take(key), json != .null else { return nil }
        guard let value = convert(json) else {
            throw error(key, "must be \(expected) or null")
        }
        return value
    }

    /// Takes a string; nil when it is missing or null.
    mutating func optionalString(_ key: String) throws(JSONSchemaError) -> String? {
        try optional(key, "a string") { $0.string }
    }

    /// Takes an object; nil when it is missing or null.
    mutating func optionalObject(_ key: String) throws(JSONSchemaError) -> JSONObject? {
        try optional(key, "an object") { $0.object }
    }

    /// Takes a list; nil when it is missing or null.
    mutating func optionalArray(_ key: String) throws(JSONSchemaError) -> [JSON]? {
        try optional(key, "a list") { $0.array }
    }

    /// Takes an identity; nil when it is missing or null.
    mutating func optionalHash(_ key: String) throws(JSONSchemaError) -> ObjectID? {
        try optional(key, "64 lower-case hexadecimal digits") {
            $0.string.flatMap { ObjectID(hex: $0) }
        }
    }

    /// Takes a whole number from 0 to 2^53; nil when it is missing or null.
    mutating func optionalCount(_ key: String) throws(JSONSchemaError) -> Int? {
        try optional(key, "a whole number from 0 to 2^53") { json in
            json.integer.flatMap { $0 >= 0 ? $0 : nil }
        }
    }

    /// Takes a number; nil when it is missing or null.
    mutating func optionalNumber(_ key: String) throws(JSONSchemaError) -> Double? {
        try optional(key, "a number") { $0.number }
    }

    /// Takes a whole number from 1 to 2^53.
    mutating func positive(_ key: String) throws(JSONSchemaError) -> Int {
        let value = try count(key)
        guard value > 0 else { throw error(key, "must be at least 1") }
        return value
    }

    /// Takes a Boolean.
    mutating func bool(_ key: String) throws(JSONSchemaError) -> Bool {
        guard let json = take(key) else { throw error(key, "is missing") }
        guard let value = json.bool else { throw error(key, "must be true or false") }
        return value
    }

    /// Takes `type` and `version`, and checks their values.
    mutating func expect(type: String, version: Int) throws(JSONSchemaError) {
        guard try string("type").utf8.elementsEqual(type.utf8) else {
            throw error("type", "must be \(type)")
        }
        guard try count("version") == version else {
            throw error("version", "must be \(version): another version of fti wrote it")
        }
    }

    /// Reads an object that was taken from this one.
    func inner(_ object: JSONObject, _ key: String) -> JSONObjectReader {
        JSONObjectReader(object, path: error(key, "").path)
    }

    /// The object at an index of a list that was taken from this object, and its path.
    func item(
        _ json: JSON, _ key: String, _ index: Int
    ) throws(JSONSchemaError) -> (path: String, object: JSONObject) {
        let name = "\(key)[\(index)]"
        guard let object = json.object else { throw error(name, "must be an object") }
        return (error(name, "").path, object)
    }

    /// Reads messages of a conversation.
    func messages(_ items: [JSON], _ key: String) throws(JSONSchemaError) -> [ChatMessage] {
        var messages: [ChatMessage] = []
        for (index, item) in items.enumerated() {
            let (path, object) = try self.item(item, key, index)
            var reader = JSONObjectReader(object, path: path)
            guard let role = ChatMessage.Role(rawValue: try reader.string("role")) else {
                throw reader.error("role", "must be system, user or assistant")
            }
            messages.append(ChatMessage(role, try reader.string("content")))
        }
        return messages
    }
}

extension JSON {
    /// The digits of an identity, or null.
    static func hex(_ id: ObjectID?) -> JSON { id.map { .string($0.hex) } ?? .null }
}
