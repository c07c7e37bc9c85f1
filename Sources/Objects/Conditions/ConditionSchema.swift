/// The names that a condition may ask for, with the types of their values.
public struct ConditionSchema: Sendable {
    /// What the values of a name are.
    public enum FieldType: Hashable, Sendable {
        /// Text.
        case text
        /// Text that was seen to read as a moment: it is compared with text and with moments.
        case momentText
        /// A number.
        case number
        /// A moment.
        case time
        /// `true` or `false`.
        case truth
        /// A list of texts: it equals a text that it holds, and has no order.
        case texts
        /// Another list, or an object, which is there or not and cannot be compared.
        case structure
        /// Not known: no record has a value.
        case unknown
    }

    private var types: [String: FieldType]

    /// Declares names.
    public init(_ types: [String: FieldType] = [:]) { self.types = types }

    /// The names that are declared, in order.
    public var names: [String] { types.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) } }

    /// The number of names.
    public var count: Int { types.count }

    /// The type of a name; declaring one that is not ``FieldType/unknown`` a second time changes nothing.
    public subscript(name: String) -> FieldType? {
        get { types[name] }
        set {
            guard let newValue, (types[name] ?? .unknown) == .unknown else { return }
            types[name] = newValue
        }
    }

    /// Checks that each name of a condition is declared and each value of its type.
    ///
    /// - Returns: The condition, with text in the place of moments turned into moments.
    /// - Throws: `undeclared`, `mismatch` and `unordered`, with the place in the condition.
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
            var values: [Condition.Literal] = []
            for literal in literals { values.append(try check(literal, against: type, of: name)) }
            return .membership(name, values)
        case .absence(let name):
            _ = try type(of: name)
            return condition
        case .not(let inner): return .not(try checked(inner))
        case .all(let inner): return .all(try checked(inner))
        case .any(let inner): return .any(try checked(inner))
        }
    }

    private func checked(_ conditions: [Condition]) throws(ConditionError) -> [Condition] {
        var result: [Condition] = []
        for condition in conditions { result.append(try checked(condition)) }
        return result
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
            (.momentText, .text), (.momentText, .time), (.texts, .text):
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

    /// The type of a JSON value that was seen.
    public init(_ json: JSON) {
        switch ConditionValue(json) {
        case .text(let text)?: self = Timestamp(reading: text) == nil ? .text : .momentText
        // What an empty list would hold is not known.
        case .texts(let texts)? where texts.isEmpty: self = .unknown
        case let value?: self = Self(value)
        case nil: self = .unknown
        }
    }

    /// With its article.
    var noun: String {
        switch self {
        case .text: "text"
        case .momentText: "text or a time"
        case .number: "a number"
        case .time: "a time"
        case .truth: "true or false"
        case .texts: "a list of texts"
        case .structure: "a list or an object"
        case .unknown: "without a value"
        }
    }

    /// A value as it is typed; nil where nothing can be compared.
    var example: String? {
        switch self {
        case .text, .texts: "'text'"
        case .momentText, .time: "2026-01-31"
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
    /// A whole number.
    case integer
    /// A number.
    case number
    /// `true` or `false`.
    case boolean
    /// A day, or a moment of Universal Time: text such as `2026-01-31` or `2026-01-31T10:00:00Z`.
    ///
    /// Texts of this form are in the order of their bytes; a day is compared as its first moment.
    case date
    /// A list of texts.
    case strings

    /// What a condition can compare it with.
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

/// The attributes that the rows of a table are declared to have; a snapshot says so in its params.
public struct AttributeSchema: Hashable, Sendable {
    /// The types by the names of the attributes.
    public var types: [String: AttributeType]

    /// The param of a snapshot that holds its schema.
    public static let param = "attributes"

    /// Makes a schema.
    public init(_ types: [String: AttributeType] = [:]) { self.types = types }

    /// Reads the schema in the params of a snapshot, which may be anything: what declares no type is passed over.
    public init(params: JSONObject) {
        types = [:]
        for member in params[Self.param]?.object ?? JSONObject() {
            types[member.key] = member.value.string.flatMap { AttributeType(rawValue: $0) }
        }
    }

    /// The schema as the params of a snapshot hold it.
    public var json: JSON {
        .object(JSONObject(types.map { ($0.key, .string($0.value.rawValue)) }))
    }

    /// What conditions can ask of the attributes.
    public var conditionSchema: ConditionSchema { ConditionSchema(types.mapValues(\.fieldType)) }
}

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
