internal import FileFormats
internal import Objects
internal import Refs
internal import Storage

/// The snapshots that a run takes, resolved once.
struct TrainerInputs {
    /// A snapshot whose content is a tree.
    struct Input {
        /// The revision in the configuration.
        let revision: String
        let id: ObjectID
        let tree: ObjectID
        let snapshot: Snapshot
    }

    let dataset: Input
    let base: Input?
    let evaluation: Input?

    /// The inputs by role.
    var all: [(role: String, input: Input)] {
        [(ModelRole.dataset, dataset), (ModelRole.base, base), ("evaluation", evaluation)]
            .compactMap { role, input in input.map { (role, $0) } }
    }

    /// The inputs of the model's snapshot, by role.
    var roles: [String: ObjectID] {
        Dictionary(all.map { ($0.role, $0.input.id) }) { first, _ in first }
    }

    /// Resolves the inputs of a configuration.
    ///
    /// - Throws: `notFiles` if one is a snapshot of another kind, or a table; `refs`.
    init(
        _ configuration: TrainerConfiguration, in resolver: Resolver
    ) throws(TrainingError) {
        func input(
            _ revision: String, _ kind: Snapshot.Kind
        ) throws(TrainingError) -> Input {
            let (id, snapshot) = try wrapping(as: TrainingError.refs) { () throws(RefError) in
                let id = try resolver.snapshot(try Revision(revision))
                return (id, try resolver.read(id))
            }
            guard snapshot.kind == kind else {
                throw .notFiles(
                    name: revision,
                    reason: "it is \(snapshot.kind.rawValue), not a \(kind.rawValue)")
            }
            guard case .tree(let tree, _, _) = snapshot.content else {
                throw .notFiles(name: revision, reason: "it has rows, not files")
            }
            return Input(revision: revision, id: id, tree: tree, snapshot: snapshot)
        }
        dataset = try input(configuration.dataset, .dataset)
        base = try configuration.base.map { (base) throws(TrainingError) in
            try input(base, .model)
        }
        evaluation = try configuration.evaluation.map { (evaluation) throws(TrainingError) in
            try input(evaluation, .dataset)
        }
    }

    // MARK: Whether they fit each other

    /// Checks the inputs before the training.
    ///
    /// - Returns: Warnings for a person.
    /// - Throws: `overlap` if the dataset has examples of the evaluation; `inputs` if both are asked with different
    ///   prompts, or if the base is an adapter of an unknown model; `objects`.
    func check(in objects: PackStore) throws(TrainingError) -> [String] {
        if let base, base.snapshot.inputs[ModelRole.base] == nil,
            try folder(base, in: objects).isAdapter
        {
            throw .inputs(
                reason:
                    "the base \(base.revision) is an adapter without the input base, so nothing "
                    + "says which model it adapts",
                remedy: "ftictl put models/NAME FOLDER --input base=REV, and name that")
        }
        guard let evaluation else { return [] }
        let prompts = (
            training: dataset.snapshot.params[ModelRole.prompt]?.string,
            evaluation: evaluation.snapshot.params[ModelRole.prompt]?.string
        )
        guard prompts.training == prompts.evaluation else {
            func text(_ prompt: String?) -> String {
                prompt.map { "with the prompt \($0.prefix(12))" } ?? "without a prompt"
            }
            throw .inputs(
                reason: "questions of \(dataset.revision) are asked \(text(prompts.training)), and "
                    + "those of \(evaluation.revision) \(text(prompts.evaluation))",
                remedy: "build both with the same prompt; if they have it, "
                    + "ftictl put \(evaluation.revision) FOLDER "
                    + "--param prompt=\(prompts.training ?? "ID")")
        }
        return try overlap(with: evaluation, in: objects)
    }

    private func overlap(
        with evaluation: Input, in objects: PackStore
    ) throws(TrainingError) -> [String] {
        let overlap: DatasetOverlap
        do throws(TrainingError) {
            overlap = try DatasetOverlap.find(
                training: dataset.id, evaluation: evaluation.id, in: objects)
        } catch {
            guard case .notDataset = error else { throw error }
            return ["dataset and evaluation were not compared: \(error.message)"]
        }
        guard overlap.exact.isEmpty else { throw .overlap(overlap) }
        guard !overlap.near.isEmpty else { return [] }
        let title =
            "\(overlap.near.count) training examples are near-duplicates of evaluation examples"
        return [([title] + DatasetOverlap.lines(overlap.near)).joined(separator: "\n")]
    }

    private func folder(
        _ input: Input, in objects: PackStore
    ) throws(TrainingError) -> ModelFolder {
        try wrapping(as: TrainingError.objects) { () throws(ObjectError) in
            try ModelFolder(input.tree, in: objects)
        }
    }
}
