internal import TextAnalysis

/// The word 5-grams of a text, which near-duplicates share.
///
/// Words are those of search in their matched form, so case, punctuation and white space do not matter; a script
/// without spaces gives pairs of characters. A text of fewer than five words gives its words instead. Only the first
/// ``wordLimit`` words count, which bounds the memory of a text.
public struct ShingleSet: Hashable, Sendable {
    /// The words in a shingle.
    public static let words = 5
    /// The number of words of a text that count.
    public static let wordLimit = 20_000

    /// The hashes of the shingles, ascending, without repetitions.
    let hashes: [UInt64]

    private static let analyzer = TextAnalyzer()

    /// Finds the shingles of a text; there are none if it has no words.
    public init(of text: String) {
        var words: [UInt64] = []
        Self.analyzer.forEachToken(of: text) { token in
            if token.isInSequence, words.count < Self.wordLimit { words.append(token.word) }
        }
        guard words.count >= Self.words else {
            self.init(hashes: words)
            return
        }
        self.init(
            hashes: (0...(words.count - Self.words)).map { first in
                var hash = TermHash()
                for word in words[first..<(first + Self.words)] { hash.add(word) }
                return hash.value
            })
    }

    /// Takes hashes in any order.
    init(hashes: [UInt64]) {
        var unique: [UInt64] = []
        unique.reserveCapacity(hashes.count)
        for hash in hashes.sorted() where hash != unique.last { unique.append(hash) }
        self.hashes = unique
    }

    /// Whether there are no shingles.
    public var isEmpty: Bool { hashes.isEmpty }

    /// The Jaccard similarity: the number of shingles in both texts, divided by the number in either; 0 if both have
    /// none.
    public func similarity(to other: ShingleSet) -> Double {
        var (left, right, shared) = (0, 0, 0)
        while left < hashes.count, right < other.hashes.count {
            let (a, b) = (hashes[left], other.hashes[right])
            if a == b { shared += 1 }
            if a <= b { left += 1 }
            if b <= a { right += 1 }
        }
        let all = hashes.count + other.hashes.count - shared
        return all == 0 ? 0 : Double(shared) / Double(all)
    }
}
