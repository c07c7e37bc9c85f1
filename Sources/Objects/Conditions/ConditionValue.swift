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
