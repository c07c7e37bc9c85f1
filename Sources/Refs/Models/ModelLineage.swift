internal import FileFormats
internal import Objects
internal import Storage

/// The roles and parameters by which models name what they were made from.
public enum ModelRole {
    /// The input of a model that it began with, or that an adapter adapts.
    public static let base = "base"
    /// The input of merged weights: the adapter that was merged into the base.
    public static let adapter = "adapter"
    /// The input of a model: the dataset that it was trained on.
    public static let dataset = "dataset"
    /// The parameter of a dataset: the identity of the prompt that its questions are asked with.
    public static let prompt = "prompt"
    /// The parameter of a model that says whether its tokenizer is that of its base; the value is ``changed`` if not.
    public static let tokenizer = "tokenizer"
    /// The value of the parameter ``tokenizer`` of a model whose tokenizer or chat template differ on purpose.
    public static let changed = "changed"
}

extension Ancestry {
    /// The longest chain of bases that is followed.
    private static var baseLimit: Int { 64 }

    /// The files of a model; nil if its content is a table.
    func folder(of model: Snapshot) throws(RefError) -> ModelFolder? {
        guard case .tree(let tree, _, _) = model.content else { return nil }
        return try wrapping(as: RefError.objects) { () throws(ObjectError) in
            try ModelFolder(tree, in: objects)
        }
    }

    /// The models that a model was made from by way of the input `base`, the nearest first.
    mutating func bases(
        of model: Snapshot
    ) throws(RefError) -> [(id: ObjectID, snapshot: Snapshot)] {
        var bases: [(id: ObjectID, snapshot: Snapshot)] = []
        var current = model
        while bases.count < Self.baseLimit, let id = current.input(ModelRole.base) {
            current = try snapshot(id)
            guard current.kind == .model else { break }
            bases.append((id, current))
        }
        return bases
    }

    /// The nearest base of a model that has weights, and not only an adapter; nil if there is none.
    mutating func weights(
        below model: Snapshot
    ) throws(RefError) -> (id: ObjectID, folder: ModelFolder)? {
        for base in try bases(of: model) {
            guard let folder = try folder(of: base.snapshot) else { return nil }
            if !folder.isAdapter { return (base.id, folder) }
        }
        return nil
    }
}
