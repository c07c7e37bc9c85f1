public import Objects

/// The text by which a person names a version, or a part of it.
///
/// A ref or the first digits of an id; then, after a ref, at most one `@{N}` or `@{TIME}`; then any number of `~N` and
/// `^ROLE`; then at most one `:PATH`. For example `models/current~2`, `features/prod@{yesterday}`, `3fa9c1`,
/// `models/current^dataset:config.json`.
public struct Revision: Hashable, Sendable, CustomStringConvertible {
    /// The start of a revision.
    public enum Base: Hashable, Sendable {
        /// The target of a ref.
        case ref(RefName)
        /// The object whose id has this prefix.
        case object(ObjectIDPrefix)
    }

    /// The choice of one value of a ref.
    public enum Selector: Hashable, Sendable {
        /// `@{N}`: the value N moves ago; 0 is the present one.
        case position(Int)
        /// `@{TIME}`: the value at a time.
        case time(RevisionTime)
    }

    /// A step from one snapshot to another.
    public enum Step: Hashable, Sendable {
        /// `~N`: the first parent, N times over.
        case ancestor(Int)
        /// `^ROLE`: the input of that role.
        case input(String)
    }

    /// The ref or the object that the revision starts from.
    public let base: Base
    /// The choice of one value of the ref; nil for the present one.
    public let selector: Selector?
    /// The steps from the start, in order.
    public let steps: [Step]
    /// The path of a file in a tree, or the key of a row in a table.
    public let path: String?

    /// The maximum number of bytes that a revision may have: a path of 4,096 bytes and ample room for the rest.
    public static let byteLimit = 8 << 10

    /// The present value of a ref.
    public init(_ name: RefName) {
        self.init(base: .ref(name))
    }

    /// An object, named by its full id.
    public init(_ id: ObjectID) {
        self.init(base: .object(ObjectIDPrefix(id)))
    }

    init(base: Base, selector: Selector? = nil, steps: [Step] = [], path: String? = nil) {
        self.base = base
        self.selector = selector
        self.steps = steps
        self.path = path
    }

    /// The revision without the path after `:`.
    public var withoutPath: Revision { Revision(base: base, selector: selector, steps: steps) }

    /// Parses a revision, whether or not it names anything.
    ///
    /// - Throws: `revision` with the place of the mistake; `invalidName` and `unknownNamespace` when only the name of
    ///   the ref is wrong.
    public init(_ text: some StringProtocol) throws(RefError) {
        try self.init(utf8: Array(text.utf8))
    }

    /// Parses a revision from bytes, which need not be valid UTF-8.
    public init(utf8 bytes: [UInt8]) throws(RefError) {
        var parser = RevisionParser(bytes)
        self = try parser.revision()
    }

    /// The text that parses as this revision.
    public var description: String {
        var text =
            switch base {
            case .ref(let name): name.text
            case .object(let prefix): prefix.hex
            }
        switch selector {
        case .position(let position)?: text += "@{\(position)}"
        case .time(let time)?: text += "@{\(time)}"
        case nil: break
        }
        for step in steps {
            switch step {
            case .ancestor(let generation): text += "~\(generation)"
            case .input(let role): text += "^\(role)"
            }
        }
        return path.map { "\(text):\($0)" } ?? text
    }

    /// Compares the bytes of the texts.
    public static func == (left: Revision, right: Revision) -> Bool {
        left.description.utf8.elementsEqual(right.description.utf8)
    }

    /// Hashes the bytes of the text.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(Array(description.utf8))
    }
}

/// A time as a person writes it in `@{...}`, in UTC.
public enum RevisionTime: Hashable, Sendable, CustomStringConvertible {
    /// `2026-08-01`, at midnight; or `2026-08-01T09:30`, with or without seconds and `Z`.
    case moment(Timestamp)
    /// `now`
    case now
    /// `today`: the last midnight.
    case today
    /// `yesterday`: 24 hours ago.
    case yesterday
    /// `3 days ago`
    case ago(Int, Unit)

    /// A unit of time.
    public enum Unit: String, CaseIterable, Sendable {
        /// 1 s.
        case second
        /// 60 s.
        case minute
        /// 60 minutes.
        case hour
        /// 24 hours.
        case day
        /// 7 days.
        case week

        var milliseconds: Int {
            switch self {
            case .second: 1000
            case .minute: 60_000
            case .hour: 3_600_000
            case .day: 86_400_000
            case .week: 604_800_000
            }
        }
    }

    /// Parses the text in `@{...}`; nil when it is not a time.
    public init?(_ text: String) { self.init(Array(text.utf8)) }

    init?(_ bytes: [UInt8]) {
        if let moment = Timestamp(reading: bytes) {
            self = .moment(moment)
            return
        }
        let words = bytes.split(separator: 0x20).map { String(decoding: $0, as: UTF8.self) }
        switch words.count {
        case 1 where words[0] == "now": self = .now
        case 1 where words[0] == "today": self = .today
        case 1 where words[0] == "yesterday": self = .yesterday
        case 3 where words[2] == "ago":
            guard let count = LogFile.number(words[0].utf8),
                let unit = Unit.allCases.first(where: {
                    words[1] == $0.rawValue || words[1] == $0.rawValue + "s"
                })
            else { return nil }
            self = .ago(count, unit)
        default: return nil
        }
    }

    /// The moment that it stands for when the clock shows `now`; nil before the year 0.
    public func resolved(now: Timestamp) -> Timestamp? {
        switch self {
        case .moment(let moment): return moment
        case .now: return now
        case .today:
            let day = Unit.day.milliseconds
            let remainder = now.milliseconds % day
            return Timestamp(
                milliseconds: now.milliseconds - (remainder < 0 ? remainder + day : remainder))
        case .yesterday:
            return Timestamp(milliseconds: now.milliseconds - Unit.day.milliseconds)
        case .ago(let count, let unit):
            let (span, overflow) = count.multipliedReportingOverflow(by: unit.milliseconds)
            return overflow ? nil : Timestamp(milliseconds: now.milliseconds - span)
        }
    }

    /// The text that parses as this time.
    public var description: String {
        switch self {
        case .moment(let moment): moment.description
        case .now: "now"
        case .today: "today"
        case .yesterday: "yesterday"
        case .ago(let count, let unit): "\(count) \(unit.rawValue)\(count == 1 ? "" : "s") ago"
        }
    }
}

/// Parses a revision from left to right.
struct RevisionParser {
    private let bytes: [UInt8]
    private var offset = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    private var text: String { String(decoding: bytes, as: UTF8.self) }

    private func error(_ reason: String, at offset: Int? = nil) -> RefError {
        .revision(.syntax(text: text, column: (offset ?? self.offset) + 1, reason: reason))
    }

    private var current: UInt8? { offset < bytes.count ? bytes[offset] : nil }

    /// Takes bytes up to the first one for which `isEnd` is true.
    private mutating func take(until isEnd: (UInt8) -> Bool) -> ArraySlice<UInt8> {
        let start = offset
        while offset < bytes.count, !isEnd(bytes[offset]) { offset += 1 }
        return bytes[start..<offset]
    }

    private static func isOperator(_ byte: UInt8) -> Bool {
        "~^@:".utf8.contains(byte)
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
            default: throw error("expected '~', '^' or ':'", at: start)
            }
        }
        return Revision(base: base, selector: selector, steps: steps, path: path)
    }

    private mutating func base() throws(RefError) -> Revision.Base {
        let word = take(until: Self.isOperator)
        guard !word.isEmpty else { throw error("expected a ref or an id") }
        if word.contains(0x2F) { return .ref(try RefName(utf8: Array(word))) }
        guard word.allSatisfy({ Hexadecimal.value(of: $0) != nil }) else {
            if word.elementsEqual("sha256".utf8), current == UInt8(ascii: ":") {
                throw error("an id is written without sha256:", at: 0)
            }
            // Upper case is refused, so that one id has one spelling.
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

    /// Parses a number as people write it: digits without a sign or leading zeros.
    private static func number(_ digits: ArraySlice<UInt8>) -> Int? {
        guard digits.count == 1 || digits.first != UInt8(ascii: "0") else { return nil }
        return LogFile.number(digits)
    }

    private mutating func generation() throws(RefError) -> Int {
        let start = offset
        let digits = take { !$0.isDigit }
        if digits.isEmpty, current.map(Self.isOperator) ?? true { return 1 }
        guard let number = Self.number(digits) else {
            throw error("expected a number of generations after '~'", at: start)
        }
        return number
    }

    private mutating func role() throws(RefError) -> String {
        let start = offset
        let role = take(until: Self.isOperator)
        guard !role.isEmpty, role.allSatisfy(\.isNameByte) else {
            throw error("expected the role of an input after '^', as in ^dataset", at: start)
        }
        return String(decoding: role, as: UTF8.self)
    }

    private mutating func selector() throws(RefError) -> Revision.Selector {
        guard current == UInt8(ascii: "{") else { throw error("expected '{' after '@'") }
        offset += 1
        let start = offset
        let content = take { $0 == UInt8(ascii: "}") }
        guard current != nil else { throw error("'}' is missing") }
        offset += 1
        if let position = Self.number(content) { return .position(position) }
        guard let time = RevisionTime(Array(content)) else {
            throw error(
                "expected a number or a time, such as 2, 2026-08-01, 2026-08-01T09:30, yesterday or "
                    + "3 days ago", at: start)
        }
        return .time(time)
    }

    private mutating func path() throws(RefError) -> String {
        let start = offset
        let path = Array(take { _ in false })
        guard !path.isEmpty else { throw error("expected a path after ':'", at: start) }
        guard let text = String(validating: path, as: UTF8.self), !path.contains(0) else {
            throw error("a path must be UTF-8 without NUL", at: start)
        }
        return text
    }
}
