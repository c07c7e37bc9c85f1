public import Artifacts
public import Objects
internal import Storage

/// A sentence embedder of the BERT family that runs in this process, from weights in the repository.
///
/// Vectors have length 1, unless the model asks for comparison by inner product and does not scale them itself. The same
/// text gives the same bits on every processor with fused multiplication and addition, alone or among other texts.
public struct SentenceEncoder: Embedder {
    /// The embedder's name in spaces and configurations.
    public static let name = "bert"
    /// The version of the arithmetic and of what is read from a model's files.
    public static let version = "1"
    /// The largest difference of a canary: far more than processors differ by, far less than models do.
    private static let tolerance = 0.001
    /// How many bytes of text a thread takes at a time, unless one text is longer: about as many tokens as the kernels
    /// keep in the cache.
    private static let groupBytes = 1800

    /// See ``Embedder``.
    public let space: EmbeddingSpace
    private let tokenizer: WordPieceTokenizer
    private let weights: DeferredEncoder
    private let pooling: SentenceSettings.Pooling
    private let isNormalized: Bool
    /// The most tokens of a text, with the special ones.
    private let limit: Int

    /// Opens the model in a folder, and finds the space of its vectors.
    ///
    /// - Parameter known: Spaces that already hold vectors. If one describes the same model, it is used again, and the
    ///   weights are not read before the first text.
    /// - Throws: `model` when this program cannot run the model.
    public static func open(
        _ folder: ModelFolder, known: [EmbeddingSpace] = []
    ) throws(EmbeddingError) -> SentenceEncoder {
        let (space, description) = try wrapping(as: EmbeddingError.init) {
            () throws(EncoderError) in try Self.declared(by: folder)
        }
        var known = known
        if let place = known.firstIndex(where: { hasSameModel($0, space) }) {
            return try opened(known.remove(at: place), description, in: folder.source)
        }
        var embedder = try opened(space, description, in: folder.source)
        let encoder = try embedder.loaded()
        let vectors = try finite(
            embedder.vectors(
                of: EmbeddingSpace.canaryTexts, prefix: space.documentPrefix, encoder))
        embedder.setCanaries(vectors, width: encoder.width)
        return embedder
    }

    /// The space that the vectors of a model in a folder belong to, and what counts tokens, without reading the weights.
    /// The space is a known one, or else one without dimension and canaries.
    ///
    /// - Throws: `model` when this program cannot run the model.
    public static func expected(
        _ folder: ModelFolder, known: [EmbeddingSpace]
    ) throws(EmbeddingError) -> (space: EmbeddingSpace, tokens: (any TokenCounter)?) {
        let (declared, description) = try wrapping(as: EmbeddingError.init) {
            () throws(EncoderError) in try Self.declared(by: folder)
        }
        let space = known.first { hasSameModel($0, declared) } ?? declared
        return (space, try opened(space, description, in: folder.source).tokens)
    }

    /// Opens the embedder of an existing space, reads its weights and checks its canaries.
    ///
    /// - Throws: `unavailable` when the space belongs to another embedder or version; `model` when its files cannot be
    ///   read; `canaryDiffers` when they give other vectors.
    public static func open(
        _ space: EmbeddingSpace, in source: any ObjectSource
    ) throws(EmbeddingError) -> SentenceEncoder {
        guard space.embedder.utf8.elementsEqual(name.utf8),
            space.version.utf8.elementsEqual(version.utf8), let encoder = space.encoder
        else {
            throw .unavailable(space: space.id, embedder: space.embedder, version: space.version)
        }
        let description = try wrapping(as: EmbeddingError.init) { () throws(EncoderError) in
            try EncoderDescription(encoder)
        }
        let embedder = try opened(space, description, in: source)
        _ = try embedder.loaded()
        return embedder
    }

    /// What a model's files say of the space of its vectors: all but dimension and canaries.
    private static func declared(
        by folder: ModelFolder
    ) throws(EncoderError) -> (EmbeddingSpace, EncoderDescription) {
        var description = try EncoderDescription(folder)
        let settings = try SentenceSettings(folder, positions: description.encoder.positions)
        description.tokens = settings.tokens
        guard let weights = try folder.id(of: TensorFile.name) else {
            throw .missing(
                file: TensorFile.name,
                remedy: "save the model as one file of safetensors: model.save_pretrained(FOLDER)")
        }
        guard let tokenizer = try folder.id(of: description.tokenizer.file) else {
            throw .missing(file: description.tokenizer.file)
        }
        let space = EmbeddingSpace(
            embedder: name, version: version, weights: weights, tokenizer: tokenizer,
            pooling: settings.pooling.rawValue,
            normalization: settings.isNormalized ? "l2" : "none",
            queryPrefix: settings.queryPrefix, documentPrefix: settings.documentPrefix,
            encoder: description.json, dimension: 0, elementType: "fp32", tolerance: tolerance,
            canaries: [])
        return (space, description)
    }

    /// Whether a space is of the model that `declared` describes; the weights decide the dimension and the canaries.
    private static func hasSameModel(_ space: EmbeddingSpace, _ declared: EmbeddingSpace) -> Bool {
        var declared = declared
        declared.dimension = space.dimension
        return space.declaredDifferences(from: declared).isEmpty
    }

    /// An embedder whose weights are not read yet.
    private static func opened(
        _ space: EmbeddingSpace, _ description: EncoderDescription, in source: any ObjectSource
    ) throws(EmbeddingError) -> SentenceEncoder {
        try wrapping(as: EmbeddingError.init) { () throws(EncoderError) in
            guard let pooling = SentenceSettings.Pooling(rawValue: space.pooling) else {
                throw .unsupported(what: "pooling by \(space.pooling)")
            }
            let tokenizer = try description.tokenizer.open(space.tokenizer, in: source)
            for prefix in [space.documentPrefix, space.queryPrefix]
            where tokenizer.count(prefix) + 2 >= description.tokens {
                throw .malformed(
                    file: SentenceSettings.promptsFile,
                    reason: "has a prompt that leaves no room for a text in \(description.tokens) "
                        + "tokens")
            }
            let id = space.weights
            return SentenceEncoder(
                space: space, tokenizer: tokenizer,
                weights: DeferredEncoder { () throws(EncoderError) in
                    let encoder = try BertEncoder(
                        try TensorFile(id, in: source), description.encoder)
                    try encoder.check(
                        tokenizer, file: description.tokenizer.file, pairs: false)
                    return encoder
                }, pooling: pooling, isNormalized: space.normalization == "l2",
                limit: description.tokens)
        }
    }

    private init(
        space: EmbeddingSpace, tokenizer: WordPieceTokenizer, weights: DeferredEncoder,
        pooling: SentenceSettings.Pooling, isNormalized: Bool, limit: Int
    ) {
        self.space = space
        self.tokenizer = tokenizer
        self.weights = weights
        self.pooling = pooling
        self.isNormalized = isNormalized
        self.limit = limit
    }

    private mutating func setCanaries(_ vectors: [[Float]], width: Int) {
        var space = space
        space.dimension = width
        space.canaries = zip(EmbeddingSpace.canaryTexts, vectors).map { text, vector in
            EmbeddingSpace.Canary(text: text, vector: EmbeddingSpace.rounded(vector))
        }
        self = SentenceEncoder(
            space: space, tokenizer: tokenizer, weights: weights, pooling: pooling,
            isNormalized: isNormalized, limit: limit)
    }

    /// The encoder; reads it and checks the canaries of the space, if it has any, the first time.
    private func loaded() throws(EmbeddingError) -> BertEncoder {
        try weights.encoder { (encoder) throws(EmbeddingError) in
            guard !space.canaries.isEmpty else { return }
            guard encoder.width == space.dimension else {
                throw .embedderDiffers(
                    space: space.id,
                    differences: ["dimension \(space.dimension), not \(encoder.width)"])
            }
            try space.check(
                vectors(of: space.canaries.map(\.text), prefix: space.documentPrefix, encoder))
        }
    }

    /// See ``Embedder``.
    public var tokens: (any TokenCounter)? {
        // Two marks are around every text, and the prefix before it.
        let rest = limit - 2 - tokenizer.count(space.documentPrefix)
        return Counter(tokenizer: tokenizer, limit: max(0, rest))
    }

    private struct Counter: TokenCounter {
        let tokenizer: WordPieceTokenizer
        let limit: Int

        func count(_ text: String) -> Int { tokenizer.count(text) }
    }

    /// See ``Embedder``.
    public func embed(_ text: String, as role: EmbeddingRole) throws(EmbeddingError) -> [Float] {
        try Self.finite(vectors(of: [text], prefix: space.prefix(of: role), try loaded())).first
            ?? []
    }

    /// See ``Embedder``. Divides the texts among the processors, and calls `made` for every few texts.
    public func embed(
        _ texts: [String], as role: EmbeddingRole, made: @Sendable (Int, [[Float]]) -> Void
    ) throws(EmbeddingError) -> [[Float]] {
        guard !texts.isEmpty else { return [] }
        let encoder = try loaded()
        let prefix = space.prefix(of: role)
        let groups = Self.groups(texts)
        let vectors = Threads.map(groups.count) { index in
            let group = self.vectors(of: texts[groups[index]], prefix: prefix, encoder)
            if group.allSatisfy({ $0.allSatisfy(\.isFinite) }) {
                made(groups[index].lowerBound, group)
            }
            return group
        }
        return try Self.finite(vectors.flatMap(\.self))
    }

    /// The vectors, if all their numbers are finite.
    ///
    /// - Throws: `model` when huge weights made the numbers overflow.
    private static func finite(_ vectors: [[Float]]) throws(EmbeddingError) -> [[Float]] {
        guard vectors.allSatisfy({ $0.allSatisfy(\.isFinite) }) else {
            throw EmbeddingError(
                .malformed(
                    file: TensorFile.name, reason: "gives vectors with numbers that are not finite")
            )
        }
        return vectors
    }

    /// Neighbouring texts of about ``groupBytes`` together.
    private static func groups(_ texts: [String]) -> [Range<Int>] {
        var groups: [Range<Int>] = []
        var (first, bytes) = (0, 0)
        for (index, text) in texts.enumerated() {
            let size = text.utf8.count
            if index > first, bytes + size > groupBytes {
                groups.append(first..<index)
                (first, bytes) = (index, 0)
            }
            bytes += size
        }
        if first < texts.count { groups.append(first..<texts.count) }
        return groups
    }

    private func vectors(
        of texts: some Collection<String>, prefix: String, _ encoder: BertEncoder
    ) -> [[Float]] {
        let tokens = texts.map { tokenizer.encode(prefix + $0, limit: limit) }
        let rows = encoder.vectors(of: tokens)
        var start = 0
        return tokens.map { text in
            let count = pooling == .cls ? 1 : text.ids.count
            var vector = [Float](repeating: 0, count: encoder.width)
            for token in start..<start + count {
                let first = token * encoder.stride
                for index in vector.indices { vector[index] += rows[first + index] }
            }
            start += text.ids.count
            scale(&vector, tokens: count)
            return vector
        }
    }

    /// Turns the sum of the vectors of some tokens into the vector of a text.
    private func scale(_ vector: inout [Float], tokens: Int) {
        guard isNormalized else {
            for index in vector.indices { vector[index] /= Float(tokens) }
            return
        }
        var squares = 0.0
        for value in vector { squares += Double(value) * Double(value) }
        guard squares > 0 else { return }
        let length = squares.squareRoot()
        for index in vector.indices { vector[index] = Float(Double(vector[index]) / length) }
    }
}

extension EmbeddingError {
    /// The error of an embedder whose model cannot be used.
    init(_ error: EncoderError) {
        self = .model(message: error.message, error.fault, remedy: error.remedy)
    }
}

/// Opens the embedders of BERT-family models in the repository.
public struct BertProvider: EmbedderProvider {
    /// See ``EmbedderProvider``.
    public let name = SentenceEncoder.name

    /// Makes a provider.
    public init() {}

    /// See ``EmbedderProvider``.
    public func open(
        _ space: EmbeddingSpace, in source: any ObjectSource
    ) throws(EmbeddingError) -> any Embedder {
        try SentenceEncoder.open(space, in: source)
    }
}
