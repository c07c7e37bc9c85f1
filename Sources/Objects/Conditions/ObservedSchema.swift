/// What a condition is asked of: named values, some of which hold others.
public struct ConditionRecord: Sendable {
    private let parts: [JSONObject]

    /// Makes a record; a name is looked for in one object after the other.
    public init(_ parts: JSONObject...) { self.parts = parts }

    /// A row of a table: the members of its attributes, and then `key`.
    public init(key: String, attributes: JSONObject) {
        var name = JSONObject()
        name["key"] = .string(key)
        self.init(attributes, name)
    }

    /// The member of a name, or, for `metrics.recall`, the member `recall` of the object `metrics`; nil where there
    /// is none.
    public func field(_ name: String) -> JSON? {
        for part in parts {
            if let value = part.field(name) { return value }
        }
        return nil
    }

    /// The names of the first members.
    func members(_ limit: Int) -> [JSONObject.Member] {
        Array(parts.lazy.flatMap(\.members).prefix(limit))
    }
}

extension Condition {
    /// Whether it holds of a record; as ``holds(_:)``.
    public func holds(of record: ConditionRecord) -> Bool {
        holds { name in record.field(name).flatMap { ConditionValue($0) } }
    }
}

extension JSONObject {
    fileprivate func field(_ name: String) -> JSON? {
        if let value = self[name] { return value }
        guard let dot = name.utf8.firstIndex(of: UInt8(ascii: ".")),
            let inner = self[String(name[..<dot])]?.object
        else { return nil }
        return inner.field(String(name[name.utf8.index(after: dot)...]))
    }
}

/// Learns from records which of the names that a condition asks for exist, and their types.
///
/// For records without a declared schema, such as the rows of a table. Of each name the first value decides its type;
/// in a record where the value is of another type, comparisons with it are unknown.
public struct ObservedSchema: Sendable {
    /// What is declared and was observed.
    public private(set) var schema: ConditionSchema
    private var missing: [String]

    /// The most names that are kept for the message about one that does not exist.
    private static let nameLimit = 1000

    /// Begins with what is declared.
    public init(for condition: Condition, declared: ConditionSchema = ConditionSchema()) {
        schema = declared
        missing = Array(Set(condition.names)).filter { declared[$0] == nil }
    }

    /// Whether the type of every name is known, so that nothing more needs to be looked at.
    public var isComplete: Bool { missing.isEmpty }

    /// Looks at a record.
    public mutating func observe(_ record: ConditionRecord) {
        missing.removeAll { name in
            guard let value = record.field(name) else { return false }
            let type = ConditionSchema.FieldType(value)
            schema[name] = type
            return type != .unknown
        }
        guard !missing.isEmpty, schema.count < Self.nameLimit else { return }
        for member in record.members(Self.nameLimit) {
            schema[member.key] = ConditionSchema.FieldType(member.value)
        }
    }
}
