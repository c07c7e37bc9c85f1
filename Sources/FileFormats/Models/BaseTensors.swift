internal import Objects

/// The tensors of a model, to look up the modules that an adapter names.
///
/// The names in a file and those of the loaded model differ for many architectures: by a prefix such as `transformer.`
/// that one of them lacks, or by the place of the language model in one that also sees images. A module therefore is
/// found by its exact name, or else by the part of the name from its layer on.
struct BaseTensors {
    private var byName: [String: Tensor] = [:]
    private var byTail: [String: [Tensor]] = [:]
    /// The ends of the names of all modules, with and without weights of their own.
    private var modules: Set<String> = []

    /// The index of a model whose weights are in several files.
    private static let indexName = "model.safetensors.index.json"
    private static let indexLimit = 64 << 20
    /// The number of modules around a tensor that are known: more than any model nests.
    private static let depthLimit = 24
    /// The names of the last layer of a language model, whose weights may be those of the embedding.
    private static let heads: Set<String> = ["lm_head", "embed_out", "output", "output_layer"]
    private static let embeddings = [
        "embed_tokens", "wte", "word_embeddings", "embed_in", "tok_embeddings", "shared",
        "embedding",
    ]

    /// Whether nothing is known about the model.
    var isEmpty: Bool { modules.isEmpty }

    /// Reads the headers of a model's weights; those of files that are no safetensors do not count.
    init(_ folder: ModelFolder, in source: some ObjectRangeSource) throws(ObjectError) {
        for file in folder.weights {
            guard case .success(let header) = try Safetensors.read(file.id, in: source) else {
                continue
            }
            for tensor in header.tensors { add(tensor) }
        }
        // A part of the weights may be missing, such as one that was not downloaded.
        let index = try folder.json(
            Self.indexName, in: source, limit: Self.indexLimit, values: .max)
        for member in index?["weight_map"]?.object?.members ?? [] {
            addModule(ModuleName(tensor: member.key).module)
        }
    }

    private mutating func add(_ tensor: Tensor) {
        let name = ModuleName(tensor: tensor.name)
        byName[tensor.name] = tensor
        byTail["\(ModuleName.tail(name.module)).\(name.leaf)", default: []].append(tensor)
        addModule(name.module)
    }

    private mutating func addModule(_ names: ArraySlice<Substring>) {
        for count in stride(from: names.count, to: max(0, names.count - Self.depthLimit), by: -1) {
            modules.insert(ModuleName.tail(names.prefix(count)))
        }
    }

    /// What the model has for a module of an adapter.
    enum Lookup {
        /// Weights, one of which must fit: several modules may have the same end of their names.
        case weights([Tensor])
        /// A module whose weights are stored in another form, such as a quantized or a fused one.
        case otherForm
        /// No such module.
        case missing
    }

    /// Looks up the weights of a module.
    func weights(of path: String) -> Lookup {
        if let tensor = byName["\(path).weight"] { return .weights([tensor]) }
        let names = path.split(separator: ".", omittingEmptySubsequences: false)
        let tail = ModuleName.tail(names[...])
        if let tensors = byTail["\(tail).weight"] { return .weights(tensors) }
        if modules.contains(tail) || names.contains("experts") { return .otherForm }
        guard let last = names.last, Self.heads.contains(String(last)) else { return .missing }
        let tied = Self.embeddings.flatMap { byTail["\($0).weight"] ?? [] }
        return tied.isEmpty ? .missing : .weights(tied)
    }
}

/// The parts of a tensor's name.
private struct ModuleName {
    /// The names that lead to the module.
    let module: ArraySlice<Substring>
    /// The name in the module, such as `weight`.
    let leaf: Substring

    init(tensor name: String) {
        let names = name.split(separator: ".", omittingEmptySubsequences: false)
        module = names.dropLast()
        leaf = names.last ?? ""
    }

    /// The end of a module's name that does not depend on what the model is part of: from the name before the first
    /// number on, or else the last name.
    static func tail(_ names: ArraySlice<Substring>) -> String {
        let number = names.dropFirst().firstIndex { name in
            !name.isEmpty && name.utf8.allSatisfy { (0x30...0x39).contains($0) }
        }
        guard let number else { return names.last.map(String.init) ?? "" }
        return names[(number - 1)...].joined(separator: ".")
    }
}
