internal import FileFormats
internal import Objects
internal import Refs
internal import Storage

/// Publishes what a trainer left: the model, the adapter, or the last checkpoint of a failed run.
///
/// It builds on the newest state of the repository and repeats itself when other writers are faster: training is
/// expensive, and its result does not depend on what the ref pointed at meanwhile.
struct TrainerPublication {
    let repository: Repository
    let configuration: TrainerConfiguration
    let writer: Writer
    let producer: Snapshot.Producer
    let inputs: TrainerInputs
    let created: Timestamp

    private static let attempts = 5

    /// The files of the record, by name.
    typealias Record = [(name: String, bytes: [UInt8])]

    /// What was published.
    struct Versions {
        let commit: Commit
        let model: ObjectID
        let adapter: ObjectID?
        /// Warnings for a person.
        let cautions: [String]
    }

    /// Publishes a model, and the adapter if there is one, in one transaction.
    func publish(
        _ output: TrainerOutput, _ record: Record, metrics: [String: Double], message: String
    ) throws(TrainingError) -> Versions {
        func snapshot(_ content: Content, _ inputs: [String: ObjectID]) -> Snapshot {
            Snapshot(
                kind: .model, content: content, inputs: inputs, producer: producer,
                params: configuration.identity, metrics: metrics, created: created,
                message: message)
        }
        return try repeating { (transaction) throws(TrainingError) in
            var stored: [StoredVersion] = []
            var roles = inputs.roles
            if let adapter = output.adapter {
                let tree = try wrapping(
                    transaction.objects.importTree(adapter.files), as: TrainingError.objects)
                let version = try store(
                    snapshot(tree.content, roles), of: adapter.ref, in: transaction)
                stored.append(version)
                roles["adapter"] = version.id
            }
            let content = try content(output.model, record, in: transaction)
            let cautions = try checkTokenizer(of: content, in: transaction.objects)
            let model = try store(
                snapshot(content, roles),
                of: configuration.model, in: transaction)
            stored.append(model)
            let versions = stored
            let commit = try wrapping(as: TrainingError.refs) { () throws(RefError) in
                try transaction.publish(
                    versions, message: "train \(configuration.model) on \(inputs.dataset.revision)")
            }
            return Versions(
                commit: commit, model: model.id, adapter: roles["adapter"], cautions: cautions)
        }
    }

    /// Checks that the model has the tokenizer and the chat template of the base, unless the configuration says that
    /// they change.
    ///
    /// - Returns: Warnings for a person.
    private func checkTokenizer(
        of model: Content, in objects: ObjectWriter
    ) throws(TrainingError) -> [String] {
        guard let base = inputs.base, !configuration.changesTokenizer else { return [] }
        let (folder, files, original, difference) = try wrapping(as: TrainingError.objects) {
            () throws(ObjectError) in
            let folder = try ModelFolder(model.id, in: objects)
            let files = TokenizerFiles(folder)
            let original = TokenizerFiles(try ModelFolder(base.tree, in: objects))
            return (folder, files, original, try files.difference(from: original, in: objects))
        }
        if let difference {
            throw .tokenizer(phrase: difference.phrase, base: base.revision)
        }
        guard original.hasTokenizer, !files.hasTokenizer, !folder.isAdapter else { return [] }
        return ["the model has no tokenizer, so it must be served with that of \(base.revision)"]
    }

    /// Publishes a checkpoint; its folder keeps its name.
    func publish(
        _ checkpoint: TrainerCheckpoint, step: Int?, reason: String, metrics: [String: Double]
    ) throws(TrainingError) -> (ref: RefName, id: ObjectID)? {
        guard let ref = configuration.checkpoint else { return nil }
        let files = try wrapping(
            TrainerOutput.files(in: checkpoint.path), as: TrainingError.storage)
        guard files.hasFile else { return nil }
        var params = configuration.identity
        params["checkpoint"] = .string(checkpoint.name)
        params["step"] = step.map { .integer($0) } ?? .null
        params["reason"] = .string(reason)
        let final = params
        let id = try repeating { (transaction) throws(TrainingError) in
            let content = try wrapping(as: TrainingError.objects) { () throws(ObjectError) in
                let inner = try transaction.objects.importTree(files)
                return try Self.tree(
                    [try Self.entry(checkpoint.name, inner.id, in: transaction.objects)],
                    files: inner.files, bytes: inner.bytes, in: transaction.objects)
            }
            let snapshot = Snapshot(
                kind: .model, content: content, inputs: inputs.roles, producer: producer,
                params: final, metrics: metrics, created: created,
                message: "checkpoint\(step.map { " of step \($0)" } ?? ""): the trainer \(reason)")
            let version = try store(snapshot, of: ref, in: transaction)
            _ = try wrapping(as: TrainingError.refs) { () throws(RefError) in
                try transaction.publish([version], message: snapshot.message)
            }
            return version.id
        }
        return (ref, id)
    }

    private func repeating<Value>(
        _ body: (Transaction) throws(TrainingError) -> Value
    ) throws(TrainingError) -> Value {
        for _ in 1..<Self.attempts {
            do throws(TrainingError) { return try attempt(body) } catch {
                switch error.repositoryCause {
                case .conflict, .packRemoved, .outdated, .busy: continue
                default: throw error
                }
            }
        }
        return try attempt(body)
    }

    private func attempt<Value>(
        _ body: (Transaction) throws(TrainingError) -> Value
    ) throws(TrainingError) -> Value {
        try body(
            try wrapping(
                repository.begin(writer: writer, moving: configuration.refs),
                as: TrainingError.refs))
    }

    // MARK: Versions

    /// Stores a version, unless the ref's target has the same files apart from the record, the same inputs, command,
    /// parameters and seed. The record always differs, at least in its times.
    private func store(
        _ snapshot: Snapshot, of ref: RefName, in transaction: Transaction
    ) throws(TrainingError) -> StoredVersion {
        var version = NextVersion(of: ref, snapshot)
        if let target = transaction.state.target(of: ref),
            let before = try? Snapshot(target, in: transaction.objects),
            configuration.identity.allSatisfy({ before.params[$0.key] == $0.value }),
            try Self.result(of: before, in: transaction)
                == Self.result(of: snapshot, in: transaction)
        {
            version.snapshot.content = before.content
            version.incidental = [.message, .metrics, .params]
        }
        let next = version
        return try wrapping(transaction.store(next), as: TrainingError.refs)
    }

    /// The entries of a version's root without the record of the run.
    private static func result(
        of snapshot: Snapshot, in transaction: Transaction
    ) throws(TrainingError) -> [TreeEntry]? {
        guard case .tree(let root, _, _) = snapshot.content else { return nil }
        let tree = try wrapping(
            TreeReader(transaction.objects).tree(root), as: TrainingError.objects)
        return tree.entries.filter { !$0.name.bytes.elementsEqual(TrainerOutput.recordName.utf8) }
    }

    /// The files of the output, and the record of the run.
    private func content(
        _ files: InputListing, _ record: Record, in transaction: Transaction
    ) throws(TrainingError) -> Content {
        try wrapping(as: TrainingError.objects) { () throws(ObjectError) in
            let objects = transaction.objects
            let output = try objects.importTree(files)
            var entries = try TreeReader(objects).tree(output.id).entries
            var bytes = output.bytes
            var inner: [TreeEntry] = []
            for file in record {
                let id = try objects.write(file.bytes, hint: .bulk)
                inner.append(
                    TreeEntry(
                        name: try Self.name(file.name), mode: .file, size: file.bytes.count, id: id)
                )
                bytes += file.bytes.count
            }
            let folder = try Tree(inner)
            let id = try objects.write(folder.encoded, hint: .structured)
            entries.append(
                TreeEntry(
                    name: try Self.name(TrainerOutput.recordName), mode: .directory,
                    size: folder.encoded.count, id: id))
            return try Self.tree(
                entries, files: output.files + record.count, bytes: bytes, in: objects)
        }
    }

    private static func tree(
        _ entries: [TreeEntry], files: Int, bytes: Int, in objects: ObjectWriter
    ) throws(ObjectError) -> Content {
        let id = try objects.write(try Tree(entries).encoded, hint: .structured)
        return .tree(id, files: files, bytes: bytes)
    }

    /// The entry of a directory that is stored.
    private static func entry(
        _ name: String, _ id: ObjectID, in objects: ObjectWriter
    ) throws(ObjectError) -> TreeEntry {
        let size = try TreeReader(objects).tree(id).encoded.count
        return TreeEntry(name: try self.name(name), mode: .directory, size: size, id: id)
    }

    private static func name(_ text: String) throws(ObjectError) -> FileName {
        do throws(FileNameError) { return try FileName(text) } catch {
            throw .invalid(what: text, reason: error.reason)
        }
    }
}
