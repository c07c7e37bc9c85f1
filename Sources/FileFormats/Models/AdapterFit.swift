public import Objects

/// Whether an adapter fits a base model, judged by the names and shapes of their tensors.
public enum AdapterFit: Hashable, Sendable {
    /// Every matrix belongs to a module of the base and has the right shape.
    case fits
    /// These tensors do not fit, each with the reason; at most ``problemLimit``, and how many more.
    case misfit([String], more: Int)
    /// The adapter or the base is in a form that is not compared; the reason is a whole clause.
    case notCompared(String)

    /// The number of problems that are described.
    public static let problemLimit = 3

    /// Compares an adapter with a base, of which it reads only headers.
    ///
    /// LoRA as PEFT stores it is compared, with DoRA, embeddings, ranks by module and replaced layers. Layers of the
    /// base that are quantized, fused or no matrices are not.
    ///
    /// - Throws: `missing`, or what the source throws.
    public init(
        of adapter: ModelFolder, on base: ModelFolder, in source: some ObjectRangeSource
    ) throws(ObjectError) {
        switch try LowRankAdapter.read(adapter, in: source) {
        case .broken(let reason): self = .misfit([reason], more: 0)
        case .unknown(let reason): self = .notCompared(reason)
        case .adapter(let adapter):
            let tensors = try BaseTensors(base, in: source)
            guard !tensors.isEmpty else {
                self = .notCompared("the base has no weights in safetensors")
                return
            }
            let problems = adapter.modules.flatMap { adapter.problems(of: $0, on: tensors) }
            self =
                problems.isEmpty
                ? .fits
                : .misfit(
                    Array(problems.prefix(Self.problemLimit)),
                    more: max(0, problems.count - Self.problemLimit))
        }
    }
}

extension LowRankAdapter {
    /// The expected shapes of a module's matrices, by its number of inputs and outputs.
    private struct Sides {
        let inputs: Int
        let outputs: Int
    }

    /// What is wrong with the matrices of a module.
    fileprivate func problems(of module: Module, on base: BaseTensors) -> [String] {
        let pair = module.isEmbedding ? "lora_embedding" : "lora"
        guard let down = module.down, let up = module.up else {
            guard let single = module.down ?? module.up else { return [] }
            let other = module.down == nil ? "\(pair)_A" : "\(pair)_B"
            return ["\(Text.quoted(single.name)) has no \(other) beside it"]
        }
        let weights: [Tensor]
        if let replacement = replacements["\(module.path).weight"] {
            // Such as an embedding that was resized for new tokens.
            weights = [replacement]
        } else {
            switch base.weights(of: module.path) {
            case .weights(let tensors): weights = tensors
            case .otherForm: return []
            case .missing:
                guard !repeatsLayers else { return [] }
                return [
                    "\(Text.quoted(down.name)) adapts a module that the base does not have: no "
                        + "tensor \(Text.quoted("\(module.path).weight"))"
                ]
            }
        }
        let comparable = weights.filter(Self.isMatrix)
        guard comparable.count == weights.count, let first = comparable.first else { return [] }
        var problems: [String]?
        for weight in comparable {
            for sides in sides(of: weight, isEmbedding: module.isEmbedding) {
                let found = self.problems(down, up, module, weight, sides)
                if found.isEmpty { return [] }
                if problems == nil, weight == first { problems = found }
            }
        }
        return problems ?? []
    }

    /// Whether a tensor is a matrix of numbers; quantized weights have another shape than the layer.
    private static func isMatrix(_ tensor: Tensor) -> Bool {
        guard tensor.shape.count == 2 else { return false }
        switch tensor.type {
        case .float16, .bfloat16, .float32, .float64, .float8E4M3, .float8E5M2: return true
        default: return false
        }
    }

    /// The inputs and outputs of a layer, in each order in which its weights may be stored.
    private func sides(of weight: Tensor, isEmbedding: Bool) -> [Sides] {
        let stored = Sides(inputs: weight.shape[1], outputs: weight.shape[0])
        let transposed = Sides(inputs: weight.shape[0], outputs: weight.shape[1])
        if isEmbedding { return [transposed] }
        return isTransposed ? [transposed, stored] : [stored]
    }

    private func problems(
        _ down: Tensor, _ up: Tensor, _ module: Module, _ weight: Tensor, _ sides: Sides
    ) -> [String] {
        let rank = down.shape.first ?? 0
        let allowed = ranks.contains(rank) ? rank : ranks.min() ?? 0
        func problem(_ tensor: Tensor, _ shape: String) -> String {
            "\(Text.quoted(tensor.name)) has shape \(tensor.shapeDescription), and should have "
                + "\(shape) for \(Text.quoted(weight.name)) of shape \(weight.shapeDescription)"
        }
        var problems: [String] = []
        if down.shape != [allowed, sides.inputs] {
            let ranks = ranks.count > 1 ? "r" : "\(allowed)"
            problems.append(problem(down, "[\(ranks), \(sides.inputs)]"))
        }
        if up.shape != [sides.outputs, allowed] {
            problems.append(problem(up, "[\(sides.outputs), \(allowed)]"))
        }
        if let magnitude = module.magnitude, !module.isEmbedding,
            magnitude.elements != sides.outputs
        {
            problems.append(problem(magnitude, "[\(sides.outputs)]"))
        }
        return problems
    }
}
