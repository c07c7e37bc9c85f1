/// A JSON value.
///
/// Strings and keys are compared by their UTF-8 bytes: two spellings of one character (precomposed and
/// decomposed) are different, as they are on disk.
public enum JSON: Sendable {
    /// `null`.
    case null
    /// `true` or `false`.
    case bool(Bool)
    /// A number; always finite.
    case number(Double)
    /// A string of Unicode scalars.
    case string(String)
    /// A list.
    case array([JSON])
    /// Members with distinct keys.
    case object(JSONObject)

    /// The largest integer that every JSON reader holds exactly.
    public static let largestInteger = 1 << 53

    /// A whole number; its magnitude must be at most 2^53.
    public static func integer(_ value: Int) -> JSON {
        precondition(value.magnitude <= UInt(largestInteger), "not exactly representable in JSON")
        return .number(Double(value))
    }

    /// The value as text, or nil.
    public var string: String? {
        if case .string(let value) = self { value } else { nil }
    }

    /// The value as a number, or nil.
    public var number: Double? {
        if case .number(let value) = self { value } else { nil }
    }

    /// The value as a whole number within ±2^53, or nil.
    public var integer: Int? {
        guard case .number(let value) = self, value.magnitude <= Double(Self.largestInteger) else {
            return nil
        }
        return Int(exactly: value)
    }

    /// The value as a truth value, or nil.
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

    /// The member of an object, or nil when this is none or has no such key.
    public subscript(key: String) -> JSON? { object?[key] }
}

extension JSON: Equatable {
    /// Compares strings by bytes and everything else by value.
    public static func == (left: JSON, right: JSON) -> Bool {
        switch (left, right) {
        case (.null, .null): true
        case (.bool(let a), .bool(let b)): a == b
        case (.number(let a), .number(let b)): a == b
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
    /// A truth value.
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    /// A number.
    public init(floatLiteral value: Double) { self = .number(value) }
    /// A list.
    public init(arrayLiteral elements: JSON...) { self = .array(elements) }
    /// An object; of members with the same key the last counts.
    public init(dictionaryLiteral elements: (String, JSON)...) {
        var object = JSONObject()
        for (key, value) in elements { object[key] = value }
        self = .object(object)
    }
}

/// The members of a JSON object, in canonical order (RFC 8785: by UTF-16 code units of the key).
public struct JSONObject: Sendable, Equatable, Sequence {
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

    /// The number of members.
    public var count: Int { members.count }

    /// Whether there are no members.
    public var isEmpty: Bool { members.isEmpty }

    /// The keys in canonical order.
    public var keys: [String] { members.map(\.key) }

    /// The value under a key; assigning nil removes it.
    public subscript(key: String) -> JSON? {
        get { members.first { Self.areSame($0.key, key) }?.value }
        set {
            if let at = members.firstIndex(where: { Self.areSame($0.key, key) }) {
                members.remove(at: at)
            }
            guard let newValue else { return }
            let at = members.firstIndex { Self.precedes(key, $0.key) } ?? members.endIndex
            members.insert(Member(key: key, value: newValue), at: at)
        }
    }

    /// Iterates over the members in canonical order.
    public func makeIterator() -> IndexingIterator<[Member]> { members.makeIterator() }

    static func precedes(_ left: String, _ right: String) -> Bool {
        let (a, b) = (left.utf8Span.span, right.utf8Span.span)
        var index = 0
        while index < a.count, index < b.count {
            if a[index] != b[index] {
                // Only from U+E000 on do UTF-16 and UTF-8 disagree: surrogates come before it.
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
