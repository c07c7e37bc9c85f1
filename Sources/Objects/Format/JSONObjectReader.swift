/// A missing, unexpected or invalid member of a JSON object.
public struct JSONSchemaError: Error, Hashable, Sendable {
    /// The path of the member, such as `content.id`; for a file that is not a JSON object, `the file`.
    public let path: String
    /// What is wrong with it.
    public let reason: String
}

/// Takes the members of a JSON object one by one; ``finish()`` refuses the object if any are left.
///
/// Taking a required member throws when the member is missing, was taken before, or has another type.
public struct JSONObjectReader {
    private var object: JSONObject
    /// Whether each member of ``object`` has been taken.
    private var isTaken: [Bool]
    private let path: String

    /// Starts reading an object; `path` is its place in the file, for errors.
    public init(_ object: JSONObject, path: String = "") {
        self.object = object
        isTaken = Array(repeating: false, count: object.count)
        self.path = path
    }

    /// Starts reading a file that a person may have written: an object in any form that JSON allows.
    ///
    /// - Throws: An error with the byte offset at which the file is not JSON, or when the file is not an object.
    public init(file bytes: [UInt8]) throws(JSONSchemaError) {
        let json: JSON
        do throws(JSONError) { json = try JSON(parsing: bytes.span) } catch {
            throw JSONSchemaError(
                path: "the file", reason: "is not JSON: \(error.reason) at byte \(error.offset)")
        }
        guard let object = json.object else {
            throw JSONSchemaError(path: "the file", reason: "is not a JSON object")
        }
        self.init(object)
    }

    /// Creates an error about one member, with the member's full path.
    public func error(_ key: String, _ reason: String) -> JSONSchemaError {
        JSONSchemaError(path: path.isEmpty ? key : "\(path).\(key)", reason: reason)
    }

    /// Takes a member; nil when it is missing or was taken before.
    public mutating func take(_ key: String) -> JSON? {
        guard let index = remaining(key) else { return nil }
        isTaken[index] = true
        return object.members[index].value
    }

    /// The index of a member; nil when it is missing or was taken before.
    private func remaining(_ key: String) -> Int? {
        object.index(of: key).flatMap { isTaken[$0] ? nil : $0 }
    }

    private mutating func required<Value>(
        _ key: String, _ expected: String, _ convert: (JSON) -> Value?
    ) throws(JSONSchemaError) -> Value {
        guard let json = take(key) else { throw error(key, "is missing") }
        guard let value = convert(json) else { throw error(key, "must be \(expected)") }
        return value
    }

    /// Takes a string.
    public mutating func string(_ key: String) throws(JSONSchemaError) -> String {
        try required(key, "a string") { $0.string }
    }

    /// Takes a whole number from 0 to 2^53.
    public mutating func count(_ key: String) throws(JSONSchemaError) -> Int {
        try required(key, "a whole number from 0 to 2^53") { json in
            json.integer.flatMap { $0 >= 0 ? $0 : nil }
        }
    }

    /// Takes a number.
    public mutating func number(_ key: String) throws(JSONSchemaError) -> Double {
        try required(key, "a number") { $0.number }
    }

    /// Takes an object.
    public mutating func object(_ key: String) throws(JSONSchemaError) -> JSONObject {
        try required(key, "an object") { $0.object }
    }

    /// Takes a list.
    public mutating func array(_ key: String) throws(JSONSchemaError) -> [JSON] {
        try required(key, "a list") { $0.array }
    }

    /// Takes an identity.
    public mutating func objectID(_ key: String) throws(JSONSchemaError) -> ObjectID {
        try required(key, "64 lower-case hexadecimal digits") { json in
            json.string.flatMap { ObjectID(hex: $0) }
        }
    }

    /// Takes a timestamp.
    public mutating func timestamp(_ key: String) throws(JSONSchemaError) -> Timestamp {
        try required(key, "a time such as 2026-08-01T09:30:00.000Z") { json in
            json.string.flatMap { Timestamp($0) }
        }
    }

    /// Takes an identity; nil when the member is missing.
    public mutating func optionalObjectID(_ key: String) throws(JSONSchemaError) -> ObjectID? {
        has(key) ? try objectID(key) : nil
    }

    /// Takes an object and reads it with `read`, which must take all its members.
    public mutating func nested<Value>(
        _ key: String, _ read: (inout JSONObjectReader) throws(JSONSchemaError) -> Value
    ) throws(JSONSchemaError) -> Value {
        var reader = JSONObjectReader(
            try object(key), path: path.isEmpty ? key : "\(path).\(key)")
        let value = try read(&reader)
        try reader.finish()
        return value
    }

    /// Whether a member is present and has not been taken.
    public func has(_ key: String) -> Bool { remaining(key) != nil }

    /// Throws if the object has a member other than these.
    public func refuse(unless known: [String]) throws(JSONSchemaError) {
        for member in object.members
        where !known.contains(where: { $0.utf8.elementsEqual(member.key.utf8) }) {
            throw error(member.key, "is unknown")
        }
    }

    /// Throws unless every member was taken.
    public func finish() throws(JSONSchemaError) {
        guard let index = isTaken.firstIndex(of: false) else { return }
        throw error(object.members[index].key, "is unknown")
    }
}
