internal import Objects

/// An embedder without weights: it hashes words, pairs of words and runs of characters into a vector.
///
/// The same text gives the same bits on every machine. `docs/embedder.md` is its definition.
public struct BuiltinEmbedder: Embedder {
    /// The name that spaces and configurations know it by.
    public static let name = "builtin"
    /// The version of the definition: any change of it makes vectors of another space.
    public static let version = "1"
    /// The dimensions it can have, in multiples of 8.
    public static let dimensions = 8...65536

    /// See ``Embedder``.
    public let space: EmbeddingSpace
    private let dimension: Int

    /// What a kind of feature is hashed with and how much it weighs.
    private enum Weights {
        // Words carry most of the meaning; pairs add order; runs of characters find other forms of a word.
        static let word: Float = 1
        static let stopWord: Float = 0.0625
        static let pair: Float = 0.5
        static let run: Float = 0.25
    }

    private enum Seeds {
        static let pair: UInt64 = 0x7061_6972_0000_0001
        static let run: UInt64 = 0x7275_6E00_0000_0001
    }

    // What stands before and after a word when runs of characters are taken from it.
    private static let wordStart: UInt64 = 2
    private static let wordEnd: UInt64 = 3
    private static let runLengths = 3...5

    /// Makes an embedder of vectors with `dimension` numbers.
    ///
    /// - Throws: `invalidDimension` unless it is a multiple of 8 in ``dimensions``.
    public init(dimension: Int = 384) throws(EmbeddingError) {
        guard Self.dimensions.contains(dimension), dimension.isMultiple(of: 8) else {
            throw .invalidDimension(dimension)
        }
        self.dimension = dimension
        let canaries = EmbeddingSpace.canaryTexts.map { text in
            EmbeddingSpace.Canary(
                text: text,
                vector: EmbeddingSpace.rounded(Self.vector(of: text, dimension: dimension)))
        }
        space = EmbeddingSpace(
            embedder: Self.name, version: Self.version, weights: Self.weightsDigest,
            tokenizer: Self.tokenizerDigest, pooling: "sum", normalization: "l2", queryPrefix: "",
            documentPrefix: "", dimension: dimension, elementType: "fp32", tolerance: 0.001,
            canaries: canaries)
    }

    /// The vector of a text, of length 1; all zeros for a text without words. Both roles are the same.
    public func embed(_ text: String, as role: EmbeddingRole) -> [Float] {
        Self.vector(of: text, dimension: dimension)
    }

    /// See ``Embedder``. Several threads share the texts.
    public func embed(
        _ texts: [String], as role: EmbeddingRole, made: @Sendable (Int, [[Float]]) -> Void
    ) -> [[Float]] {
        let vectors = embed(texts, as: role)
        made(0, vectors)
        return vectors
    }

    /// The vectors of some texts, in their order.
    public func embed(_ texts: [String], as role: EmbeddingRole) -> [[Float]] {
        let group = 16
        let groups = Threads.map((texts.count + group - 1) / group) { index in
            texts[index * group..<min(texts.count, (index + 1) * group)].map {
                Self.vector(of: $0, dimension: dimension)
            }
        }
        return groups.flatMap(\.self)
    }

    private static func vector(of text: String, dimension: Int) -> [Float] {
        let words = Words(text)
        let counts = count(words)
        var sums = [Float](repeating: 0, count: dimension)
        for feature in counts.features {
            let weight = feature.weight * sublinear(feature.count)
            let bucket = Int(((feature.hash >> 32) &* UInt64(dimension)) >> 32)
            sums[bucket] += feature.hash & 1 == 0 ? weight : -weight
        }
        var squares = 0.0
        for sum in sums { squares += Double(sum) * Double(sum) }
        guard squares > 0 else { return sums }
        let length = squares.squareRoot()
        for index in sums.indices { sums[index] = Float(Double(sums[index]) / length) }
        return sums
    }

    private static func count(_ words: Words) -> FeatureCounts {
        // Per word: itself, a pair, and at most three runs for each scalar and the two marks.
        var counts = FeatureCounts(capacity: words.scalars.count * 3 + words.count * 8)
        let scalars = words.scalars.span
        var previous: UInt64?
        var start = 0
        for word in 0..<words.count {
            let end = words.ends[word]
            let hash = words.hashes[word]
            if words.isStopWord(word) {
                counts.add(hash, weight: Weights.stopWord)
            } else {
                counts.add(hash, weight: Weights.word)
                if let previous {
                    var pair = FeatureHash(seed: Seeds.pair)
                    pair.add(previous)
                    pair.add(hash)
                    counts.add(pair.value, weight: Weights.pair)
                }
                previous = hash
                addRuns(of: scalars.extracting(start..<end), to: &counts)
            }
            start = end
        }
        return counts
    }

    @inline(__always)
    private static func addRuns(of word: Span<UInt32>, to counts: inout FeatureCounts) {
        let padded = word.count + 2
        var first = 0
        while first + runLengths.lowerBound <= padded {
            var run = FeatureHash(seed: Seeds.run)
            var length = 0
            while length < runLengths.upperBound, first + length < padded {
                let at = first + length
                run.add(at == 0 ? wordStart : at == padded - 1 ? wordEnd : UInt64(word[at - 1]))
                length += 1
                if length >= runLengths.lowerBound {
                    counts.add(run.value, weight: Weights.run)
                }
            }
            first += 1
        }
    }

    /// 1 + log(count): the second occurrence of a word says less than the first.
    private static func sublinear(_ count: Int) -> Float {
        count < sublinearTable.count
            ? sublinearTable[count] : Float(1 + PortableMath.log(Double(count)))
    }

    private static let sublinearTable: [Float] =
        [0] + (1...255).map { Float(1 + PortableMath.log(Double($0))) }

    // The constants stand where another embedder has weights.
    private static let weightsDigest = digest([
        "hash": "FNV-1a over scalars, SplitMix64 mixer",
        "bucket": "high 32 bits scaled to the dimension", "sign": "lowest bit",
        "frequency": "1+ln", "word": .number(Double(Weights.word)),
        "stopWord": .number(Double(Weights.stopWord)), "pair": .number(Double(Weights.pair)),
        "run": .number(Double(Weights.run)),
    ])

    private static let tokenizerDigest = digest([
        "words": "alphabetic, Nd, Nl, No, Mn, Mc; lower-cased scalar by scalar",
        "pairs": "neighbours among words that are not stop words",
        "runs": [.integer(runLengths.lowerBound), .integer(runLengths.upperBound)],
        "stopWords": .array(Words.stopWords.map { .string($0) }),
    ])

    private static func digest(_ definition: JSON) -> ObjectID {
        ObjectID(of: definition.canonicalBytes.span)
    }
}
