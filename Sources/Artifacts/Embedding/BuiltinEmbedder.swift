internal import Objects
internal import TextAnalysis

/// An embedder without weights: it hashes stems, identifiers, pairs of neighbouring words and character n-grams into a
/// vector.
///
/// The same text gives the same bits on every machine. `docs/embedder.md` defines the embedder.
public struct BuiltinEmbedder: Embedder {
    /// The embedder's name in spaces and configurations.
    public static let name = "builtin"
    /// The version of the definition; a change to it changes the embedding space.
    public static let version = "2"
    /// The supported dimensions; only multiples of 8 are allowed.
    public static let dimensions = 8...65536

    /// See ``Embedder``.
    public let space: EmbeddingSpace
    private let dimension: Int
    // The analyzer is English for every text: a question has no known language, and it must get the stems of its
    // answer.
    private let analyzer: TextAnalyzer

    /// The weight of each kind of term.
    private enum Weights {
        // Words carry most of the meaning. Pairs add word order, and n-grams forgive typing errors. Both are
        // numerous: with so few dimensions, heavy weights for them would drown the words.
        static let word: Float = 1
        static let stopWord: Float = 0.0625
        static let neighbours: Float = 0.125
        static let ngram: Float = 0.15
    }

    private enum Seeds {
        static let neighbours: UInt64 = 0x7061_6972_0000_0001
        static let ngram: UInt64 = 0x7275_6E00_0000_0001
        static let second: UInt64 = 0x7365_636F_6E64_0001
    }

    // Mark the start and end of a word in its n-grams.
    private static let wordStart: UInt32 = 2
    private static let wordEnd: UInt32 = 3
    private static let ngramLengths = 3...5
    /// The longest word that gets n-grams, in characters; longer words are mostly digests and other codes, which
    /// people copy rather than type.
    private static let longestWithNgrams = 32

    /// Makes an embedder whose vectors have `dimension` components.
    ///
    /// - Throws: `invalidDimension` unless `dimension` is a multiple of 8 within ``dimensions``.
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

    /// The unit vector of a text; all zeros for a text without words. Both roles give the same vector.
    public func embed(_ text: String, as role: EmbeddingRole) -> [Float] {
        Self.vector(of: text, analyzer, dimension: dimension)
    }

    /// See ``Embedder``. Divides the texts among several threads, and calls `made` once, with all vectors.
    public func embed(
        _ texts: [String], as role: EmbeddingRole, made: @Sendable (Int, [[Float]]) -> Void
    ) -> [[Float]] {
        let vectors = embed(texts, as: role)
        made(0, vectors)
        return vectors
    }

    /// The vectors of some texts, in order.
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
        for term in counts.terms {
            // A second occurrence of a term adds less than the first.
            let value = term.weight * Float(term.count).squareRoot()
            add(term.hash, value)
            // Each term adds to two buckets: terms that collide in one seldom collide in the other.
            var second = TermHash(seed: Seeds.second)
            second.add(term.hash)
            add(second.value, value)
        }
        var squares = 0.0
        for sum in sums { squares += Double(sum) * Double(sum) }
        guard squares > 0 else { return sums }
        let length = squares.squareRoot()
        for index in sums.indices { sums[index] = Float(Double(sums[index]) / length) }
        return sums
    }

    private static func count(_ text: String, _ analyzer: TextAnalyzer) -> TermCounts {
        let tokens = analyzer.tokens(of: text)
        let bytes = Array(text.utf8)
        // Each token is a term and may form a pair; a word of n characters has fewer than 3n + 6 n-grams.
        var counts = TermCounts(
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
                var pair = TermHash(seed: Seeds.neighbours)
                pair.add(previous)
                pair.add(token.stem)
                counts.add(pair.value, weight: Weights.neighbours)
            }
            previous = token.stem
            characters(of: bytes[token.range], &word)
            addNgrams(of: word.span, to: &counts)
        }
        return counts
    }

    /// The scalars of a word in the matched form, between its start and end marks; empty for a long word.
    private static func characters(of bytes: ArraySlice<UInt8>, _ word: inout [UInt32]) {
        word.removeAll(keepingCapacity: true)
        guard bytes.count <= longestWithNgrams * 4 else { return }
        word.append(wordStart)
        if bytes.allSatisfy({ $0 < 0x80 }) {
            for byte in bytes { word.append(UInt32(byte &- 0x41 < 26 ? byte | 0x20 : byte)) }
        } else {
            let matched = TextForm.matched(String(decoding: bytes, as: UTF8.self))
            for scalar in matched.unicodeScalars { word.append(scalar.value) }
        }
        word.append(wordEnd)
        if word.count > longestWithNgrams + 2 { word.removeAll(keepingCapacity: true) }
    }

    @inline(__always)
    private static func addNgrams(of word: Span<UInt32>, to counts: inout TermCounts) {
        var first = 0
        while first + ngramLengths.lowerBound <= word.count {
            var ngram = TermHash(seed: Seeds.ngram)
            var length = 0
            while length < ngramLengths.upperBound, first + length < word.count {
                ngram.add(UInt64(word[first + length]))
                length += 1
                if length >= ngramLengths.lowerBound {
                    counts.add(ngram.value, weight: Weights.ngram)
                }
            }
            first += 1
        }
    }

    // These constants take the place of another embedder's weights.
    private static let weightsDigest: ObjectID = {
        let definition: JSON = [
            "hash": "FNV-1a, SplitMix64 mixer", "bucket": "high 32 bits scaled to the dimension",
            "sign": "lowest bit", "numbers": 2, "frequency": "square root",
            "word": .number(Double(Weights.word)), "stopWord": .number(Double(Weights.stopWord)),
            "neighbours": .number(Double(Weights.neighbours)),
            "run": .number(Double(Weights.ngram)),
        ]
        return ObjectID(of: definition.canonicalBytes.span)
    }()

    private static let tokenizerDigest: ObjectID = {
        let ngrams =
            "runs of \(ngramLengths.lowerBound) to \(ngramLengths.upperBound) characters, of words up to "
            + "\(longestWithNgrams)\n"
        return ObjectID(of: (TextAnalyzer.definition + Array(ngrams.utf8)).span)
    }()
}

/// Counts the hashed terms of one text, in order of first occurrence, so that sums over them always add in the same
/// order.
struct TermCounts {
    struct Term {
        let hash: UInt64
        let weight: Float
        var count: Int
    }

    private(set) var terms: [Term] = []
    // Indices into `terms` plus one, with open addressing; at most half full.
    private var slots: [UInt32]
    private let mask: Int

    /// Reserves room for `capacity` different terms; the caller must not add more.
    init(capacity: Int) {
        var size = 64
        while size < capacity * 2 { size *= 2 }
        slots = [UInt32](repeating: 0, count: size)
        mask = size - 1
        terms.reserveCapacity(capacity)
    }

    @inline(__always)
    mutating func add(_ hash: UInt64, weight: Float) {
        var slot = Int(truncatingIfNeeded: hash) & mask
        while true {
            let index = slots[slot]
            if index == 0 {
                terms.append(Term(hash: hash, weight: weight, count: 1))
                slots[slot] = UInt32(terms.count)
                return
            }
            if terms[Int(index) - 1].hash == hash {
                terms[Int(index) - 1].count += 1
                return
            }
            slot = (slot + 1) & mask
        }
    }
}
