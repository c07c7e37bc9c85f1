package import Artifacts
internal import Documents

/// What the size of a chunk counts.
package enum TextMeasure: Sendable {
    /// Unicode scalars.
    case characters
    /// The tokens of the embedder's model.
    case tokens(any TokenCounter)

    /// More scalars than tokens of real vocabularies have.
    private static let longestToken = 16

    /// The name in configurations and snapshots.
    package var name: String {
        switch self {
        case .characters: "characters"
        case .tokens: "tokens"
        }
    }

    /// The length of a text.
    func length(of text: String) -> Int {
        switch self {
        case .characters: text.unicodeScalars.count
        case .tokens(let counter): counter.count(text)
        }
    }

    /// The length of a text up to each of its positions; nil where that is the position itself.
    ///
    /// A model splits text at white space and punctuation before anything else, so the words between them are counted
    /// one by one. Within a word that has several tokens, the count rises evenly.
    func lengths(of scalars: [Unicode.Scalar]) -> [Int]? {
        guard case .tokens(let counter) = self else { return nil }
        var lengths = [0]
        lengths.reserveCapacity(scalars.count + 1)
        var known: [ArraySlice<Unicode.Scalar>: Int] = [:]
        var start = 0
        while start < scalars.count {
            var end = start + 1
            if !Self.isAlone(scalars[start]) {
                while end < scalars.count, !Self.isAlone(scalars[end]) { end += 1 }
            }
            let word = scalars[start..<end]
            let count: Int
            if let counted = known[word] {
                count = counted
            } else {
                // A word that the vocabulary cannot spell is one unknown token, however long it is.
                count = max(
                    counter.count(String(String.UnicodeScalarView(word))),
                    word.count / Self.longestToken)
                known[word] = count
            }
            let before = lengths[start]
            for place in 1...word.count {
                lengths.append(before + (count * place + word.count - 1) / word.count)
            }
            start = end
        }
        return lengths
    }

    /// Whether tokens never contain a scalar together with its neighbours: white space, punctuation and ideographs.
    private static func isAlone(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.value < 0x80 {
            return scalar.value <= 0x20 || 0x21...0x2F ~= scalar.value
                || 0x3A...0x40 ~= scalar.value || 0x5B...0x60 ~= scalar.value
                || 0x7B...0x7F ~= scalar.value
        }
        if WhiteSpace.isSpace(scalar) || scalar.properties.isIdeographic { return true }
        switch scalar.properties.generalCategory {
        case .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation,
            .initialPunctuation, .finalPunctuation, .otherPunctuation:
            return true
        default: return false
        }
    }
}
