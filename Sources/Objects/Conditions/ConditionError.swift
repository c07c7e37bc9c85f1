public import Storage

/// Why a condition cannot be asked.
public enum ConditionError: Diagnosable, Hashable {
    /// The text is not a condition; `column` counts bytes from 1.
    case syntax(column: Int, reason: String)
    /// There is no such name; the names that there are, in order.
    case undeclared(String, column: Int, names: [String])
    /// A value is not of the type that the name's values have.
    case mismatch(String, ConditionSchema.FieldType, ConditionValue, column: Int)
    /// The values of a name cannot be ordered.
    case unordered(String, ConditionSchema.FieldType, column: Int)

    /// How many names a message lists.
    private static let listLimit = 24
    /// The most bytes of foreign text that a message repeats.
    private static let quoteLimit = 80

    /// See ``Diagnosable``.
    public var fault: Fault { .usage }

    /// See ``Diagnosable``.
    public var message: String {
        switch self {
        case .syntax(let column, let reason):
            return "the condition cannot be read: \(reason) (at byte \(column))"
        case .undeclared(let name, let column, let names):
            let listed = Self.nearest(name, names).map(Self.quoted)
            let rest = names.count - listed.count
            return "there is no \(Self.quoted(name)) to ask for (at byte \(column)); "
                + (listed.isEmpty
                    ? "there are no names"
                    : "there is " + listed.joined(separator: ", ")
                        + (rest > 0 ? " and \(rest) more" : ""))
        case .mismatch(let name, let type, let value, let column):
            return "\(Self.quoted(name)) is \(type.noun), and \(Self.cut(value.description)) is "
                + "\(ConditionSchema.FieldType(value).noun) (at byte \(column))"
        case .unordered(let name, let type, let column):
            return "\(Self.quoted(name)) is \(type.noun), which has no order (at byte \(column))"
        }
    }

    /// See ``Diagnosable``.
    public var remedy: String? {
        switch self {
        case .syntax: "conditions look like author = 'ada' and \"recall@10\" >= 0.8"
        case .undeclared:
            "a name with other characters than letters stands in double quotes, text in single ones"
        case .mismatch(let name, let type, _, _):
            type.example.map { "\(Self.quoted(name)) = \($0)" }
                ?? "\(Self.quoted(name)) is not null"
        case .unordered: "compare it with = or !="
        }
    }

    /// The names that a message lists: of many, those that begin most like a mistyped one.
    private static func nearest(_ name: String, _ names: [String]) -> [String] {
        guard names.count > listLimit else { return names }
        func likeness(_ other: String) -> Int {
            zip(name.utf8, other.utf8).prefix { $0 == $1 }.count
        }
        let ranked = names.enumerated().sorted {
            (-likeness($0.element), $0.offset) < (-likeness($1.element), $1.offset)
        }
        return ranked.prefix(listLimit).map(\.element)
    }

    private static func quoted(_ name: String) -> String { cut(Condition.Name(name).quoted) }

    private static func cut(_ text: String) -> String {
        let isLong = text.utf8.count > quoteLimit
        // A message is one line.
        let bytes = text.utf8.prefix(quoteLimit).map {
            $0 < 0x20 || $0 == 0x7F ? UInt8(ascii: "?") : $0
        }
        return String(decoding: bytes, as: UTF8.self) + (isLong ? "..." : "")
    }
}
