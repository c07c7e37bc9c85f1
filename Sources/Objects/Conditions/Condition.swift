/// A condition on named values, as a person types it: `author = 'ada' and "recall@10" >= 0.8`.
///
/// A comparison is `NAME (= != < <= > >=) VALUE`, `NAME in (VALUE, ...)` or `NAME is null`; `not`, `and`, `or` and
/// parentheses combine comparisons, in this order of binding. A value is text in single quotes (a quote inside is
/// doubled), a number, a moment of ISO 8601 (`2026-01-01`, `2026-01-01T09:30`), `true` or `false`. A name that is a
/// word of the language, or has other characters than letters, digits, `_`, `-` and `.`, stands in double quotes.
public indirect enum Condition: Hashable, Sendable {
    /// A name compared with a value.
    case comparison(Name, Operator, Literal)
    /// A name that has one of several values.
    case membership(Name, [Literal])
    /// A name without a value.
    case absence(Name)
    /// The opposite; of what is unknown that is unknown too.
    case not(Condition)
    /// All of two or more.
    case all([Condition])
    /// At least one of two or more.
    case any([Condition])

    /// How two values are compared.
    public enum Operator: String, CaseIterable, Sendable {
        /// The same value.
        case equal = "="
        /// Another value.
        case unequal = "!="
        /// A smaller or earlier value.
        case less = "<"
        /// The same or a smaller value.
        case lessOrEqual = "<="
        /// A larger or later value.
        case greater = ">"
        /// The same or a larger value.
        case greaterOrEqual = ">="
    }

    /// A name, and where it stands; two names are equal when their texts are, wherever they stand.
    public struct Name: Hashable, Sendable {
        /// The name without quotes.
        public let text: String
        /// The offset in bytes.
        let offset: Int

        init(_ text: String, at offset: Int = 0) {
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

    /// A value in a condition, and where it stands; the place makes no difference.
    public struct Literal: Hashable, Sendable {
        /// The value.
        public let value: ConditionValue
        /// The offset in bytes.
        let offset: Int

        init(_ value: ConditionValue, at offset: Int = 0) {
            self.value = value
            self.offset = offset
        }

        /// Compares the values.
        public static func == (left: Literal, right: Literal) -> Bool { left.value == right.value }

        /// Hashes the value.
        public func hash(into hasher: inout Hasher) { hasher.combine(value) }
    }

    /// The most bytes that a condition may have: more than anybody types.
    public static let byteLimit = 8 << 10
    /// How deep parentheses and `not` may be nested.
    public static let depthLimit = 64

    /// Reads a condition; total over all texts. Whether its names exist is for ``ConditionSchema`` to say.
    ///
    /// - Throws: ``ConditionError`` with the place of the mistake.
    public init(_ text: some StringProtocol) throws(ConditionError) {
        try self.init(utf8: Array(text.utf8))
    }

    /// Reads a condition from bytes, which may be anything.
    public init(utf8 bytes: [UInt8]) throws(ConditionError) {
        var parser = ConditionParser(bytes)
        self = try parser.condition()
    }

    /// The names that it asks for, in the order in which they stand.
    public var names: [String] {
        switch self {
        case .comparison(let name, _, _), .membership(let name, _), .absence(let name): [name.text]
        case .not(let condition): condition.names
        case .all(let conditions), .any(let conditions): conditions.flatMap(\.names)
        }
    }
}

extension Condition {
    /// Whether it holds of a record.
    ///
    /// As in SQL there are three truths: a comparison with what has no value is unknown, and so is its opposite; a
    /// condition holds only when it is true. `not (x = 1)` therefore passes over records without `x`.
    ///
    /// - Parameter value: The value of a name; nil where there is none.
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
        case .all(let conditions):
            var result: Bool? = true
            for condition in conditions {
                switch condition.truth(value) {
                case false?: return false
                case nil: result = nil
                case true?: break
                }
            }
            return result
        case .any(let conditions):
            var result: Bool? = false
            for condition in conditions {
                switch condition.truth(value) {
                case true?: return true
                case nil: result = nil
                case false?: break
                }
            }
            return result
        }
    }
}

extension Condition.Operator {
    /// Whether two values compare so; nil when they cannot be compared.
    func holds(_ left: ConditionValue, _ right: ConditionValue) -> Bool? {
        if self == .equal { return left.equals(right) }
        if self == .unequal { return left.equals(right).map { !$0 } }
        guard let order = left.order(relativeTo: right) else { return nil }
        return switch self {
        case .equal: order == 0
        case .unequal: order != 0
        case .less: order < 0
        case .lessOrEqual: order <= 0
        case .greater: order > 0
        case .greaterOrEqual: order >= 0
        }
    }
}

extension Condition: CustomStringConvertible {
    /// The text that reads as this condition.
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

    /// The same in parentheses where it would be read otherwise beside `not`, `and` and `or`.
    private var operand: String {
        switch self {
        case .all, .any: "(\(description))"
        default: description
        }
    }
}

extension Condition.Name {
    /// The name as it is typed.
    var quoted: String {
        ConditionParser.isPlainName(Array(text.utf8)) ? text : text.quoted(in: "\"")
    }
}

extension String {
    /// The text between quotes, with those inside doubled.
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

/// A value that a condition can compare.
public enum ConditionValue: Hashable, Sendable, CustomStringConvertible {
    /// Text, compared by its bytes.
    case text(String)
    /// A finite number.
    case number(Double)
    /// A moment.
    case time(Timestamp)
    /// `true` or `false`, which have no order.
    case truth(Bool)
    /// A list of texts, which equals each of them; no condition can name one.
    case texts([String])
    /// Another list, or an object, which is there and cannot be compared; no condition can name one.
    case structure

    /// A JSON value; nil for `null`, which is none.
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

    /// The value as a condition has it.
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

    /// Whether this value is another, or has it among its texts; nil when they are of different types.
    func equals(_ other: ConditionValue) -> Bool? {
        guard case .texts(let texts) = self else {
            return order(relativeTo: other).map { $0 == 0 }
        }
        guard case .text(let text) = other else { return nil }
        return texts.contains { $0.utf8.elementsEqual(text.utf8) }
    }

    /// Negative when this value comes first, 0 when both are the same, positive otherwise; nil when they are of
    /// different types. Text is compared with a moment when it reads as one.
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
