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
