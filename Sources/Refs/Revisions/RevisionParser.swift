internal import Objects

/// Reads a revision from left to right.
struct RevisionParser {
    private let bytes: [UInt8]
    private var offset = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    private var text: String { String(decoding: bytes, as: UTF8.self) }

    private func error(_ reason: String, at offset: Int? = nil) -> RefError {
        .revision(.syntax(text: text, column: (offset ?? self.offset) + 1, reason: reason))
    }

    private var current: UInt8? { offset < bytes.count ? bytes[offset] : nil }

    /// Takes bytes up to the first one that `isEnd`.
    private mutating func take(until isEnd: (UInt8) -> Bool) -> ArraySlice<UInt8> {
        let start = offset
        while offset < bytes.count, !isEnd(bytes[offset]) { offset += 1 }
        return bytes[start..<offset]
    }

    private static func isOperator(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "~") || byte == UInt8(ascii: "^") || byte == UInt8(ascii: "@")
            || byte == UInt8(ascii: ":")
    }

    mutating func revision() throws(RefError) -> Revision {
        guard bytes.count <= Revision.byteLimit else {
            throw error("it has more than \(Revision.byteLimit) bytes", at: Revision.byteLimit)
        }
        let base = try base()
        var selector: Revision.Selector?
        var steps: [Revision.Step] = []
        var path: String?
        while let byte = current {
            let start = offset
            offset += 1
            switch byte {
            case UInt8(ascii: "@"):
                guard case .ref = base, selector == nil, steps.isEmpty else {
                    throw error("@{...} directly follows the name of a ref", at: start)
                }
                selector = try self.selector()
            case UInt8(ascii: "~"): steps.append(.ancestor(try generation()))
            case UInt8(ascii: "^"): steps.append(.input(try role()))
            case UInt8(ascii: ":"): path = try self.path()
            default: throw error("'~', '^' or ':' is expected", at: start)
            }
        }
        return Revision(base: base, selector: selector, steps: steps, path: path)
    }

    private mutating func base() throws(RefError) -> Revision.Base {
        let word = take(until: Self.isOperator)
        guard !word.isEmpty else { throw error("a ref or an id is expected") }
        if word.contains(0x2F) { return .ref(try RefName(utf8: Array(word))) }
        guard word.allSatisfy({ Hexadecimal.value(of: $0) != nil }) else {
            if word.elementsEqual("sha256".utf8), current == UInt8(ascii: ":") {
                throw error("an id is written without sha256:", at: 0)
            }
            // Upper case is not folded: one id has one spelling.
            if word.allSatisfy({ Hexadecimal.value(of: $0 | 0x20) != nil }) {
                throw error("an id is written in lower case", at: 0)
            }
            throw .revision(
                .unknown(text: String(decoding: word, as: UTF8.self), suggestions: []))
        }
        guard let prefix = ObjectIDPrefix(hex: String(decoding: word, as: UTF8.self)) else {
            throw error(
                word.count < ObjectIDPrefix.minimumDigits
                    ? "\(word.count) digits are too short for an id: "
                        + "\(ObjectIDPrefix.minimumDigits) are needed"
                    : "an id has 64 digits, and this has \(word.count)", at: 0)
        }
        return .object(prefix)
    }

    /// A number as it is written for people: digits without a sign and without leading zeros.
    private static func number(_ digits: ArraySlice<UInt8>) -> Int? {
        guard digits.count == 1 || digits.first != UInt8(ascii: "0") else { return nil }
        return LogFile.number(digits)
    }

    private mutating func generation() throws(RefError) -> Int {
        let start = offset
        let digits = take { $0 < UInt8(ascii: "0") || $0 > UInt8(ascii: "9") }
        if digits.isEmpty, current.map(Self.isOperator) ?? true { return 1 }
        guard let number = Self.number(digits) else {
            throw error("a number of generations is expected after '~'", at: start)
        }
        return number
    }

    private mutating func role() throws(RefError) -> String {
        let start = offset
        let role = take(until: Self.isOperator)
        guard !role.isEmpty, role.allSatisfy(Self.isRoleByte) else {
            throw error("the role of an input is expected after '^', as in ^dataset", at: start)
        }
        return String(decoding: role, as: UTF8.self)
    }

    private static func isRoleByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F: true
        default: false
        }
    }

    private mutating func selector() throws(RefError) -> Revision.Selector {
        guard current == UInt8(ascii: "{") else { throw error("'{' is expected after '@'") }
        offset += 1
        let start = offset
        let content = take { $0 == UInt8(ascii: "}") }
        guard current != nil else { throw error("'}' is missing") }
        offset += 1
        if let position = Self.number(content) { return .position(position) }
        guard let time = RevisionTime(Array(content)) else {
            throw error(
                "a number or a time is expected, such as 2, 2026-08-01, 2026-08-01T09:30, "
                    + "yesterday or 3 days ago", at: start)
        }
        return .time(time)
    }

    private mutating func path() throws(RefError) -> String {
        let start = offset
        let path = Array(take { _ in false })
        guard !path.isEmpty else { throw error("a path is expected after ':'", at: start) }
        guard let text = String(validating: path, as: UTF8.self), !path.contains(0) else {
            throw error("a path is UTF-8 without NUL", at: start)
        }
        return text
    }
}
