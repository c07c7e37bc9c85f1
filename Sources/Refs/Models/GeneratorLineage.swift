internal import FileFormats
internal import Objects
internal import Storage

/// Checks a generator that a release binds against the models and the dataset that it was made from: what it is served
/// with must be what it was trained with.
struct GeneratorLineage<Source: ObjectSource> {
    let id: ObjectID
    let generator: Snapshot
    /// The bases of the generator, the nearest first.
    let bases: [(id: ObjectID, snapshot: Snapshot)]
    private var ancestry: Ancestry<Source>

    init(
        _ id: ObjectID, _ generator: Snapshot, in ancestry: Ancestry<Source>
    ) throws(RefError) {
        var ancestry = ancestry
        self.id = id
        self.generator = generator
        bases = try ancestry.bases(of: generator)
        self.ancestry = ancestry
    }

    /// Checks that the model which an adapter adapts is known, and that tokenizer, chat template and prompt are those
    /// of the training.
    ///
    /// - Throws: `misfit`; `objects`.
    mutating func check(prompt: Release.Prompt?) throws(RefError) {
        if let folder = try ancestry.folder(of: generator) {
            guard !folder.isAdapter || !bases.isEmpty else {
                throw .misfit(
                    reason: "the generator \(id.short) is an adapter without the input base, so "
                        + "nothing says which model it adapts",
                    remedy: "ftictl put models/NAME FOLDER --input base=REV, and bind that")
            }
            try checkTokenizer(TokenizerFiles(folder))
        }
        try check(prompt)
    }

    // MARK: Tokens

    private mutating func checkTokenizer(_ tokenizer: TokenizerFiles) throws(RefError) {
        if let adapter = generator.input(ModelRole.adapter) {
            try compare(
                tokenizer, id, with: adapter, try ancestry.snapshot(adapter), ModelRole.adapter)
        }
        var (tokenizer, owner, model) = (tokenizer, id, generator)
        for base in bases {
            // The change was declared, and the older models have another tokenizer too.
            guard model.params[ModelRole.tokenizer]?.string != ModelRole.changed else { return }
            guard let files = try compare(tokenizer, owner, with: base.id, base.snapshot) else {
                return
            }
            if !tokenizer.hasTokenizer { (tokenizer, owner) = (files, base.id) }
            model = base.snapshot
        }
    }

    /// Compares a tokenizer with that of a model that its owner was made from, and returns the latter.
    @discardableResult
    private func compare(
        _ tokenizer: TokenizerFiles, _ owner: ObjectID, with other: ObjectID,
        _ model: Snapshot, _ role: String = ModelRole.base
    ) throws(RefError) -> TokenizerFiles? {
        guard let folder = try ancestry.folder(of: model) else { return nil }
        let files = TokenizerFiles(folder)
        let difference = try wrapping(as: RefError.objects) { () throws(ObjectError) in
            try tokenizer.difference(from: files, in: ancestry.objects)
        }
        guard let difference else { return files }
        throw .misfit(
            reason: "the generator \(owner.short) has \(difference.phrase) than its \(role) "
                + "\(other.short), so it would be served other tokens than it was trained on",
            remedy: "put it with the files of \(other.short); if the difference is meant, train "
                + "it with `tokenizer: changed`, or put it with --param tokenizer=changed")
    }

    // MARK: Prompt

    /// The dataset that the generator was trained on with a prompt, the latest one in its lineage.
    private mutating func trainedPrompt() throws(RefError) -> (dataset: ObjectID, id: String)? {
        for model in [generator] + bases.map(\.snapshot) {
            guard let dataset = model.input(ModelRole.dataset) else { continue }
            let snapshot = try ancestry.snapshot(dataset)
            guard snapshot.kind == .dataset,
                let prompt = snapshot.params[ModelRole.prompt]?.string
            else { continue }
            return (dataset, prompt)
        }
        return nil
    }

    private mutating func check(_ prompt: Release.Prompt?) throws(RefError) {
        guard let trained = try trainedPrompt(), trained.id != prompt?.id.hex else { return }
        let bound = prompt.map { "binds the prompt \($0.id.short)" } ?? "binds no prompt"
        throw .misfit(
            reason: "the generator \(id.short) was trained on \(trained.dataset.short), whose "
                + "questions are asked with the prompt \(trained.id.prefix(12)), and the release "
                + bound,
            remedy: "ftictl cat \(trained.dataset.short):prompt.json > prompt.json, and release "
                + "with --prompt prompt.json")
    }
}
