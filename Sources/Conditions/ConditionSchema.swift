public import Objects

/// The names that a condition may use, with the types of their values.
public struct ConditionSchema: Sendable {
    /// The type of the values of a name.
    public enum FieldType: Hashable, Sendable {
        /// Text.
        case text
        /// Text that parses as a time; it can be compared with text and with times.
        case timeText
        /// A number.
        case number
        /// A point in time.
        case time
        /// `true` or `false`.
        case truth
        /// A list of texts, which equals each text in it and has no order.
        case texts
        /// Another list, or an object, which cannot be compared.
        case structure
        /// Unknown, because no record has a value.
        case unknown
    }

    private var types: [String: FieldType]

    /// Declares names with their types.
    public init(_ types: [String: FieldType] = [:]) { self.types = types }

    /// The declared names, in order.
    public var names: [String] { types.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) } }

    /// The number of names.
    public var count: Int { types.count }

    /// The type of a name; nil if the name is not declared. Setting a type that is known already has no effect.
    public subscript(name: String) -> FieldType? {
        get { types[name] }
        set {
            guard let newValue, (types[name] ?? .unknown) == .unknown else { return }
            types[name] = newValue
        }
    }

    /// Checks that each name in a condition is declared and each value has the right type.
    ///
    /// - Returns: The condition, with text that is compared with times converted to times.
    /// - Throws: `undeclared`, `mismatch` and `unordered`, with the column in the condition.
    public func checked(_ condition: Condition) throws(ConditionError) -> Condition {
        switch condition {
        case .comparison(let name, let comparison, let literal):
            let type = try type(of: name)
            let value = try check(literal, against: type, of: name)
            if type == .truth || type == .texts, comparison != .equal, comparison != .unequal {
                throw .unordered(name.text, type, column: name.offset + 1)
            }
            return .comparison(name, comparison, value)
        case .membership(let name, let literals):
            let type = try type(of: name)
            let values = try literals.map { (literal) throws(ConditionError) in
                try check(literal, against: type, of: name)
            }
            return .membership(name, values)
        case .absence(let name):
            _ = try type(of: name)
            return condition
        case .not(let inner): return .not(try checked(inner))
        case .all(let inner): return .all(try inner.map(checked))
        case .any(let inner): return .any(try inner.map(checked))
        }
    }

    private func type(of name: Condition.Name) throws(ConditionError) -> FieldType {
        guard let type = types[name.text] else {
            throw .undeclared(name.text, column: name.offset + 1, names: names)
        }
        return type
    }

    private func check(
        _ literal: Condition.Literal, against type: FieldType, of name: Condition.Name
    ) throws(ConditionError) -> Condition.Literal {
        switch (type, literal.value) {
        case (.unknown, _), (.text, .text), (.number, .number), (.time, .time), (.truth, .truth),
            (.timeText, .text), (.timeText, .time), (.texts, .text):
            return literal
        case (.time, .text(let text)):
            guard let time = Timestamp(reading: text) else { fallthrough }
            return Condition.Literal(.time(time), at: literal.offset)
        default:
            throw .mismatch(name.text, type, literal.value, column: literal.offset + 1)
        }
    }
}

extension ConditionSchema.FieldType {
    /// The type of a value in a condition.
    init(_ value: ConditionValue) {
        self =
            switch value {
            case .text: .text
            case .number: .number
            case .time: .time
            case .truth: .truth
            case .texts: .texts
            case .structure: .structure
            }
    }

    /// The type that an observed JSON value shows; `unknown` for `null` and an empty list.
    public init(_ json: JSON) {
        switch ConditionValue(json) {
        case .text(let text)?: self = Timestamp(reading: text) == nil ? .text : .timeText
        // An empty list does not show the type of its elements.
        case .texts(let texts)? where texts.isEmpty: self = .unknown
        case let value?: self = Self(value)
        case nil: self = .unknown
        }
    }

    /// The type as a noun phrase.
    var noun: String {
        switch self {
        case .text: "text"
        case .timeText: "text or a time"
        case .number: "a number"
        case .time: "a time"
        case .truth: "true or false"
        case .texts: "a list of texts"
        case .structure: "a list or an object"
        case .unknown: "without a value"
        }
    }

    /// An example of a value in a condition; nil for types that cannot be compared.
    var example: String? {
        switch self {
        case .text, .texts: "'text'"
        case .timeText, .time: "2026-01-31"
        case .number: "0.5"
        case .truth: "true"
        case .structure, .unknown: nil
        }
    }
}

/// The type of an attribute that a features configuration declares.
public enum AttributeType: String, Hashable, Sendable, CaseIterable {
    /// Text.
    case string
    /// An integer.
    case integer
    /// A number.
    case number
    /// `true` or `false`.
    case boolean
    /// A day, or a point in time in UTC: text such as `2026-01-31` or `2026-01-31T10:00:00Z`.
    ///
    /// The order of the bytes of such texts is the order in time; a day compares as its beginning.
    case date
    /// A list of texts.
    case strings

    /// The type of its values in a condition.
    public var fieldType: ConditionSchema.FieldType {
        switch self {
        case .string: .text
        case .integer, .number: .number
        case .boolean: .truth
        case .date: .time
        case .strings: .texts
        }
    }
}

/// The declared attributes of the rows of a table; stored in the params of a snapshot.
public struct AttributeSchema: Hashable, Sendable {
    /// The types, by the names of the attributes.
    public var types: [String: AttributeType]

    /// The param of a snapshot that holds its schema.
    public static let param = "attributes"

    /// Makes a schema from types by attribute name.
    public init(_ types: [String: AttributeType] = [:]) { self.types = types }

    /// Reads the schema from the params of a snapshot; ignores members that do not declare a known type.
    public init(params: JSONObject) {
        types = [:]
        for member in params[Self.param]?.object ?? JSONObject() {
            types[member.key] = member.value.string.flatMap { AttributeType(rawValue: $0) }
        }
    }

    /// The schema as stored in the params of a snapshot.
    public var json: JSON {
        .object(JSONObject(types.map { ($0.key, .string($0.value.rawValue)) }))
    }

    /// The names and types of the attributes for conditions.
    public var conditionSchema: ConditionSchema { ConditionSchema(types.mapValues(\.fieldType)) }
}

/// The named values on which a condition is evaluated; a value may be an object with further names.
public struct ConditionRecord: Sendable {
    private let parts: [JSONObject]

    /// Makes a record that searches several objects for a name, in order.
    public init(_ parts: JSONObject...) { self.parts = parts }

    /// Makes a record from a row of a table: its attributes, and then `key`.
    public init(key: String, attributes: JSONObject) {
        var name = JSONObject()
        name["key"] = .string(key)
        self.init(attributes, name)
    }

    /// The value of a name; nil when there is none. `metrics.recall` names the member with exactly this name or, when
    /// there is none, the member `recall` of the object `metrics`.
    public func field(_ name: String) -> JSON? {
        for part in parts {
            if let value = part.field(name) { return value }
        }
        return nil
    }

    /// The first members, at most `limit`.
    func members(_ limit: Int) -> [JSONObject.Member] {
        Array(parts.lazy.flatMap(\.members).prefix(limit))
    }
}

extension Condition {
    /// Whether the condition is true of a record; see ``holds(_:)``.
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

/// Learns from records which names in a condition exist, and their types.
///
/// For records without a declared schema, such as the rows of a table. The first value of a name decides its type;
/// a comparison with a value of another type is unknown.
public struct ObservedSchema: Sendable {
    /// The names declared or observed so far.
    public private(set) var schema: ConditionSchema
    private var missing: [String]

    /// The maximum number of names to keep for the message about an unknown name.
    private static let nameLimit = 1000

    /// Begins with the declared names.
    public init(for condition: Condition, declared: ConditionSchema = ConditionSchema()) {
        schema = declared
        missing = Array(Set(condition.names)).filter { declared[$0] == nil }
    }

    /// Whether the type of every name is known, so that no more records are needed.
    public var isComplete: Bool { missing.isEmpty }

    /// Learns from a record.
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
