/// Some of a question's words, by their indices in the question.
public struct WordSet: Sendable {
    // Most questions have at most 64 words, so most sets need no allocation.
    private var first: UInt64 = 0
    private var rest: [UInt64]?

    /// Makes an empty set.
    public init() {}

    /// The number of words.
    public var count: Int {
        (rest ?? []).reduce(first.nonzeroBitCount) { $0 + $1.nonzeroBitCount }
    }

    /// Whether there is no word.
    public var isEmpty: Bool { count == 0 }

    /// Whether a word is in the set.
    public func contains(_ word: Int) -> Bool {
        guard word >= 64 else { return first >> UInt64(word) & 1 != 0 }
        return Self.bits(rest, word / 64 - 1) >> UInt64(word % 64) & 1 != 0
    }

    private static func bits(_ rest: [UInt64]?, _ index: Int) -> UInt64 {
        guard let rest, index < rest.count else { return 0 }
        return rest[index]
    }

    /// Adds a word.
    public mutating func insert(_ word: Int) {
        guard word >= 64 else {
            first |= 1 << UInt64(word)
            return
        }
        let index = word / 64 - 1
        var bits = rest ?? []
        while bits.count <= index { bits.append(0) }
        bits[index] |= 1 << UInt64(word % 64)
        rest = bits
    }

    /// Adds the words of another set.
    public mutating func formUnion(_ other: WordSet) { self = combined(with: other, |) }

    /// The words of either set.
    public func union(_ other: WordSet) -> WordSet { combined(with: other, |) }

    /// The words that both sets have.
    public func intersection(_ other: WordSet) -> WordSet { combined(with: other, &) }

    /// The words that the other set does not have.
    public func subtracting(_ other: WordSet) -> WordSet { combined(with: other) { $0 & ~$1 } }

    @inline(__always)
    private func combined(
        with other: WordSet, _ combine: (UInt64, UInt64) -> UInt64
    ) -> WordSet {
        var result = WordSet()
        result.first = combine(first, other.first)
        guard rest != nil || other.rest != nil else { return result }
        let count = max(rest?.count ?? 0, other.rest?.count ?? 0)
        result.rest = (0..<count).map { combine(Self.bits(rest, $0), Self.bits(other.rest, $0)) }
        return result
    }
}
