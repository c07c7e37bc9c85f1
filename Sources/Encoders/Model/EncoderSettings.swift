internal import Objects

/// How the weights of a BERT-family encoder are used: what `config.json` says beyond the shapes of the tensors.
struct EncoderSettings: Hashable, Sendable {
    /// The function between the two dense layers of a block.
    enum Activation: String, Sendable {
        case gelu
        case geluTanh = "gelu_tanh"
        case relu

        /// The function of that name in `config.json`; nil for another one.
        init?(configured name: String) {
            switch name {
            case "gelu", "gelu_python": self = .gelu
            case "gelu_new", "gelu_pytorch_tanh", "gelu_fast": self = .geluTanh
            case "relu": self = .relu
            default: return nil
            }
        }
    }

    /// The number of blocks.
    let layers: Int
    /// The number of attention heads in a block.
    let heads: Int
    let activation: Activation
    /// What is added to the variance when a row is normalized.
    let epsilon: Double
    /// The number of positions, which bounds the tokens of a text.
    let positions: Int

    /// The name of the file.
    static let fileName = "config.json"

    /// Reads `config.json`.
    ///
    /// - Throws: `missing`; `unsupported` for another architecture, and for what changes how this one works.
    init(_ folder: ModelFolder) throws(EncoderError) {
        guard let config = try folder.object(at: Self.fileName) else {
            throw .missing(file: Self.fileName)
        }
        guard let type = config["model_type"]?.string, type.utf8.elementsEqual("bert".utf8) else {
            guard
                let name = config["model_type"]?.string ?? config["architectures"]?.canonicalText
            else { throw .malformed(file: Self.fileName, reason: "names no model_type") }
            throw .unsupported(what: "encoder for the architecture \(name)")
        }
        if let kind = config["position_embedding_type"]?.string, kind != "absolute" {
            throw .unsupported(what: "position embeddings of type \(kind)")
        }
        if config["is_decoder"]?.bool == true {
            throw .unsupported(what: "encoder for a BERT that is a decoder")
        }
        let name = config["hidden_act"]?.string ?? "gelu"
        guard let activation = Activation(configured: name) else {
            throw .unsupported(what: "activation \(name)")
        }
        func count(_ key: String, in range: ClosedRange<Int>) throws(EncoderError) -> Int {
            guard let value = config[key]?.integer, range.contains(value) else {
                throw .malformed(
                    file: Self.fileName,
                    reason: "must have \(key) from \(range.lowerBound) to \(range.upperBound)")
            }
            return value
        }
        layers = try count("num_hidden_layers", in: 1...128)
        heads = try count("num_attention_heads", in: 1...256)
        positions = try count("max_position_embeddings", in: 2...65_536)
        self.activation = activation
        epsilon = config["layer_norm_eps"]?.number ?? 1e-12
        guard epsilon >= 0, epsilon < 1 else {
            throw .malformed(file: Self.fileName, reason: "must have layer_norm_eps from 0 to 1")
        }
    }

    /// Reads the settings that ``json`` wrote.
    init(_ reader: inout JSONObjectReader) throws(JSONSchemaError) {
        func count(
            _ key: String, in range: ClosedRange<Int>
        ) throws(JSONSchemaError) -> Int {
            let value = try reader.count(key)
            guard range.contains(value) else { throw reader.error(key, "is out of range") }
            return value
        }
        layers = try count("layers", in: 1...128)
        heads = try count("heads", in: 1...256)
        positions = try count("positions", in: 2...65_536)
        guard let activation = Activation(rawValue: try reader.string("activation")) else {
            throw reader.error("activation", "is unknown")
        }
        self.activation = activation
        epsilon = try reader.number("epsilon")
        guard epsilon >= 0, epsilon < 1 else { throw reader.error("epsilon", "is out of range") }
    }

    /// The settings as an embedding space stores them.
    var json: JSON {
        [
            "layers": .integer(layers), "heads": .integer(heads),
            "positions": .integer(positions), "activation": .string(activation.rawValue),
            "epsilon": .number(epsilon),
        ]
    }
}
