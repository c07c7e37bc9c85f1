internal import TextAnalysis

/// The MinHash signature of a set of shingles (Broder, 1997): for each of 128 random orders of all shingles, the first
/// shingle of the set. Two sets agree at a place with a probability that equals their Jaccard similarity.
struct MinHash: Sendable {
    /// The number of random orders.
    static let permutations = 128

    /// The least value of the set in each order.
    let values: [UInt32]

    /// An order is the upper half of `a * shingle + b` (mod 2^64), with an odd `a`; shingles are well mixed already.
    private static let orders: [(a: UInt64, b: UInt64)] = (0..<permutations).map { index in
        func number(_ name: UInt64) -> UInt64 {
            var hash = TermHash()
            hash.add(UInt64(index))
            hash.add(name)
            return hash.value
        }
        return (number(1) | 1, number(2))
    }

    /// Computes the signature of a set.
    init(of set: ShingleSet) {
        values = Self.orders.map { order in
            var least = UInt32.max
            for shingle in set.hashes {
                least = min(
                    least, UInt32(truncatingIfNeeded: (order.a &* shingle &+ order.b) >> 32))
            }
            return least
        }
    }
}

/// Finds the texts that nearly equal a text, among any number of texts that it was given before.
///
/// Locality-sensitive hashing over 32 bands of 4 permutations proposes pairs, and the exact Jaccard similarity of the
/// word 5-grams decides. Bands of 4 miss a pair of similarity 0.8 with a probability of 5e-8; longer bands propose fewer
/// pairs, but miss more. The result depends on nothing but the texts and their order.
///
/// Memory: about 8 bytes a word and 1 KiB a text.
public struct NearDuplicates: Sendable {
    /// A text that nearly equals another one.
    public struct Match: Hashable, Sendable {
        /// The index of the text, in the order of ``add(_:)``.
        public let index: Int
        /// The Jaccard similarity.
        public let similarity: Double
    }

    /// The least similarity of near-duplicates.
    public static let threshold = 0.8
    /// The most texts that one text is compared with. Among texts from a template, where each resembles all others,
    /// this keeps the time linear; duplicates of such a text may then be missed.
    public static let comparisonLimit = 1024

    private static let bands = 32
    private static let rows = MinHash.permutations / bands

    private let threshold: Double
    /// The distinct sets, and the texts with each.
    private var sets: [(shingles: ShingleSet, texts: [Int])] = []
    /// The last entry by the hash of a band and of the values in it. Entry `bands * set + band` is about a distinct set.
    private var lastEntries: [UInt64: Int32] = [:]
    /// For each entry, the one before it with the same hash; -1 for none.
    private var earlierEntries: [Int32] = []
    private var equals: [ShingleSet: Int] = [:]
    /// The number of texts.
    public private(set) var count = 0

    /// Makes an empty collection.
    ///
    /// - Parameter threshold: The least similarity of near-duplicates, above 0.
    public init(threshold: Double = NearDuplicates.threshold) { self.threshold = threshold }

    /// Adds a text. One without words is counted, and matches nothing.
    public mutating func add(_ text: String) { add(ShingleSet(of: text)) }

    /// Adds the text with these shingles.
    public mutating func add(_ shingles: ShingleSet) {
        defer { count += 1 }
        guard !shingles.isEmpty else { return }
        if let known = equals[shingles] {
            sets[known].texts.append(count)
            return
        }
        equals[shingles] = sets.count
        for bucket in Self.buckets(of: shingles) {
            let entry = Int32(earlierEntries.count)
            earlierEntries.append(lastEntries.updateValue(entry, forKey: bucket) ?? -1)
        }
        sets.append((shingles, [count]))
    }

    /// The texts that nearly equal a text, the most similar first; equally similar ones in the order of ``add(_:)``.
    public func matches(_ text: String) -> [Match] { matches(ShingleSet(of: text)) }

    /// The texts that nearly equal the text with these shingles, in the same order.
    public func matches(_ shingles: ShingleSet) -> [Match] {
        guard !shingles.isEmpty else { return [] }
        var compared: Set<Int32> = []
        var found: [Match] = []
        func compare(_ index: Int32) {
            guard compared.insert(index).inserted else { return }
            let set = sets[Int(index)]
            // Sets whose sizes differ more cannot be that similar.
            let (least, most) = (
                min(set.shingles.hashes.count, shingles.hashes.count),
                max(set.shingles.hashes.count, shingles.hashes.count)
            )
            guard Double(least) >= threshold * Double(most) else { return }
            let similarity = set.shingles.similarity(to: shingles)
            guard similarity >= threshold else { return }
            found += set.texts.map { Match(index: $0, similarity: similarity) }
        }
        if let equal = equals[shingles] { compare(Int32(equal)) }
        bands: for bucket in Self.buckets(of: shingles) {
            var entry = lastEntries[bucket] ?? -1
            while entry >= 0 {
                guard compared.count < Self.comparisonLimit else { break bands }
                compare(entry / Int32(Self.bands))
                entry = earlierEntries[Int(entry)]
            }
        }
        return found.sorted { left, right in
            left.similarity == right.similarity
                ? left.index < right.index : left.similarity > right.similarity
        }
    }

    private static func buckets(of shingles: ShingleSet) -> [UInt64] {
        let values = MinHash(of: shingles).values
        return (0..<bands).map { band in
            var hash = TermHash()
            hash.add(UInt64(band))
            for value in values[(band * rows)..<((band + 1) * rows)] { hash.add(UInt64(value)) }
            return hash.value
        }
    }
}
