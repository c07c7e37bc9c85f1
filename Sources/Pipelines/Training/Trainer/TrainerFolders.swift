internal import Objects
internal import Storage

/// The files of one run of a trainer, in a private folder that is removed when the run is done.
struct TrainerFolders {
    let scratch: ScratchFolder
    /// The files of the dataset, read-only.
    let dataset: String
    /// The files of the base model, read-only; nil without one.
    let base: String?
    /// The files of the dataset to measure with, read-only; nil without one.
    let evaluation: String?
    /// Where the trainer leaves the model.
    let output: String
    /// Where the trainer leaves checkpoints.
    let checkpoints: String
    /// The trainer's home directory, so that no tool finds the user's credentials.
    let home: String
    let temporary: String
    /// The file that the trainer appends its metrics to.
    let metrics: String
    /// The file that holds the parameters.
    let params: String

    /// The folders that the trainer may write to.
    var writable: [String] { [output, checkpoints, home, temporary, scratch("metrics")] }
    /// The folders and files that it may only read.
    var readable: [String] { [dataset, base, evaluation, params].compactMap(\.self) }

    /// Creates the folders, and writes the inputs and the parameters into them.
    init(
        _ inputs: TrainerInputs, _ configuration: TrainerConfiguration, in parent: String,
        objects: PackStore, progress: @escaping @Sendable (String) -> Void
    ) throws(TrainingError) {
        let scratch = try wrapping(
            ScratchFolder(in: parent, for: "fti-training"), as: TrainingError.storage)
        self.scratch = scratch
        func make(_ name: String) throws(TrainingError) -> String {
            try wrapping(scratch.makeFolder(name), as: TrainingError.storage)
        }
        func extract(
            _ snapshot: TrainerInputs.Input, _ name: String
        ) throws(TrainingError) -> String {
            progress("writing the \(name) \(snapshot.revision)")
            let folder = scratch(name)
            try Self.write(snapshot.tree, of: objects, to: folder)
            try wrapping(scratch.protect(name), as: TrainingError.storage)
            return folder
        }
        dataset = try extract(inputs.dataset, "dataset")
        base = try inputs.base.map { (base) throws(TrainingError) in
            try extract(base, "base")
        }
        evaluation = try inputs.evaluation.map { (evaluation) throws(TrainingError) in
            try extract(evaluation, "evaluation")
        }
        output = try make("output")
        checkpoints = try make("checkpoints")
        home = try make("home")
        temporary = try make("tmp")
        let metrics = "\(try make("metrics"))/metrics.jsonl"
        self.metrics = metrics
        let params = scratch("params.json")
        self.params = params
        try wrapping(as: TrainingError.storage) { () throws(StorageError) in
            try LocalFile.write(metrics, [])
            try LocalFile.write(
                params, JSON.object(configuration.params).canonicalBytes + [0x0A])
        }
    }

    /// Writes the files of a tree to a folder, which is created.
    static func write(
        _ tree: ObjectID, of objects: PackStore, to folder: String
    ) throws(TrainingError) {
        let destination = try wrapping(
            DestinationTree(at: folder, force: true), as: TrainingError.storage)
        _ = try wrapping(
            TreeExport(from: objects, to: destination).writeTree(tree), as: TrainingError.objects)
    }

    /// The variables that tell the trainer where its files are.
    func variables(_ configuration: TrainerConfiguration, isResumed: Bool) -> [String: String] {
        var variables = [
            "FTI_DATASET_DIR": dataset, "FTI_OUTPUT_DIR": output, "FTI_PARAMS": params,
            "FTI_CHECKPOINT_DIR": checkpoints, "FTI_METRICS": metrics,
            "FTI_SEED": String(configuration.seed), "HOME": home, "TMPDIR": temporary,
        ]
        variables["FTI_BASE_DIR"] = base
        variables["FTI_EVALUATION_DIR"] = evaluation
        if isResumed { variables["FTI_RESUME"] = "1" }
        return variables
    }
}
