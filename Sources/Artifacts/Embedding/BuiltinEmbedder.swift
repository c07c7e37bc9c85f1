internal import Objects
internal import TextAnalysis

/// An embedder without weights: it hashes stems, identifiers, pairs of neighbours and runs of
/// characters into a vector.
///
/// The same text gives the same bits on every machine. `docs/embedder.md` is its definition.
public struct BuiltinEmbedder: Embedder {
    /// The name that spaces and configurations know it by.
    public static let name = "builtin"
    /// The version of the definition: any change of it makes vectors of another space.
    public static let version = "2"
    /// The dimensions it can have, in multiples of 8.
    public static let dimensions = 8...65536

    /// See ``Embedder``.
    public let space: EmbeddingSpace
    private let dimension: Int
    // Whatever the language of a text: a question has none that is known, and must get the stems of
    // its answer.
    private let analyzer: TextAnalyzer

    /// What a kind of feature weighs.
    private enum Weights {
        // Words carry most of the meaning. Pairs add order, and runs of characters forgive typing
        // errors; both are many, and what is many hides the rest in so few numbers.
        static let word: Float = 1
        static let stopWord: Float = 0.0625
        static let neighbours: Float = 0.125
        static let run: Float = 0.15
    }

    private enum Seeds {
        static let neighbours: UInt64 = 0x7061_6972_0000_0001
        static let run: UInt64 = 0x7275_6E00_0000_0001
        static let second: UInt64 = 0x7365_636F_6E64_0001
    }

    // What stands before and after a word when runs of characters are taken from it.
    private static let wordStart: UInt32 = 2
    private static let wordEnd: UInt32 = 3
    private static let runLengths = 3...5
    /// Longer words are digests and other codes, which are copied and not typed.
    private static let longestWithRuns = 32

    /// Makes an embedder of vectors with `dimension` numbers.
    ///
    /// - Throws: `invalidDimension` unless it is a multiple of 8 in ``dimensions``.
    public init(dimension: Int = 384) throws(EmbeddingError) {
        guard Self.dimensions.contains(dimension), dimension.isMultiple(of: 8) else {
            throw .invalidDimension(dimension)
        }
        self.dimension = dimension
        let analyzer = TextAnalyzer()
        self.analyzer = analyzer
        let canaries = EmbeddingSpace.canaryTexts.map { text in
            EmbeddingSpace.Canary(
                text: text,
                vector: EmbeddingSpace.rounded(
                    Self.vector(of: text, analyzer, dimension: dimension)))
        }
        space = EmbeddingSpace(
            embedder: Self.name, version: Self.version, weights: Self.weightsDigest,
            tokenizer: Self.tokenizerDigest, pooling: "sum", normalization: "l2", queryPrefix: "",
            documentPrefix: "", dimension: dimension, elementType: "fp32", tolerance: 0.001,
            canaries: canaries)
    }

    /// The vector of a text, of length 1; all zeros for a text without words. Both roles are the
    /// same.
    public func embed(_ text: String, as role: EmbeddingRole) -> [Float] {
        Self.vector(of: text, analyzer, dimension: dimension)
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
                Self.vector(of: $0, analyzer, dimension: dimension)
            }
        }
        return groups.flatMap(\.self)
    }

    private static func vector(
        of text: String, _ analyzer: TextAnalyzer, dimension: Int
    ) -> [Float] {
        let counts = count(text, analyzer)
        var sums = [Float](repeating: 0, count: dimension)
        func add(_ hash: UInt64, _ value: Float) {
            let bucket = Int(((hash >> 32) &* UInt64(dimension)) >> 32)
            sums[bucket] += hash & 1 == 0 ? value : -value
        }
        for feature in counts.features {
            // The second occurrence of a word says less than the first.
            let value = feature.weight * Float(feature.count).squareRoot()
            add(feature.hash, value)
            // Two numbers for each: features that meet in one seldom meet in the other.
            var second = FeatureHash(seed: Seeds.second)
            second.add(feature.hash)
            add(second.value, value)
        }
        var squares = 0.0
        for sum in sums { squares += Double(sum) * Double(sum) }
        guard squares > 0 else { return sums }
        let length = squares.squareRoot()
        for index in sums.indices { sums[index] = Float(Double(sums[index]) / length) }
        return sums
    }

    private static func count(_ text: String, _ analyzer: TextAnalyzer) -> FeatureCounts {
        let tokens = analyzer.tokens(of: text)
        let bytes = Array(text.utf8)
        // Each token is one and has a neighbour; a word of n characters has less than 3n + 6 runs.
        var counts = FeatureCounts(
            capacity: tokens.reduce(0) { sum, token in
                sum + 2 + (token.kind == .word ? min(token.range.count, 128) * 3 + 6 : 0)
            })
        var word: [UInt32] = []
        var previous: UInt64?
        for token in tokens {
            if token.isStopWord {
                if token.kind == .word { counts.add(token.stem, weight: Weights.stopWord) }
                continue
            }
            counts.add(token.stem, weight: Weights.word)
            guard token.kind == .word else { continue }
            if let previous {
                var pair = FeatureHash(seed: Seeds.neighbours)
                pair.add(previous)
                pair.add(token.stem)
                counts.add(pair.value, weight: Weights.neighbours)
            }
            previous = token.stem
            characters(of: bytes[token.range], &word)
            addRuns(of: word.span, to: &counts)
        }
        return counts
    }

    /// The scalars of a word in the form that is matched, between its marks; none of a long one.
    private static func characters(of bytes: ArraySlice<UInt8>, _ word: inout [UInt32]) {
        word.removeAll(keepingCapacity: true)
        guard bytes.count <= longestWithRuns * 4 else { return }
        word.append(wordStart)
        if bytes.allSatisfy({ $0 < 0x80 }) {
            for byte in bytes { word.append(UInt32(byte &- 0x41 < 26 ? byte | 0x20 : byte)) }
        } else {
            let matched = TextForm.matched(String(decoding: bytes, as: UTF8.self))
            for scalar in matched.unicodeScalars { word.append(scalar.value) }
        }
        word.append(wordEnd)
        if word.count > longestWithRuns + 2 { word.removeAll(keepingCapacity: true) }
    }

    @inline(__always)
    private static func addRuns(of word: Span<UInt32>, to counts: inout FeatureCounts) {
        var first = 0
        while first + runLengths.lowerBound <= word.count {
            var run = FeatureHash(seed: Seeds.run)
            var length = 0
            while length < runLengths.upperBound, first + length < word.count {
                run.add(UInt64(word[first + length]))
                length += 1
                if length >= runLengths.lowerBound {
                    counts.add(run.value, weight: Weights.run)
                }
            }
            first += 1
        }
    }

    // The constants stand where another embedder has weights.
    private static let weightsDigest: ObjectID = {
        let definition: JSON = [
            "hash": "FNV-1a, SplitMix64 mixer", "bucket": "high 32 bits scaled to the dimension",
            "sign": "lowest bit", "numbers": 2, "frequency": "square root",
            "word": .number(Double(Weights.word)), "stopWord": .number(Double(Weights.stopWord)),
            "neighbours": .number(Double(Weights.neighbours)),
            "run": .number(Double(Weights.run)),
        ]
        return ObjectID(of: definition.canonicalBytes.span)
    }()

    private static let tokenizerDigest: ObjectID = {
        let runs =
            "runs of \(runLengths.lowerBound) to \(runLengths.upperBound) characters, of words up to "
            + "\(longestWithRuns)\n"
        return ObjectID(of: (TextAnalyzer.definition + Array(runs.utf8)).span)
    }()
}
