internal import Objects

/// A LoRA adapter as PEFT stores it: pairs of matrices for modules of a base model.
struct LowRankAdapter {
    /// The matrices of one module.
    struct Module {
        /// The name of the module in the base model as PEFT wrapped it, such as `model.layers.0.self_attn.q_proj`.
        let path: String
        /// Whether the module is an embedding, whose matrices are stored transposed.
        var isEmbedding = false
        /// The matrix of shape `[r, in]`.
        var down: Tensor?
        /// The matrix of shape `[out, r]`.
        var up: Tensor?
        /// The magnitudes of the columns that DoRA learns, one for each output.
        var magnitude: Tensor?
    }

    /// What a folder with an adapter holds.
    enum Reading {
        /// An adapter whose tensors have known names and shapes.
        case adapter(LowRankAdapter)
        /// An adapter of another kind or form, and which: a whole clause.
        case unknown(String)
        /// An adapter that no program can load, and why: a whole clause.
        case broken(String)
    }

    /// The modules, in the order of their names.
    let modules: [Module]
    /// The tensors that replace those of the base, such as a resized embedding, by name.
    let replacements: [String: Tensor]
    /// The ranks that the configuration allows.
    let ranks: Set<Int>
    /// Whether layers of the base model store their weights as `[in, out]`, as those of GPT-2 do.
    let isTransposed: Bool
    /// Whether the adapted model repeats layers of the base.
    let repeatsLayers: Bool

    /// The name of the file that describes an adapter.
    static let configName = "adapter_config.json"
    /// The name of the file with its tensors.
    static let tensorsName = "adapter_model.safetensors"
    /// How PEFT's wrapper prefixes the names of the base model.
    private static let prefix = "base_model.model."
    /// Variants of LoRA whose matrices have other shapes.
    private static let variants = ["use_qalora", "use_bdlora"]
    /// The largest rank that a configuration may name.
    private static let rankLimit = 1 << 20

    /// Reads the adapter of a folder: its configuration and the header of its tensors.
    static func read(
        _ folder: ModelFolder, in source: some ObjectRangeSource
    ) throws(ObjectError) -> Reading {
        guard let config = try folder.json(configName, in: source) else {
            return .broken("\(configName) is not a JSON object")
        }
        guard let type = config["peft_type"]?.string else {
            return .unknown("\(configName) is not one of PEFT")
        }
        guard type == "LORA" else {
            return .unknown("fti knows the shapes of LoRA, and this is \(Text.quoted(type))")
        }
        if let variant = variants.first(where: { config[$0].map(isSet) ?? false }) {
            return .unknown("fti does not know the shapes of a LoRA with \(variant)")
        }
        guard let file = folder.file(tensorsName) else {
            return .unknown("there is no \(tensorsName)")
        }
        let tensors: Safetensors
        switch try Safetensors.read(file.id, in: source) {
        case .success(let header): tensors = header
        case .failure(let error):
            return .broken("\(tensorsName) is \(error.description)")
        }
        guard let rank = config["r"]?.integer, 1...rankLimit ~= rank else {
            return .broken("\(configName) has no rank: r must be a whole number")
        }
        return .adapter(LowRankAdapter(tensors.tensors, rank: rank, config))
    }

    /// Whether a member of a configuration turns something on.
    private static func isSet(_ value: JSON) -> Bool {
        switch value {
        case .null, .bool(false): false
        default: true
        }
    }

    private init(_ tensors: [Tensor], rank: Int, _ config: JSONObject) {
        // Keys of the pattern are regular expressions of module names, which need not be evaluated: each module must
        // have one of the ranks.
        let others = (config["rank_pattern"]?.object?.members ?? []).compactMap(\.value.integer)
        ranks = Set([rank] + others)
        isTransposed = config["fan_in_fan_out"]?.bool ?? false
        repeatsLayers = config["layer_replication"].map(Self.isSet) ?? false
        var modules: [String: Module] = [:]
        var replacements: [String: Tensor] = [:]
        for tensor in tensors {
            guard let (path, part) = Self.place(of: tensor.name) else {
                let name = Self.withoutPrefix(tensor.name).replacingLayer
                replacements[name] = tensor
                continue
            }
            var module = modules[path] ?? Module(path: path)
            switch part {
            case "lora_A", "lora_embedding_A": module.down = tensor
            case "lora_B", "lora_embedding_B": module.up = tensor
            default: module.magnitude = tensor
            }
            if part.hasPrefix("lora_embedding") { module.isEmbedding = true }
            modules[path] = module
        }
        self.modules = modules.values.sorted { $0.path < $1.path }
        self.replacements = replacements
    }

    private static let parts: Set<String> = [
        "lora_A", "lora_B", "lora_embedding_A", "lora_embedding_B", "lora_magnitude_vector",
    ]

    /// The module that a tensor adapts, and which part of the adapter it is; nil for any other tensor, such as the bias
    /// of `lora_B`.
    private static func place(of name: String) -> (path: String, part: String)? {
        let names = withoutPrefix(name).split(separator: ".", omittingEmptySubsequences: false)
        guard let at = names.lastIndex(where: { parts.contains(String($0)) }) else { return nil }
        // The name of the adapter may follow, as in a checkpoint of another tool: lora_A.default.weight.
        let rest = names[(at + 1)...]
        guard rest.count <= 2, rest.last != "bias" else { return nil }
        let path = names[..<at].filter { $0 != "base_layer" }.joined(separator: ".")
        return (path, String(names[at]))
    }

    private static func withoutPrefix(_ name: String) -> String {
        name.hasPrefix(prefix) ? String(name.dropFirst(prefix.count)) : name
    }
}

extension String {
    /// The name of a tensor of the base, from that of one which the adapter replaces.
    fileprivate var replacingLayer: String {
        split(separator: ".", omittingEmptySubsequences: false)
            .filter { $0 != "base_layer" && $0 != "modules_to_save" }.joined(separator: ".")
    }
}

/// Texts from files, in messages.
enum Text {
    /// A text, quoted and cut to a length that fits a message.
    static func quoted(_ text: String) -> String {
        JSON.string(text.count > 160 ? "\(text.prefix(160))…" : text).canonicalText
    }
}
