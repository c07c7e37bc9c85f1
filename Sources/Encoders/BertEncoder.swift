internal import CKernels
internal import Objects

/// The encoder of BERT (Devlin and others, 2019): it gives each token of a text a vector that depends on the whole text.
///
/// A batch is computed without padding, and the vectors of a text do not depend on the texts beside it.
final class BertEncoder: Sendable {
    /// The number of components of a token's vector.
    let width: Int
    /// The distance of two tokens' vectors in the result.
    var stride: Int { DenseLayer.padded(width) }
    /// The number of words that have a vector.
    let vocabulary: Int
    private let settings: EncoderSettings
    private let words: [Float]
    private let positions: [Float]
    private let types: [Float]
    private let typeCount: Int
    private let inputNorm: Norm
    private let layers: [Layer]

    private struct Norm: Sendable {
        let scale: [Float]
        let shift: [Float]
    }

    private struct Layer: Sendable {
        /// Queries, keys and values, one after another.
        let attention: DenseLayer
        let attentionOutput: DenseLayer
        let attentionNorm: Norm
        let intermediate: DenseLayer
        let output: DenseLayer
        let outputNorm: Norm
    }

    /// Reads the weights.
    ///
    /// - Throws: `malformed` when a tensor is missing or does not fit; `unsupported` for a type of numbers.
    init(_ file: TensorFile, _ settings: EncoderSettings) throws(EncoderError) {
        self.settings = settings
        let prefix = Self.prefix(file)
        let embeddings = "\(prefix)embeddings."
        let shape = try file.shape(of: "\(embeddings)word_embeddings.weight")
        let typeShape = try file.shape(of: "\(embeddings)token_type_embeddings.weight")
        guard shape.count == 2, typeShape.count == 2, shape[1] > 0, typeShape[0] > 0,
            shape[1].isMultiple(of: settings.heads)
        else {
            throw .malformed(
                file: TensorFile.name,
                reason: "has word embeddings of shape \(shape) for \(settings.heads) heads")
        }
        let width = shape[1]
        self.width = width
        vocabulary = shape[0]
        typeCount = typeShape[0]
        words = try file.numbers("\(embeddings)word_embeddings.weight", shape)
        positions = try file.numbers(
            "\(embeddings)position_embeddings.weight", [settings.positions, width])
        types = try file.numbers("\(embeddings)token_type_embeddings.weight", typeShape)

        func norm(_ name: String) throws(EncoderError) -> Norm {
            // Files converted from the first releases have the names of TensorFlow.
            let isOld = file.has("\(name).gamma")
            return Norm(
                scale: try file.numbers("\(name).\(isOld ? "gamma" : "weight")", [width]),
                shift: try file.numbers("\(name).\(isOld ? "beta" : "bias")", [width]))
        }
        func dense(
            _ names: [String], from inputs: Int, to outputs: Int
        ) throws(EncoderError) -> DenseLayer {
            DenseLayer(
                try names.map { (name) throws(EncoderError) in
                    (
                        try file.numbers("\(name).weight", [outputs, inputs]),
                        try file.numbers("\(name).bias", [outputs])
                    )
                }, inputs: inputs)
        }
        inputNorm = try norm("\(embeddings)LayerNorm")
        layers = try (0..<settings.layers).map { (index) throws(EncoderError) in
            let name = "\(prefix)encoder.layer.\(index)."
            let inner = try file.shape(of: "\(name)intermediate.dense.bias")
            guard inner.count == 1, inner[0] > 0 else {
                throw .malformed(
                    file: TensorFile.name,
                    reason: "has the tensor \(name)intermediate.dense.bias of shape \(inner)")
            }
            let attention = "\(name)attention."
            return Layer(
                attention: try dense(
                    ["query", "key", "value"].map { "\(attention)self.\($0)" }, from: width,
                    to: width),
                attentionOutput: try dense(
                    ["\(attention)output.dense"], from: width, to: width),
                attentionNorm: try norm("\(attention)output.LayerNorm"),
                intermediate: try dense(
                    ["\(name)intermediate.dense"], from: width, to: inner[0]),
                output: try dense(["\(name)output.dense"], from: inner[0], to: width),
                outputNorm: try norm("\(name)output.LayerNorm"))
        }
    }

    /// Checks that every id and every type that a tokenizer gives has a vector.
    ///
    /// - Parameter pairs: Whether it is to read pairs of texts.
    /// - Throws: `malformed`, naming the tokenizer's file.
    func check(
        _ tokenizer: WordPieceTokenizer, file: String, pairs: Bool
    ) throws(EncoderError) {
        // The types depend only on the places of the texts.
        let sample =
            pairs ? tokenizer.encode("a", "a", limit: 64) : tokenizer.encode("a", limit: 64)
        if let type = sample.types.max(), Int(type) >= typeCount {
            throw .malformed(
                file: file,
                reason: "gives tokens the type \(type), but the model has \(typeCount) types")
        }
        guard tokenizer.vocabularySize <= vocabulary else {
            throw .malformed(
                file: file,
                reason: "has ids up to \(tokenizer.vocabularySize - 1), but the model has "
                    + "\(vocabulary) words")
        }
    }

    /// What precedes the names of the encoder's tensors: models with a head keep the encoder in `bert`.
    static func prefix(_ file: TensorFile) -> String {
        file.has("bert.embeddings.word_embeddings.weight") ? "bert." : ""
    }

    /// The vectors of the tokens of some texts, in order, ``stride`` numbers apart.
    ///
    /// - Parameter texts: The tokens of each text, at least one and at most as many as the model has positions, with ids
    ///   below ``vocabulary``.
    func vectors(of texts: [WordPieceTokenizer.Encoding]) -> [Float] {
        let count = texts.reduce(0) { $0 + $1.ids.count }
        let lengths = texts.map { Int32($0.ids.count) }
        precondition(
            texts.allSatisfy { text in
                1...settings.positions ~= text.ids.count
                    && text.ids.allSatisfy { 0..<vocabulary ~= Int($0) }
                    && text.types.allSatisfy { 0..<typeCount ~= Int($0) }
            }, "the tokens are in the vocabulary")
        let stride = stride
        var rows = [Float](repeating: 0, count: count * stride)
        fti_add_rows(words, width, texts.flatMap(\.ids), count, &rows, stride)
        fti_add_rows(
            positions, width, lengths.flatMap { 0..<$0 }, count, &rows, stride)
        fti_add_rows(types, width, texts.flatMap { $0.types.map(Int32.init) }, count, &rows, stride)
        normalize(&rows, adding: nil, count, inputNorm)

        let inner = layers.map(\.intermediate.outputs).max() ?? 0
        let head = width / settings.heads
        var projected = [Float](repeating: 0, count: count * 3 * stride)
        var context = [Float](repeating: 0, count: count * stride)
        var added = [Float](repeating: 0, count: count * stride)
        var intermediate = [Float](repeating: 0, count: count * inner)
        var scratch = [Float](
            repeating: 0, count: fti_attention_scratch(Int(lengths.max() ?? 0), head))
        for layer in layers {
            layer.attention.apply(rows, stride: stride, count: count, to: &projected)
            fti_attention(
                projected, 3 * stride, stride, lengths, lengths.count, settings.heads, head,
                &scratch, &context, stride)
            layer.attentionOutput.apply(context, stride: stride, count: count, to: &added)
            normalize(&rows, adding: added, count, layer.attentionNorm)
            layer.intermediate.apply(
                rows, stride: stride, count: count, activation: settings.activation.kernel,
                to: &intermediate)
            layer.output.apply(
                intermediate, stride: layer.intermediate.outputs, count: count, to: &added)
            normalize(&rows, adding: added, count, layer.outputNorm)
        }
        return rows
    }

    private func normalize(
        _ rows: inout [Float], adding added: [Float]?, _ count: Int, _ norm: Norm
    ) {
        let epsilon = Float(settings.epsilon)
        if let added {
            fti_add_and_normalize(
                &rows, added, stride, count, width, norm.scale, norm.shift, epsilon)
        } else {
            fti_add_and_normalize(
                &rows, nil, stride, count, width, norm.scale, norm.shift, epsilon)
        }
    }
}

extension EncoderSettings.Activation {
    /// The kernels' name for the function.
    var kernel: fti_activation {
        switch self {
        case .gelu: FTI_GELU
        case .geluTanh: FTI_GELU_TANH
        case .relu: FTI_RELU
        }
    }
}
