internal import Objects

/// How the vectors of tokens become the vector of a text: what `modules.json` and the files beside it say.
struct SentenceSettings: Hashable, Sendable {
    /// How the vectors of a text's tokens are combined.
    enum Pooling: String, Sendable {
        /// The mean of all of them.
        case mean
        /// The vector of the first token, `[CLS]`.
        case cls
    }

    var pooling = Pooling.mean
    /// Whether vectors are scaled to length 1.
    var isNormalized = true
    /// The text before every question.
    var queryPrefix = ""
    /// The text before every document.
    var documentPrefix = ""
    /// The most tokens of a text, with `[CLS]` and `[SEP]`.
    let tokens: Int

    private static let modulesFile = "modules.json"
    static let promptsFile = "config_sentence_transformers.json"

    /// Reads the files of a model; without `modules.json` it is a plain encoder, whose tokens are averaged.
    ///
    /// - Throws: `unsupported` for another module or pooling, or for vectors that the store could not compare.
    init(_ folder: ModelFolder, positions: Int) throws(EncoderError) {
        let modules = try Self.modules(folder)
        guard
            modules.map(\.type).starts(with: ["Transformer", "Pooling"])
                || modules.map(\.type) == ["Transformer"]
        else {
            throw .malformed(
                file: Self.modulesFile, reason: "must begin with Transformer and Pooling")
        }
        tokens = try Self.tokens(
            folder, path: modules.first?.path ?? "", positions: positions)
        let hasPrompt = try readPrompts(folder)
        if let module = modules.first(where: { $0.type == "Pooling" }) {
            try readPooling(folder, path: module.path, hasPrompt: hasPrompt)
        }
        let similarity =
            try folder.object(at: Self.promptsFile)?["similarity_fn_name"]?.string ?? "cosine"
        switch similarity {
        // A search compares inner products, which are cosines once vectors have length 1.
        case "cosine": isNormalized = true
        case "dot", "dot_product": isNormalized = modules.contains { $0.type == "Normalize" }
        default: throw .unsupported(what: "search by the similarity \(similarity)")
        }
    }

    /// The modules in order: their types without the names of packages, and their folders.
    private static func modules(
        _ folder: ModelFolder
    ) throws(EncoderError) -> [(type: String, path: String)] {
        guard let json = try folder.json(at: modulesFile) else { return [("Transformer", "")] }
        guard let list = json.array else {
            throw .malformed(file: modulesFile, reason: "is not a list of modules")
        }
        return try list.map { (module) throws(EncoderError) in
            guard let type = module.object?["type"]?.string?.split(separator: ".").last else {
                throw .malformed(file: modulesFile, reason: "has a module without a type")
            }
            guard ["Transformer", "Pooling", "Normalize"].contains(type) else {
                throw .unsupported(what: "module \(type), which \(modulesFile) names")
            }
            return (String(type), module.object?["path"]?.string ?? "")
        }
    }

    /// The maximum length as `sentence-transformers` finds it.
    static func tokens(
        _ folder: ModelFolder, path: String, positions: Int
    ) throws(EncoderError) -> Int {
        let settings = try folder.object(at: joined(path, "sentence_bert_config.json"))
        let tokenizer = try folder.object(at: joined(path, "tokenizer_config.json"))
        // Tokenizers without a limit name a huge number.
        let limit =
            settings?["max_seq_length"]?.number ?? tokenizer?["model_max_length"]?.number
            ?? Double(positions)
        guard limit >= 3 else {
            throw .malformed(
                file: "sentence_bert_config.json", reason: "must have max_seq_length of 3 or more")
        }
        return limit < Double(positions) ? Int(limit) : positions
    }

    /// Reads the prompts; whether there are any.
    private mutating func readPrompts(_ folder: ModelFolder) throws(EncoderError) -> Bool {
        guard let object = try folder.object(at: Self.promptsFile) else { return false }
        let prompts = object["prompts"]?.object ?? JSONObject()
        func prompt(_ names: [String]) -> String {
            let named = names.lazy.compactMap { prompts[$0]?.string }.first
            let usual = object["default_prompt_name"]?.string.flatMap { prompts[$0]?.string }
            return named ?? usual ?? ""
        }
        queryPrefix = prompt(["query"])
        documentPrefix = prompt(["document", "passage", "corpus"])
        return !queryPrefix.isEmpty || !documentPrefix.isEmpty
    }

    private mutating func readPooling(
        _ folder: ModelFolder, path: String, hasPrompt: Bool
    ) throws(EncoderError) {
        let file = Self.joined(path, "config.json")
        guard let config = try folder.object(at: file) else { throw .missing(file: file) }
        var modes: [String] = []
        switch config["pooling_mode"] {
        case .string(let mode): modes = [mode]
        case .array(let list): modes = list.compactMap(\.string)
        default: break
        }
        // Files before release 5.3 have a truth value for each mode.
        for member in config.members
        where member.key.hasPrefix("pooling_mode_") && member.value.bool == true {
            let mode = member.key.dropFirst("pooling_mode_".count)
            modes.append(mode.hasSuffix("_tokens") ? String(mode.dropLast(7)) : String(mode))
        }
        let names = modes.map { $0 == "cls_token" ? Pooling.cls.rawValue : $0 }
        guard names.count == 1, let pooling = Pooling(rawValue: names[0]) else {
            throw .unsupported(
                what: "pooling by \(names.isEmpty ? "no mode" : names.joined(separator: " and "))")
        }
        self.pooling = pooling
        if hasPrompt, config["include_prompt"]?.bool == false {
            throw .unsupported(what: "pooling without the prompt (include_prompt: false)")
        }
    }

    private static func joined(_ path: String, _ name: String) -> String {
        path.isEmpty ? name : "\(path)/\(name)"
    }
}
