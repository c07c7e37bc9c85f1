internal import Objects
public import Storage

/// Parses a condition by recursive descent of bounded depth.
struct ConditionParser {
    private let bytes: [UInt8]
    private var offset = 0
    private var depth = 0

    private static let keywords = ["and", "or", "not", "in", "is", "null", "true", "false"]

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// Whether a name needs no quotes.
    static func isPlainName(_ bytes: [UInt8]) -> Bool {
        guard let first = bytes.first, isNameStart(first) else { return false }
        return bytes.allSatisfy(isNameByte) && !isKeyword(bytes)
    }

    private static func isKeyword(_ word: [UInt8]) -> Bool {
        let word = word.map(lowered)
        return keywords.contains { $0.utf8.elementsEqual(word) }
    }

    private static func isNameStart(_ byte: UInt8) -> Bool {
        (0x61...0x7A).contains(byte | 0x20) || byte == UInt8(ascii: "_")
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        isNameStart(byte) || isDigit(byte) || byte == UInt8(ascii: "-")
            || byte == UInt8(ascii: ".")
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

    private static func lowered(_ byte: UInt8) -> UInt8 {
        (0x41...0x5A).contains(byte) ? byte | 0x20 : byte
    }

    private var current: UInt8? { offset < bytes.count ? bytes[offset] : nil }

    private func error(_ reason: String, at offset: Int? = nil) -> ConditionError {
        .syntax(column: (offset ?? self.offset) + 1, reason: reason)
    }

    mutating func condition() throws(ConditionError) -> Condition {
        guard bytes.count <= Condition.byteLimit else {
            throw error("it has more than \(Condition.byteLimit) bytes", at: Condition.byteLimit)
        }
        let condition = try alternatives()
        skipSpace()
        guard offset == bytes.count else { throw error("expected 'and' or 'or'") }
        return condition
    }

    // MARK: Combinations

    private mutating func alternatives() throws(ConditionError) -> Condition {
        var conditions = [try conjunction()]
        while take(word: "or") { conditions.append(try conjunction()) }
        return conditions.count == 1 ? conditions[0] : .any(conditions)
    }

    private mutating func conjunction() throws(ConditionError) -> Condition {
        var conditions = [try factor()]
        while take(word: "and") { conditions.append(try factor()) }
        return conditions.count == 1 ? conditions[0] : .all(conditions)
    }

    private mutating func factor() throws(ConditionError) -> Condition {
        skipSpace()
        let start = offset
        let isNegation = take(word: "not")
        guard isNegation || take("(") else { return try comparison() }
        depth += 1
        defer { depth -= 1 }
        guard depth <= Condition.depthLimit else {
            throw error("it is nested more than \(Condition.depthLimit) deep", at: start)
        }
        if isNegation { return .not(try factor()) }
        let condition = try alternatives()
        guard take(")") else { throw error("expected ')'") }
        return condition
    }

    // MARK: Comparisons

    private mutating func comparison() throws(ConditionError) -> Condition {
        let name = try name()
        if take(word: "is") {
            let isNegation = take(word: "not")
            guard take(word: "null") else { throw error("expected 'null'") }
            return isNegation ? .not(.absence(name)) : .absence(name)
        }
        let isNegation = take(word: "not")
        if take(word: "in") {
            let condition = Condition.membership(name, try list())
            return isNegation ? .not(condition) : condition
        }
        guard !isNegation else { throw error("expected 'in'") }
        let comparison = try comparisonOperator()
        return .comparison(name, comparison, try literal())
    }

    private mutating func comparisonOperator() throws(ConditionError) -> Condition.Operator {
        skipSpace()
        let start = offset
        while let byte = current, "=!<>~".utf8.contains(byte) { offset += 1 }
        let text = String(decoding: bytes[start..<offset], as: UTF8.self)
        if let comparison = Condition.Operator(rawValue: text) { return comparison }
        throw error(
            "expected a comparison: =, !=, <, <=, >, >=, in, is null or is not null", at: start)
    }

    private mutating func list() throws(ConditionError) -> [Condition.Literal] {
        guard take("(") else { throw error("expected '(' after 'in'") }
        var literals = [try literal()]
        while take(",") { literals.append(try literal()) }
        guard take(")") else { throw error("expected ',' or ')'") }
        return literals
    }

    /// Parses a name; each part between dots may be quoted: `metrics."recall@10"`.
    private mutating func name() throws(ConditionError) -> Condition.Name {
        skipSpace()
        let start = offset
        var text: [UInt8] = []
        var isQuoted = false
        if current != UInt8(ascii: "\"") {
            guard let byte = current, Self.isNameStart(byte) else {
                throw error(nameReason, at: start)
            }
            text = takeNameBytes()
            guard !Self.isKeyword(text) else {
                throw error(
                    "expected a name; a name that is a keyword needs double quotes", at: start)
            }
        }
        // Quoted and plain parts alternate, separated by dots.
        while let byte = current {
            if byte == UInt8(ascii: "\""), text.isEmpty || text.last == UInt8(ascii: "."), !isQuoted
            {
                text += try quoted("\"")
                isQuoted = true
            } else if byte == UInt8(ascii: "."), isQuoted {
                text += takeNameBytes()
                isQuoted = false
            } else {
                break
            }
        }
        guard let name = String(validating: text, as: UTF8.self), !name.isEmpty else {
            throw error("a name must be UTF-8 and not empty", at: start)
        }
        return Condition.Name(name, at: start)
    }

    private mutating func takeNameBytes() -> [UInt8] {
        let start = offset
        while let byte = current, Self.isNameByte(byte) { offset += 1 }
        return Array(bytes[start..<offset])
    }

    private var nameReason: String {
        switch current {
        case nil: "expected a name, but the condition ends"
        case UInt8(ascii: "'")?: "expected a name; 'text' in single quotes is a value"
        default: "expected a name"
        }
    }

    // MARK: Values

    private mutating func literal() throws(ConditionError) -> Condition.Literal {
        skipSpace()
        let start = offset
        if current == UInt8(ascii: "'") {
            guard let text = String(validating: try quoted("'"), as: UTF8.self) else {
                throw error("text must be UTF-8", at: start)
            }
            return Condition.Literal(.text(text), at: start)
        }
        while let byte = current,
            Self.isNameByte(byte) || byte == UInt8(ascii: ":")
                || byte == UInt8(ascii: "+")
        { offset += 1 }
        let word = Array(bytes[start..<offset])
        if let value = Self.value(of: word) { return Condition.Literal(value, at: start) }
        let isNull = word.map(Self.lowered).elementsEqual("null".utf8)
        throw error(
            isNull
                ? "nothing equals null: write 'is null' or 'is not null'"
                : "expected a value: 'text', a number, a date such as 2026-01-31, true or false",
            at: start)
    }

    private static func value(of word: [UInt8]) -> ConditionValue? {
        switch String(decoding: word.map(lowered), as: UTF8.self) {
        case "true": return .truth(true)
        case "false": return .truth(false)
        default: break
        }
        if let time = Timestamp(reading: word) { return .time(time) }
        return (try? JSON(parsing: word.span))?.number.map { .number($0) }
    }

    /// Parses the bytes between two quotes; a doubled quote inside stands for one.
    private mutating func quoted(_ quote: Unicode.Scalar) throws(ConditionError) -> [UInt8] {
        let mark = UInt8(ascii: quote)
        let start = offset
        var text: [UInt8] = []
        offset += 1
        while let byte = current {
            offset += 1
            guard byte == mark else {
                text.append(byte)
                continue
            }
            guard current == mark else { return text }
            text.append(mark)
            offset += 1
        }
        throw error("this quote is not closed", at: start)
    }

    // MARK: Keywords and marks

    private mutating func skipSpace() {
        while let byte = current, byte == 0x20 || (0x09...0x0D).contains(byte) { offset += 1 }
    }

    private mutating func take(_ mark: Unicode.Scalar) -> Bool {
        skipSpace()
        guard current == UInt8(ascii: mark) else { return false }
        offset += 1
        return true
    }

    /// Takes a keyword in upper or lower case, unless it is only the beginning of a longer word.
    private mutating func take(word: String) -> Bool {
        skipSpace()
        var end = offset
        while end < bytes.count, Self.isNameByte(bytes[end]) { end += 1 }
        guard word.utf8.elementsEqual(bytes[offset..<end].map(Self.lowered)) else { return false }
        offset = end
        return true
    }
}

/// Why a condition cannot be evaluated.
public enum ConditionError: Diagnosable, Hashable {
    /// The text is not a condition; `column` counts bytes from 1.
    case syntax(column: Int, reason: String)
    /// The name is not declared; `names` are the declared names, in order.
    case undeclared(String, column: Int, names: [String])
    /// A value is of another type than the values of the name.
    case mismatch(String, ConditionSchema.FieldType, ConditionValue, column: Int)
    /// The values of a name cannot be ordered.
    case unordered(String, ConditionSchema.FieldType, column: Int)

    /// The maximum number of names in a message.
    private static let listLimit = 24
    /// The maximum number of bytes of foreign text in a message.
    private static let quoteLimit = 80

    /// See ``Diagnosable``.
    public var fault: Fault { .usage }

    /// See ``Diagnosable``.
    public var message: String {
        switch self {
        case .syntax(let column, let reason):
            return "invalid condition: \(reason) (at byte \(column))"
        case .undeclared(let name, let column, let names):
            let listed = Self.nearest(name, names).map(Self.quoted)
            let rest = names.count - listed.count
            return "unknown name \(Self.quoted(name)) (at byte \(column)); "
                + (listed.isEmpty
                    ? "there are no names"
                    : "known names: " + listed.joined(separator: ", ")
                        + (rest > 0 ? " and \(rest) more" : ""))
        case .mismatch(let name, let type, let value, let column):
            return "\(Self.quoted(name)) is \(type.noun), but \(Self.cut(value.description)) is "
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
            "put a name with special characters in double quotes, and text in single quotes"
        case .mismatch(let name, let type, _, _):
            type.example.map { "\(Self.quoted(name)) = \($0)" }
                ?? "\(Self.quoted(name)) is not null"
        case .unordered: "compare it with = or !="
        }
    }

    /// The names that a message lists; if there are many, those that share the longest prefix with a mistyped one.
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
        // A message must stay on one line.
        let bytes = text.utf8.prefix(quoteLimit).map {
            $0 < 0x20 || $0 == 0x7F ? UInt8(ascii: "?") : $0
        }
        return String(decoding: bytes, as: UTF8.self) + (isLong ? "..." : "")
    }
}
