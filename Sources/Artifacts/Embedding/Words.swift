/// The words of a text, lower-cased: runs of letters, digits and combining marks.
///
/// Everything else separates words, the apostrophe and the decimal point included. The mapping to lower
/// case is Unicode's, without language rules.
public struct Words: Sendable {
    /// The scalars of all words, one after the other.
    public private(set) var scalars: [UInt32] = []
    /// Where each word ends in ``scalars``.
    public private(set) var ends: [Int] = []
    /// The ``FeatureHash`` of each word.
    public private(set) var hashes: [UInt64] = []

    /// Finds the words of a text.
    public init(_ text: String) {
        scalars.reserveCapacity(text.utf8.count)
        var hash = FeatureHash()
        var start = 0
        for scalar in text.unicodeScalars {
            let value = scalar.value
            if value < 0x80 {
                let lower = value &- 0x41 < 26 ? value | 0x20 : value
                if lower &- 0x61 < 26 || lower &- 0x30 < 10 {
                    scalars.append(lower)
                    hash.add(UInt64(lower))
                    continue
                }
            } else if Self.isWordScalar(scalar) {
                for mapped in scalar.properties.lowercaseMapping.unicodeScalars {
                    scalars.append(mapped.value)
                    hash.add(UInt64(mapped.value))
                }
                continue
            }
            if scalars.count > start {
                endWord(hash)
                hash = FeatureHash()
                start = scalars.count
            }
        }
        if scalars.count > start { endWord(hash) }
    }

    /// The number of words.
    public var count: Int { hashes.count }

    /// The place of a word's scalars.
    public func range(of word: Int) -> Range<Int> {
        (word == 0 ? 0 : ends[word - 1])..<ends[word]
    }

    /// A word as text.
    public func text(of word: Int) -> String {
        String(String.UnicodeScalarView(scalars[range(of: word)].compactMap(Unicode.Scalar.init)))
    }

    /// Whether a word carries so little meaning that it hardly counts.
    public func isStopWord(_ word: Int) -> Bool { Self.stopWordHashes.contains(hashes[word]) }

    private mutating func endWord(_ hash: FeatureHash) {
        ends.append(scalars.count)
        hashes.append(hash.value)
    }

    private static func isWordScalar(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.properties.isAlphabetic { return true }
        switch scalar.properties.generalCategory {
        case .decimalNumber, .letterNumber, .otherNumber, .nonspacingMark, .spacingMark:
            return true
        default: return false
        }
    }

    /// English words that appear everywhere.
    public static let stopWords: [String] =
        """
        a about after all also an and any are as at be because been before being but by can could did \
        do does doing for from had has have having how i if in into is it its just me my no nor not of \
        off on once only or our out over own s same should so some such t than that the their them \
        then there these they this those through to too under until up very was we were what when \
        where which while who whom why will with would you your
        """.split(separator: " ").map(String.init)

    private static let stopWordHashes = Set(stopWords.map { FeatureHash.of($0) })
}

extension Words {
    /// The hash of a word's stem, by which the forms of a word are compared.
    ///
    /// The stem is the word without a final `s` (not `ss`), then without a final `ing` or `ed`, then
    /// without a final `e`, as long as three scalars remain, cut to six scalars.
    public func stemHash(of word: Int) -> UInt64 {
        let range = range(of: word)
        let first = range.lowerBound
        var end = range.upperBound
        func ends(with suffix: StaticString, _ minimum: Int) -> Bool {
            let count = suffix.utf8CodeUnitCount
            guard end - first >= count + minimum else { return false }
            return suffix.withUTF8Buffer { bytes in
                (0..<count).allSatisfy { scalars[end - count + $0] == UInt32(bytes[$0]) }
            }
        }
        if ends(with: "s", 3), !ends(with: "ss", 1) { end -= 1 }
        if ends(with: "ing", 3) { end -= 3 } else if ends(with: "ed", 3) { end -= 2 }
        if ends(with: "e", 3) { end -= 1 }
        var hash = FeatureHash(seed: 0x7374_656D_0000_0001)
        for scalar in scalars[first..<min(end, first + 6)] { hash.add(UInt64(scalar)) }
        return hash.value
    }
}
