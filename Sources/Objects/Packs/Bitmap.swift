/// A set of small numbers, one bit for each that could be in it.
package struct Bitmap: Sendable {
    private var words: [UInt64]
    /// How many numbers are in it.
    package private(set) var count = 0

    /// An empty set of numbers below `limit`.
    package init(limit: Int) { words = [UInt64](repeating: 0, count: (limit + 63) / 64) }

    package func contains(_ number: Int) -> Bool {
        words[number >> 6] & (1 << UInt64(number & 63)) != 0
    }

    /// Puts a number in; whether it was not in it before.
    package mutating func insert(_ number: Int) -> Bool {
        let bit = 1 << UInt64(number & 63) as UInt64
        guard words[number >> 6] & bit == 0 else { return false }
        words[number >> 6] |= bit
        count += 1
        return true
    }
}
