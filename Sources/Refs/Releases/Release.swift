public import Objects
internal import Storage

/// The contents of a release snapshot: versions that fit each other, each bound to a role.
///
/// The snapshot has an input for each bound snapshot, the embedding space of the features and the ranker, and as its
/// content a tree with the bound files.
public struct Release: Hashable, Sendable {
    /// What a release binds.
    public struct Roles: Hashable, Sendable {
        /// The features snapshot.
        public var features: ObjectID
        /// The model snapshot of the ranker: the input `model`. Nil only beside a generator.
        public var ranker: ObjectID?
        /// The model snapshot of the cross-encoder that reorders the first passages; nil when the release binds none.
        public var reranker: ObjectID?
        /// The model snapshot of the language model that writes answers; nil when the release binds none.
        public var generator: ObjectID?
        /// The prompt; nil when the release binds none.
        public var prompt: Prompt?
        /// The object with the answers by which a service recognises the generator; nil when the release binds none. It
        /// needs no ``generator``, which may be one whose weights are not in the repository.
        public var canary: ObjectID?

        /// Fills the roles.
        public init(
            features: ObjectID, ranker: ObjectID? = nil, reranker: ObjectID? = nil,
            generator: ObjectID? = nil, prompt: Prompt? = nil, canary: ObjectID? = nil
        ) {
            self.features = features
            self.ranker = ranker
            self.reranker = reranker
            self.generator = generator
            self.prompt = prompt
            self.canary = canary
        }

        /// The bound snapshots, by the name of their input.
        public var inputs: [String: ObjectID] {
            var inputs = [Release.featuresRole: features]
            inputs[Release.modelRole] = ranker
            inputs[Release.rerankerRole] = reranker
            inputs[Release.generatorRole] = generator
            return inputs
        }

        /// The bound files, by their name in the tree.
        public var files: [(name: String, id: ObjectID)] {
            [
                prompt.map { ($0.form.rawValue, $0.id) }, canary.map { (Release.canaryName, $0) },
            ].compactMap(\.self)
        }
    }

    /// A bound prompt.
    public struct Prompt: Hashable, Sendable {
        /// The forms of a prompt, by the name of the file in the tree of the release.
        public enum Form: String, Sendable, CaseIterable {
            /// Templates and limits.
            case template = "prompt.json"
            /// The instructions alone.
            case text = "prompt.txt"
        }

        /// Its form.
        public let form: Form
        /// The object with its bytes.
        public let id: ObjectID

        /// Names a stored prompt.
        public init(_ form: Form, _ id: ObjectID) {
            self.form = form
            self.id = id
        }
    }

    /// What the release binds.
    public let roles: Roles
    /// The embedding space of the features or, if they declare none, the one that the ranker declares or takes from the
    /// features that it was made from; nil when none is known.
    public let space: ObjectID?
    /// The features that the ranker was made from; nil when it does not declare them.
    public let rankerFeatures: ObjectID?

    /// The role of the features among the inputs of a release.
    public static let featuresRole = "features"
    /// The role of the ranker among the inputs of a release.
    public static let modelRole = "model"
    /// The role of the reranker among the inputs of a release.
    public static let rerankerRole = "reranker"
    /// The role of the generator among the inputs of a release.
    public static let generatorRole = "generator"
    /// The name of the canary in the tree of a release.
    public static let canaryName = "canary.json"
    /// The maximum number of bytes that a prompt or a canary may have.
    public static let fileLimit = 1 << 20

    /// Binds versions.
    ///
    /// - Throws: `misfit` when there is neither a ranker nor a generator, when they are snapshots of other kinds, when
    ///   features and ranker have different spaces, when the features have a space and none is known for the ranker,
    ///   when the generator or the reranker is a ranker, when the reranker lacks the files of a model, or when the
    ///   generator is an adapter without a base, or has another tokenizer, chat template or prompt than it was trained
    ///   with; `objects`.
    public init(_ roles: Roles, in source: some ObjectSource) throws(RefError) {
        var ancestry = Ancestry(in: source)
        let features = try Self.part(roles.features, .features, from: &ancestry)
        if let id = roles.generator {
            let generator = try Self.part(id, .model, from: &ancestry)
            guard try !ancestry.isRanker(generator) else {
                throw .misfit(
                    reason: "the generator \(id.short) is a ranker, which writes no answers",
                    remedy: "ftictl release REF --features \(roles.features.short) "
                        + "--ranker \(id.short)")
            }
            var lineage = try GeneratorLineage(id, generator, in: ancestry)
            try lineage.check(prompt: roles.prompt)
        }
        if let id = roles.reranker { try Self.check(reranker: id, from: &ancestry) }
        self.roles = roles
        guard let id = roles.ranker else {
            guard roles.generator != nil else {
                throw .misfit(
                    reason: "a release binds a ranker, a generator, or both",
                    remedy: Self.remedy)
            }
            (space, rankerFeatures) = (features.space, nil)
            return
        }
        let ranker = try Self.part(id, .model, from: &ancestry)
        let need = try ancestry.space(of: ranker)
        space = features.space ?? need.id
        rankerFeatures = try ancestry.features(of: ranker)
        guard let space = features.space, !need.fits(.space(space), isLenient: true) else { return }
        guard let needed = need.id else {
            throw .misfit(
                reason: "the features \(roles.features.short) have embedding space \(space.short), "
                    + "and the model \(id.short) is a ranker that declares none",
                remedy: SpaceNeed.remedy)
        }
        var fitting: ObjectID?
        if let made = rankerFeatures, try ancestry.snapshot(made).space == needed { fitting = made }
        throw .misfit(
            reason: "the features \(roles.features.short) have embedding space \(space.short), and "
                + "the model \(id.short) needs \(needed.short)",
            remedy:
                "ftictl release REF --features \(fitting?.short ?? "REV") --model \(id.short)"
                + (fitting == nil ? ", with features of that space" : ""))
    }

    /// The files that every reranker has: those that say what it is, and its weights.
    private static let rerankerFiles = ["config.json", "model.safetensors"]

    private static func check(
        reranker id: ObjectID, from ancestry: inout Ancestry<some ObjectSource>
    ) throws(RefError) {
        let reranker = try part(id, .model, from: &ancestry)
        guard try !ancestry.isRanker(reranker) else {
            throw .misfit(
                reason: "the reranker \(id.short) is a ranker, which orders passages first",
                remedy: "bind it with --ranker, and a cross-encoder with --reranker")
        }
        for name in rerankerFiles where try ancestry.file(name, of: reranker) == nil {
            throw .misfit(
                reason: "the reranker \(id.short) has no \(name), so it is not a cross-encoder",
                remedy: "ftictl put models/reranker FOLDER, with the folder of a cross-encoder, "
                    + "and bind that")
        }
    }

    private static let remedy = "ftictl release REF --features REV --ranker REV makes one"

    /// Decodes a release snapshot, and checks that its parts fit.
    ///
    /// - Parameter name: What led to the snapshot, for messages.
    /// - Throws: `notARelease` when it is another snapshot; `misfit` when its parts do not fit; `objects`.
    public init(
        of snapshot: Snapshot, named name: String = "the snapshot", in source: some ObjectSource
    ) throws(RefError) {
        func misfit(_ reason: String) -> RefError { .misfit(reason: reason, remedy: Self.remedy) }
        guard snapshot.kind == .release else {
            throw .notARelease(
                name: name, reason: "is a \(snapshot.kind.rawValue) snapshot, not a release")
        }
        guard case .tree(let root, _, _) = snapshot.content,
            let features = snapshot.input(Self.featuresRole)
        else { throw .notARelease(name: name, reason: "is not a release: it binds no features") }
        let tree = try wrapping(TreeReader(source).tree(root), as: RefError.objects)
        func file(_ name: String) -> ObjectID? {
            tree.entries.first {
                $0.name.bytes.elementsEqual(name.utf8) && $0.mode != .directory
            }?.id
        }
        let prompts = Prompt.Form.allCases.compactMap { form in
            file(form.rawValue).map { Prompt(form, $0) }
        }
        guard prompts.count < 2 else {
            throw misfit("a release has prompt.json or prompt.txt, not both")
        }
        try self.init(
            Roles(
                features: features, ranker: snapshot.input(Self.modelRole),
                reranker: snapshot.input(Self.rerankerRole),
                generator: snapshot.input(Self.generatorRole), prompt: prompts.first,
                canary: file(Self.canaryName)), in: source)
        guard space == snapshot.space else {
            throw misfit(
                "it declares embedding space \(snapshot.space?.short ?? "none"), and its parts have "
                    + (space?.short ?? "none"))
        }
    }

    /// Whether the ranker was made from these features or an ancestor of them; true when there is no ranker or it does
    /// not declare its features.
    ///
    /// - Throws: `objects`.
    public func rankerPrecedesFeatures(in source: some ObjectSource) throws(RefError) -> Bool {
        guard let rankerFeatures else { return true }
        var ancestry = Ancestry(in: source)
        return try ancestry.isAncestor(rankerFeatures, orSameAs: roles.features)
    }

    /// Builds the snapshot of this release, and writes its tree.
    ///
    /// - Throws: The errors of the sink.
    public func snapshot(
        into sink: some ObjectStore, producer: Snapshot.Producer, created: Timestamp,
        message: String
    ) throws(ObjectError) -> Snapshot {
        var builder = TreeBuilder()
        for (name, id) in roles.files {
            guard let path = try? RelativePath(name), let size = try sink.size(of: id) else {
                throw .missing(id)
            }
            builder.add(path, size: size, id: id)
        }
        return Snapshot(
            kind: .release, content: try builder.write(into: sink).content, inputs: roles.inputs,
            producer: producer, space: space, created: created, message: message)
    }

    /// Warnings about a release that is valid but may be a mistake.
    ///
    /// - Throws: `objects`.
    public func cautions(in source: some ObjectSource) throws(RefError) -> [String] {
        var cautions: [String] = []
        if roles.ranker != nil, space == nil {
            cautions.append(
                "neither the features nor the model declares an embedding space, so nothing shows "
                    + "that they fit")
        }
        if let made = rankerFeatures, try !rankerPrecedesFeatures(in: source) {
            cautions.append(
                "the model was made from features \(made.short), which are not an ancestor of "
                    + roles.features.short)
        }
        return cautions
    }

    private static func part(
        _ id: ObjectID, _ kind: Snapshot.Kind, from ancestry: inout Ancestry<some ObjectSource>
    ) throws(RefError) -> Snapshot {
        let remedy = "ftictl show \(id.short) describes it"
        do throws(RefError) {
            let snapshot = try ancestry.snapshot(id)
            guard snapshot.kind == kind else {
                throw .misfit(
                    reason:
                        "\(id.short) is a \(snapshot.kind.rawValue) snapshot, not a "
                        + "\(kind.rawValue) snapshot", remedy: remedy)
            }
            return snapshot
        } catch {
            guard case .objects(.malformed(_, as: _, let reason, offset: _)) = error else {
                throw error
            }
            throw .misfit(reason: "\(id.short) is not a snapshot: \(reason)", remedy: remedy)
        }
    }
}

extension Transaction {
    /// Binds versions to a release; its files and snapshots are stored, or were written to ``objects``.
    ///
    /// - Throws: `misfit` when they do not fit each other; `objects`.
    public func bind(_ roles: Release.Roles) throws(RefError) -> Release {
        try Release(roles, in: objects)
    }

    /// Stores a release as the next version of a ref, and moves the ref to it unless the ref already has such a
    /// release.
    ///
    /// - Parameters:
    ///   - description: The message of the snapshot; nil for none, and then a release that differs from the present one
    ///     only in its message is no new version.
    ///   - message: The message of the transaction.
    ///   - reason: Why the ref moves although gates refuse; nil when gates decide.
    /// - Throws: As ``commit(_:message:overriding:)``.
    public func publish(
        _ release: Release, as name: RefName, by producer: Snapshot.Producer, created: Timestamp,
        description: String?, message: String, overriding reason: String? = nil
    ) throws(RefError) -> (id: ObjectID, commit: Commit) {
        let snapshot = try wrapping(
            release.snapshot(
                into: objects, producer: producer, created: created,
                message: Secrets.withoutCredentials(description ?? "")), as: RefError.objects)
        let version = try store(
            NextVersion(
                of: name, snapshot, incidental: description == nil ? [.message] : []))
        return (version.id, try publish([version], message: message, overriding: reason))
    }
}
