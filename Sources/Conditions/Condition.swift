public import Objects

/// A condition on named values, as a person types it: `author = 'ada' and "recall@10" >= 0.8`.
///
/// A comparison is `NAME (= != < <= > >=) VALUE`, `NAME [not] in (VALUE, ...)` or `NAME is [not] null`. `not`, `and`,
/// `or` and parentheses combine comparisons; `not` binds tightest and `or` loosest. A value is text in single quotes (a
/// quote inside is doubled), a number, an ISO 8601 time (`2026-01-01`, `2026-01-01T09:30`), `true` or `false`. A name
/// needs double quotes if it is a keyword, has characters other than ASCII letters, digits, `_`, `-` and `.`, or begins
/// with anything but a letter or `_`.
public indirect enum Condition: Hashable, Sendable {
    /// Compares the value of a name with another value.
    case comparison(Name, Operator, Literal)
    /// Whether the value of a name is one of several values.
    case membership(Name, [Literal])
    /// Whether a name has no value.
    case absence(Name)
    /// The negation; unknown if the condition is unknown.
    case not(Condition)
    /// The conjunction of two or more conditions.
    case all([Condition])
    /// The disjunction of two or more conditions.
    case any([Condition])

    /// The comparison operators.
    public enum Operator: String, CaseIterable, Sendable {
        /// Equal.
        case equal = "="
        /// Different.
        case unequal = "!="
        /// Smaller or earlier.
        case less = "<"
        /// Smaller, earlier or equal.
        case lessOrEqual = "<="
        /// Larger or later.
        case greater = ">"
        /// Larger, later or equal.
        case greaterOrEqual = ">="
    }

    /// A name and its offset in the text of the condition; equality ignores the offset.
    public struct Name: Hashable, Sendable {
        /// The name without quotes.
        public let text: String
        /// The offset in bytes.
        let offset: Int

        /// Makes a name that stands in no text.
        public init(_ text: String) { self.init(text, at: 0) }

        init(_ text: String, at offset: Int) {
            self.text = text
            self.offset = offset
        }

        /// Compares the bytes of the texts.
        public static func == (left: Name, right: Name) -> Bool {
            left.text.utf8.elementsEqual(right.text.utf8)
        }

        /// Hashes the text.
        public func hash(into hasher: inout Hasher) { hasher.combine(text) }
    }

    /// A value and its offset in the text of the condition; equality ignores the offset.
    public struct Literal: Hashable, Sendable {
        /// The value.
        public let value: ConditionValue
        /// The offset in bytes.
        let offset: Int

        /// Makes a value that stands in no text.
        public init(_ value: ConditionValue) { self.init(value, at: 0) }

        init(_ value: ConditionValue, at offset: Int) {
            self.value = value
            self.offset = offset
        }

        /// Compares the values.
        public static func == (left: Literal, right: Literal) -> Bool { left.value == right.value }

        /// Hashes the value.
        public func hash(into hasher: inout Hasher) { hasher.combine(value) }
    }

    /// The maximum number of bytes in the text of a condition.
    public static let byteLimit = 8 << 10
    /// How deeply parentheses and `not` may be nested.
    public static let depthLimit = 64

    /// Parses a condition, whatever names it uses; ``ConditionSchema`` checks that they exist.
    ///
    /// - Throws: ``ConditionError`` with the offset of the mistake.
    public init(_ text: some StringProtocol) throws(ConditionError) {
        try self.init(utf8: Array(text.utf8))
    }

    /// Parses a condition from bytes; invalid UTF-8 is a mistake like any other.
    ///
    /// - Throws: ``ConditionError`` with the offset of the mistake.
    public init(utf8 bytes: [UInt8]) throws(ConditionError) {
        var parser = ConditionParser(bytes)
        self = try parser.condition()
    }

    /// The names in the condition, from left to right.
    public var names: [String] {
        switch self {
        case .comparison(let name, _, _), .membership(let name, _), .absence(let name): [name.text]
        case .not(let condition): condition.names
        case .all(let conditions), .any(let conditions): conditions.flatMap(\.names)
        }
    }
}

extension Condition {
    /// Whether the condition is true of a record.
    ///
    /// Uses three-valued logic, like SQL: if a name has no value, a comparison with it is unknown, and so is the
    /// negation. Therefore `not (x = 1)` is not true of records without `x`.
    ///
    /// - Parameter value: Returns the value of a name; nil if it has none.
    public func holds(_ value: (String) -> ConditionValue?) -> Bool { truth(value) ?? false }

    private func truth(_ value: (String) -> ConditionValue?) -> Bool? {
        switch self {
        case .comparison(let name, let comparison, let literal):
            return value(name.text).flatMap { comparison.holds($0, literal.value) }
        case .membership(let name, let literals):
            guard let found = value(name.text) else { return nil }
            let answers = literals.map { Operator.equal.holds(found, $0.value) }
            return answers.contains(true) ? true : answers.contains(nil) ? nil : false
        case .absence(let name): return value(name.text) == nil
        case .not(let condition): return condition.truth(value).map { !$0 }
        case .all(let conditions): return Self.truth(of: conditions, decidedBy: false, value)
        case .any(let conditions): return Self.truth(of: conditions, decidedBy: true, value)
        }
    }

    /// The conjunction of conditions, which `false` decides, or their disjunction, which `true` decides.
    private static func truth(
        of conditions: [Condition], decidedBy decisive: Bool, _ value: (String) -> ConditionValue?
    ) -> Bool? {
        var result: Bool? = !decisive
        for condition in conditions {
            let truth = condition.truth(value)
            if truth == decisive { return decisive }
            if truth == nil { result = nil }
        }
        return result
    }
}

extension Condition.Operator {
    /// The result of comparing two values; nil when they cannot be compared.
    func holds(_ left: ConditionValue, _ right: ConditionValue) -> Bool? {
        switch self {
        case .equal: left.equals(right)
        case .unequal: left.equals(right).map { !$0 }
        case .less: left.order(relativeTo: right).map { $0 < 0 }
        case .lessOrEqual: left.order(relativeTo: right).map { $0 <= 0 }
        case .greater: left.order(relativeTo: right).map { $0 > 0 }
        case .greaterOrEqual: left.order(relativeTo: right).map { $0 >= 0 }
        }
    }
}

extension Condition: CustomStringConvertible {
    /// A text that parses as this condition.
    public var description: String {
        switch self {
        case .comparison(let name, let comparison, let literal):
            "\(name.quoted) \(comparison.rawValue) \(literal.value)"
        case .membership(let name, let literals):
            "\(name.quoted) in (\(literals.map(\.value.description).joined(separator: ", ")))"
        case .absence(let name): "\(name.quoted) is null"
        case .not(.absence(let name)): "\(name.quoted) is not null"
        case .not(let condition): "not \(condition.operand)"
        case .all(let conditions): conditions.map(\.operand).joined(separator: " and ")
        case .any(let conditions): conditions.map(\.operand).joined(separator: " or ")
        }
    }

    /// The description, in parentheses if the condition needs them as an operand of `not`, `and` or `or`.
    private var operand: String {
        switch self {
        case .all, .any: "(\(description))"
        default: description
        }
    }
}

extension Condition.Name {
    /// The name as a person types it, in double quotes if it needs them.
    var quoted: String {
        ConditionParser.isPlainName(Array(text.utf8)) ? text : text.quoted(in: "\"")
    }
}

extension String {
    /// The text in quotes, with quotes inside doubled.
    func quoted(in quote: Unicode.Scalar) -> String {
        var result = String(quote)
        for scalar in unicodeScalars {
            if scalar == quote { result.unicodeScalars.append(quote) }
            result.unicodeScalars.append(scalar)
        }
        result.unicodeScalars.append(quote)
        return result
    }
}

/// A value of a record or in a condition.
public enum ConditionValue: Hashable, Sendable, CustomStringConvertible {
    /// Text, compared by its bytes.
    case text(String)
    /// A finite number.
    case number(Double)
    /// A point in time.
    case time(Timestamp)
    /// `true` or `false`, which have no order.
    case truth(Bool)
    /// A list of texts, which equals each text in it; cannot occur in a condition.
    case texts([String])
    /// Another list, or an object, which cannot be compared; cannot occur in a condition.
    case structure

    /// Converts a JSON value; nil for `null`.
    public init?(_ json: JSON) {
        if let text = json.string {
            self = .text(text)
        } else if let number = json.number {
            self = .number(number)
        } else if let truth = json.bool {
            self = .truth(truth)
        } else if case .null = json {
            return nil
        } else if let texts = json.array?.compactMap(\.string), texts.count == json.array?.count {
            self = .texts(texts)
        } else {
            self = .structure
        }
    }

    /// The value as a person types it in a condition.
    public var description: String {
        switch self {
        case .text(let text): text.quoted(in: "'")
        case .number(let number): JSON.number(number).canonicalText
        case .time(let time): time.description
        case .truth(let truth): truth ? "true" : "false"
        case .texts: "(a list of texts)"
        case .structure: "(a list or an object)"
        }
    }

    /// Compares text by its bytes.
    public static func == (left: ConditionValue, right: ConditionValue) -> Bool {
        switch (left, right) {
        case (.text(let a), .text(let b)): a.utf8.elementsEqual(b.utf8)
        case (.number(let a), .number(let b)): a == b
        case (.time(let a), .time(let b)): a == b
        case (.truth(let a), .truth(let b)): a == b
        case (.texts(let a), .texts(let b)):
            a.elementsEqual(b) { $0.utf8.elementsEqual($1.utf8) }
        case (.structure, .structure): true
        default: false
        }
    }

    /// Whether this value equals another, or is a list of texts that contains it; nil if the two cannot be compared.
    func equals(_ other: ConditionValue) -> Bool? {
        guard case .texts(let texts) = self else {
            return order(relativeTo: other).map { $0 == 0 }
        }
        guard case .text(let text) = other else { return nil }
        return texts.contains { $0.utf8.elementsEqual(text.utf8) }
    }

    /// Negative if this value comes before another, 0 if they are equal, positive otherwise; nil if the values cannot
    /// be compared. Text is compared with a time if it parses as one.
    func order(relativeTo other: ConditionValue) -> Int? {
        func order<Value: Comparable>(_ left: Value, _ right: Value) -> Int {
            left < right ? -1 : left == right ? 0 : 1
        }
        switch (self, other) {
        case (.text(let a), .text(let b)):
            if a.utf8.elementsEqual(b.utf8) { return 0 }
            return a.utf8.lexicographicallyPrecedes(b.utf8) ? -1 : 1
        case (.number(let a), .number(let b)): return order(a, b)
        case (.time(let a), .time(let b)): return order(a, b)
        case (.text(let a), .time(let b)): return Timestamp(reading: a).map { order($0, b) }
        case (.truth(let a), .truth(let b)): return order(a ? 1 : 0, b ? 1 : 0)
        default: return nil
        }
    }
}
