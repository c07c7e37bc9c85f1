public import Artifacts
public import Objects
internal import CKernels
internal import Storage

/// A cross-encoder of the BERT family with one output: it reads a question and a passage together, and says how well the
/// passage answers the question.
public struct CrossEncoder: Reranker {
    private let tokenizer: WordPieceTokenizer
    private let encoder: BertEncoder
    /// The dense layer over the vector of `[CLS]`, whose outputs go through tanh.
    private let pooler: DenseLayer
    private let classifier: DenseLayer
    /// The most tokens of a pair, with the special ones.
    private let limit: Int

    /// How many pairs a thread takes at a time.
    private static let group = 4

    /// Opens the model in a folder.
    ///
    /// - Throws: `unsupported` for another architecture, and for a classifier with several outputs; `missing`,
    ///   `malformed`, `objects`.
    public init(_ folder: ModelFolder) throws(EncoderError) {
        let description = try EncoderDescription(folder)
        guard let weights = try folder.id(of: TensorFile.name) else {
            throw .missing(file: TensorFile.name)
        }
        guard let vocabulary = try folder.id(of: description.tokenizer.file) else {
            throw .missing(file: description.tokenizer.file)
        }
        let file = try TensorFile(weights, in: folder.source)
        guard file.has("classifier.weight") else {
            throw .notCrossEncoder(reason: "\(TensorFile.name) has no classifier.weight")
        }
        let outputs = try file.shape(of: "classifier.bias").first ?? 0
        guard outputs == 1 else {
            throw .notCrossEncoder(reason: "its classifier has \(outputs) outputs")
        }
        tokenizer = try description.tokenizer.open(vocabulary, in: folder.source)
        encoder = try BertEncoder(file, description.encoder)
        try encoder.check(tokenizer, file: description.tokenizer.file, pairs: true)
        let width = encoder.width
        let prefix = BertEncoder.prefix(file)
        pooler = DenseLayer(
            [
                (
                    try file.numbers("\(prefix)pooler.dense.weight", [width, width]),
                    try file.numbers("\(prefix)pooler.dense.bias", [width])
                )
            ], inputs: width)
        classifier = DenseLayer(
            [
                (
                    try file.numbers("classifier.weight", [1, width]),
                    try file.numbers("classifier.bias", [1])
                )
            ], inputs: width)
        limit = try SentenceSettings.tokens(
            folder, path: "", positions: description.encoder.positions)
    }

    /// How well each passage answers a question: the model's output before any squashing, the higher the better.
    ///
    /// Pairs that are too long lose the end of their longer text.
    public func scores(
        of passages: [String], for question: String, threads: Int = Threads.available
    ) -> [Float] {
        let groups = (passages.count + Self.group - 1) / Self.group
        return Threads.map(groups, threads: threads) { index in
            let range = index * Self.group..<min(passages.count, (index + 1) * Self.group)
            let pairs = passages[range].map { tokenizer.encode(question, $0, limit: limit) }
            return scores(of: pairs)
        }.flatMap(\.self)
    }

    private func scores(of pairs: [WordPieceTokenizer.Encoding]) -> [Float] {
        let rows = encoder.vectors(of: pairs)
        let stride = encoder.stride
        var first: [Float] = []
        first.reserveCapacity(pairs.count * stride)
        var start = 0
        for pair in pairs {
            first += rows[start * stride..<(start + 1) * stride]
            start += pair.ids.count
        }
        var pooled = [Float](repeating: 0, count: pairs.count * pooler.outputs)
        pooler.apply(
            first, stride: stride, count: pairs.count, activation: FTI_TANH, to: &pooled)
        var scores = [Float](repeating: 0, count: pairs.count * classifier.outputs)
        classifier.apply(pooled, stride: pooler.outputs, count: pairs.count, to: &scores)
        return pairs.indices.map { scores[$0 * classifier.outputs] }
    }
}

/// Opens cross-encoders of the BERT family in the repository.
public struct CrossEncoderProvider: RerankerProvider {
    /// Makes a provider.
    public init() {}

    /// See ``RerankerProvider``.
    public func open(
        _ model: ObjectID, in source: any ObjectSource
    ) throws(RerankerError) -> any Reranker {
        do throws(EncoderError) {
            let folder = try wrapping(
                ModelFolder(model: model, in: source), as: EncoderError.objects)
            guard let folder else {
                throw .notCrossEncoder(reason: "the snapshot is not the folder of a model")
            }
            return try CrossEncoder(folder)
        } catch {
            // What `EncoderError` suggests by default is for embedders.
            let remedy: String? =
                if case .unsupported(_, nil) = error {
                    "use a cross-encoder of the BERT family with one output"
                } else { error.remedy }
            throw RerankerError(model, error.message, error.fault, remedy: remedy)
        }
    }
}
