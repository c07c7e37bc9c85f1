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
    /// A whole number that was written as a floating-point number, and is written so again: `1.0`. Rows keep the
    /// difference, since programs read columns of numbers by it; see ``real(_:)``.
    case float(Double)
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

    /// A floating-point number: one that is whole stays one when it is written.
    ///
    /// From 10^21 on numbers are written with an exponent, and nobody takes them for whole ones.
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
    /// A truth value.
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    /// A number.
    public init(floatLiteral value: Double) { self = .number(value) }
    /// A list.
    public init(arrayLiteral elements: JSON...) { self = .array(elements) }
    /// An object; of members with the same key the last counts.
    public init(dictionaryLiteral elements: (String, JSON)...) {
        self = .object(JSONObject(elements))
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

    /// An object of members in any order, of which the last counts where several have the same key: O(n log n).
    ///
    /// For many members; assigning them one by one moves those behind each time.
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

    /// Where a key stands among ``members``; nil when it is not there.
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
