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
