/// A JSON value.
///
/// Strings and keys are compared by their UTF-8 bytes, as they are stored: precomposed and decomposed spellings of a
/// character differ.
public enum JSON: Sendable {
    /// `null`.
    case null
    /// `true` or `false`.
    case bool(Bool)
    /// A number; it must be finite to be written.
    case number(Double)
    /// A whole number that was written as a floating-point number, such as `1.0`, and is written that way again. Rows
    /// keep the distinction because readers choose the type of a column by it; see ``real(_:)``.
    case float(Double)
    /// A string of Unicode scalars.
    case string(String)
    /// A list.
    case array([JSON])
    /// Members with distinct keys.
    case object(JSONObject)

    /// The magnitude up to which a double, and so every JSON reader, represents all whole numbers exactly.
    public static let largestInteger = 1 << 53

    /// A whole number; its magnitude must be at most 2^53.
    public static func integer(_ value: Int) -> JSON {
        precondition(value.magnitude <= UInt(largestInteger), "not exactly representable in JSON")
        return .number(Double(value))
    }

    /// A floating-point number that stays one when it is written, even if it is whole.
    ///
    /// From 10^21 on, numbers are written with an exponent and need no such mark.
    public static func real(_ value: Double) -> JSON {
        value.rounded() == value && value.magnitude < 1e21 ? .float(value) : .number(value)
    }

    /// The value as text, or nil.
    public var string: String? {
        if case .string(let value) = self { value } else { nil }
    }

    /// The value as a number, or nil.
    public var number: Double? {
        switch self {
        case .number(let value), .float(let value): value
        default: nil
        }
    }

    /// The value as a whole number within ±2^53, or nil.
    public var integer: Int? {
        guard let value = number, value.magnitude <= Double(Self.largestInteger) else {
            return nil
        }
        return Int(exactly: value)
    }

    /// The value as a Boolean, or nil.
    public var bool: Bool? {
        if case .bool(let value) = self { value } else { nil }
    }

    /// The value as a list, or nil.
    public var array: [JSON]? {
        if case .array(let value) = self { value } else { nil }
    }

    /// The value as an object, or nil.
    public var object: JSONObject? {
        if case .object(let value) = self { value } else { nil }
    }

    /// The member of an object; nil when the value is not an object or has no such key.
    public subscript(key: String) -> JSON? { object?[key] }
}

extension JSON: Equatable {
    /// Compares strings by bytes and everything else by value; a ``float(_:)`` never equals a ``number(_:)``.
    public static func == (left: JSON, right: JSON) -> Bool {
        switch (left, right) {
        case (.null, .null): true
        case (.bool(let a), .bool(let b)): a == b
        case (.number(let a), .number(let b)): a == b
        case (.float(let a), .float(let b)): a == b && a.sign == b.sign
        case (.string(let a), .string(let b)): a.utf8.elementsEqual(b.utf8)
        case (.array(let a), .array(let b)): a == b
        case (.object(let a), .object(let b)): a == b
        default: false
        }
    }
}

extension JSON: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByBooleanLiteral,
    ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral, ExpressibleByFloatLiteral
{
    /// A string.
    public init(stringLiteral value: String) { self = .string(value) }
    /// A whole number.
    public init(integerLiteral value: Int) { self = .integer(value) }
    /// A Boolean.
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    /// A number.
    public init(floatLiteral value: Double) { self = .number(value) }
    /// A list.
    public init(arrayLiteral elements: JSON...) { self = .array(elements) }
    /// An object; the last of several members with one key wins.
    public init(dictionaryLiteral elements: (String, JSON)...) {
        self = .object(JSONObject(elements))
    }
}

/// The members of a JSON object, in canonical order (RFC 8785: by UTF-16 code units of the key).
public struct JSONObject: Sendable, Hashable, Sequence {
    /// One key and its value.
    public struct Member: Sendable, Equatable {
        /// The key.
        public let key: String
        /// The value.
        public let value: JSON

        /// Compares the key by bytes.
        public static func == (left: Member, right: Member) -> Bool {
            JSONObject.areSame(left.key, right.key) && left.value == right.value
        }
    }

    /// Hashes the canonical form.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(JSON.object(self).canonicalBytes)
    }

    /// The members in canonical order.
    public private(set) var members: [Member]

    /// An object without members.
    public init() { members = [] }

    /// Sorts members into an object; nil when two have the same key.
    init?(unsorted members: [Member]) {
        self.members = members
        if !zip(members, members.dropFirst()).allSatisfy({ Self.precedes($0.key, $1.key) }) {
            self.members.sort { Self.precedes($0.key, $1.key) }
            for (left, right) in zip(self.members, self.members.dropFirst())
            where JSONObject.areSame(left.key, right.key) { return nil }
        }
    }

    /// Creates an object from members in any order, in O(n log n). The last of several members with one key wins.
    ///
    /// Prefer this for many members: assigning them one by one moves the later members each time.
    public init(_ members: some Sequence<(String, JSON)>) {
        let sorted = members.enumerated().map { ($0.offset, $0.element.0, $0.element.1) }.sorted {
            Self.precedes($0.1, $1.1) || (Self.areSame($0.1, $1.1) && $0.0 < $1.0)
        }
        self.members = []
        self.members.reserveCapacity(sorted.count)
        for (_, key, value) in sorted {
            if let last = self.members.last, Self.areSame(last.key, key) {
                self.members.removeLast()
            }
            self.members.append(Member(key: key, value: value))
        }
    }

    /// The number of members.
    public var count: Int { members.count }

    /// Whether there are no members.
    public var isEmpty: Bool { members.isEmpty }

    /// The keys in canonical order.
    public var keys: [String] { members.map(\.key) }

    /// The value under a key, found in O(log n); assigning nil removes it.
    public subscript(key: String) -> JSON? {
        get { index(of: key).map { members[$0].value } }
        set {
            let at = members.binarySearch { Self.precedes($0.key, key) }
            let isThere = at < members.count && Self.areSame(members[at].key, key)
            switch (newValue, isThere) {
            case (let value?, true): members[at] = Member(key: key, value: value)
            case (let value?, false): members.insert(Member(key: key, value: value), at: at)
            case (nil, true): members.remove(at: at)
            case (nil, false): break
            }
        }
    }

    /// The index of a key in ``members``; nil when it is missing.
    func index(of key: String) -> Int? {
        let at = members.binarySearch { Self.precedes($0.key, key) }
        return at < members.count && Self.areSame(members[at].key, key) ? at : nil
    }

    /// Iterates over the members in canonical order.
    public func makeIterator() -> IndexingIterator<[Member]> { members.makeIterator() }

    static func precedes(_ left: String, _ right: String) -> Bool {
        let (a, b) = (left.utf8Span.span, right.utf8Span.span)
        var index = 0
        while index < a.count, index < b.count {
            if a[index] != b[index] {
                // UTF-16 and UTF-8 order differ only from U+E000 on, where surrogates come first.
                guard a[index] < 0xEE, b[index] < 0xEE else {
                    return left.utf16.lexicographicallyPrecedes(right.utf16)
                }
                return a[index] < b[index]
            }
            index += 1
        }
        return a.count < b.count
    }

    /// Whether two keys have the same bytes.
    static func areSame(_ left: String, _ right: String) -> Bool {
        let (a, b) = (left.utf8Span.span, right.utf8Span.span)
        guard a.count == b.count else { return false }
        for index in a.indices where a[index] != b[index] { return false }
        return true
    }
}

extension JSON {
    /// The canonical encoding of RFC 8785: sorted keys, no insignificant space, shortest numbers. Only a ``float(_:)``
    /// departs from it, by its `.0`.
    public var canonicalBytes: [UInt8] {
        var bytes: [UInt8] = []
        appendCanonical(to: &bytes)
        return bytes
    }

    /// ``canonicalBytes`` as text.
    public var canonicalText: String { String(decoding: canonicalBytes, as: UTF8.self) }

    /// Appends the canonical encoding.
    public func appendCanonical(to bytes: inout [UInt8]) {
        switch self {
        case .null: bytes.append(contentsOf: "null".utf8)
        case .bool(let value): bytes.append(contentsOf: (value ? "true" : "false").utf8)
        case .number(let value): Self.append(value, to: &bytes)
        case .float(let value):
            if value == 0, value.sign == .minus { bytes.append(0x2D) }
            Self.append(value, to: &bytes)
            bytes.append(contentsOf: ".0".utf8)
        case .string(let value): Self.append(value, to: &bytes)
        case .array(let values):
            bytes.append(0x5B)
            for (index, value) in values.enumerated() {
                if index > 0 { bytes.append(0x2C) }
                value.appendCanonical(to: &bytes)
            }
            bytes.append(0x5D)
        case .object(let object):
            bytes.append(0x7B)
            for (index, member) in object.members.enumerated() {
                if index > 0 { bytes.append(0x2C) }
                Self.append(member.key, to: &bytes)
                bytes.append(0x3A)
                member.value.appendCanonical(to: &bytes)
            }
            bytes.append(0x7D)
        }
    }

    private static func append(_ text: String, to bytes: inout [UInt8]) {
        bytes.append(0x22)
        JSONText.appendEscaped(text.utf8Span.span, to: &bytes)
        bytes.append(0x22)
    }

    /// Writes a number as `Number.prototype.toString` of ECMAScript does (RFC 8785 section 3.2.2.3).
    private static func append(_ value: Double, to bytes: inout [UInt8]) {
        precondition(value.isFinite, "JSON has no infinity and no NaN")
        if value == 0 { return bytes.append(0x30) }
        if let whole = Int(exactly: value), whole.magnitude <= UInt(largestInteger) {
            return bytes.append(contentsOf: String(whole).utf8)
        }
        // Swift's description has the shortest digits that round-trip; only their layout differs.
        var digits: [UInt8] = []
        var pointAt: Int?
        var exponent = 0
        var text = value.magnitude.description.utf8[...]
        if let mark = text.firstIndex(of: 0x65) {
            exponent = Int(String(text[text.index(after: mark)...]) ?? "") ?? 0
            text = text[..<mark]
        }
        for byte in text {
            if byte == 0x2E { pointAt = digits.count } else { digits.append(byte) }
        }
        var pointPosition = (pointAt ?? digits.count) + exponent
        let leadingZeros = digits.prefix { $0 == 0x30 }.count
        digits.removeFirst(leadingZeros)
        pointPosition -= leadingZeros
        while digits.last == 0x30 { digits.removeLast() }
        if value < 0 { bytes.append(0x2D) }
        layOut(digits, pointPosition: pointPosition, to: &bytes)
    }

    private static func layOut(_ digits: [UInt8], pointPosition: Int, to bytes: inout [UInt8]) {
        let zero: UInt8 = 0x30
        switch pointPosition {
        case digits.count...21:
            bytes.append(contentsOf: digits)
            bytes.append(contentsOf: repeatElement(zero, count: pointPosition - digits.count))
        case 1...21:
            bytes.append(contentsOf: digits[..<pointPosition])
            bytes.append(0x2E)
            bytes.append(contentsOf: digits[pointPosition...])
        case -5...0:
            bytes.append(contentsOf: [zero, 0x2E])
            bytes.append(contentsOf: repeatElement(zero, count: -pointPosition))
            bytes.append(contentsOf: digits)
        default:
            bytes.append(digits[0])
            if digits.count > 1 {
                bytes.append(0x2E)
                bytes.append(contentsOf: digits[1...])
            }
            bytes.append(contentsOf: pointPosition > 0 ? "e+".utf8 : "e-".utf8)
            bytes.append(contentsOf: String(abs(pointPosition - 1)).utf8)
        }
    }
}
