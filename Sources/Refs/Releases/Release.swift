public import Objects
internal import Storage

/// The contents of a release snapshot: features and a model that fit each other, and a prompt.
///
/// The snapshot has the inputs `features` and `model`, their embedding space, and as its content a tree that is empty
/// or contains the prompt.
public struct Release: Hashable, Sendable {
    /// The id of the features snapshot.
    public let features: ObjectID
    /// The id of the model snapshot.
    public let model: ObjectID
    /// The embedding space of the features or, if they declare none, the one that the model declares or takes from the
    /// features that it was made from; nil when none is known.
    public let space: ObjectID?
    /// The object with the text of the prompt; nil for a release without one.
    public let prompt: ObjectID?
    /// The features that the model was made from; nil when it does not declare them.
    public let modelFeatures: ObjectID?

    /// The role of the features among the inputs of a release.
    public static let featuresRole = "features"
    /// The role of the model among the inputs of a release.
    public static let modelRole = "model"
    /// The name of the prompt in the tree of a release.
    public static let promptName = "prompt.txt"
    /// The maximum number of bytes that a prompt may have.
    public static let promptLimit = 1 << 20

    /// Binds features and a model.
    ///
    /// - Throws: `misfit` when they are snapshots of other kinds, have different spaces, or the features have a space
    ///   and the model is a ranker for which none is known; `objects`.
    public init(
        features: ObjectID, model: ObjectID, prompt: ObjectID? = nil, in source: some ObjectSource
    ) throws(RefError) {
        var ancestry = Ancestry(in: source)
        let first = try Self.part(features, .features, from: &ancestry)
        let second = try Self.part(model, .model, from: &ancestry)
        self.features = features
        self.model = model
        self.prompt = prompt
        let need = try ancestry.space(of: second)
        space = first.space ?? need.id
        modelFeatures = try ancestry.features(of: second)
        guard let space = first.space, !need.fits(.space(space), isLenient: true) else { return }
        guard let needed = need.id else {
            throw .misfit(
                reason: "the features \(features.short) have embedding space \(space.short), and "
                    + "the model \(model.short) is a ranker that declares none",
                remedy: SpaceNeed.remedy)
        }
        var fitting: ObjectID?
        if let made = modelFeatures, try ancestry.snapshot(made).space == needed { fitting = made }
        throw .misfit(
            reason: "the features \(features.short) have embedding space \(space.short), and the "
                + "model \(model.short) needs \(needed.short)",
            remedy:
                "ftictl release REF --features \(fitting?.short ?? "REV") --model \(model.short)"
                + (fitting == nil ? ", with features of that space" : ""))
    }

    /// Decodes a release snapshot, and checks that its parts fit.
    ///
    /// - Throws: `misfit` when it is not a valid release; `objects`.
    public init(of snapshot: Snapshot, in source: some ObjectSource) throws(RefError) {
        func misfit(_ reason: String) -> RefError {
            .misfit(
                reason: reason, remedy: "ftictl release REF --features REV --model REV makes one")
        }
        guard snapshot.kind == .release, case .tree(let root, _, _) = snapshot.content else {
            throw misfit("a release is a release snapshot whose content is a tree")
        }
        guard let features = snapshot.input(Self.featuresRole),
            let model = snapshot.input(Self.modelRole)
        else { throw misfit("a release has the inputs features and model") }
        let tree = try wrapping(TreeReader(source).tree(root), as: RefError.objects)
        let prompt = tree.entries.first { $0.name.bytes.elementsEqual(Self.promptName.utf8) }?.id
        try self.init(features: features, model: model, prompt: prompt, in: source)
        guard space == snapshot.space else {
            throw misfit(
                "it declares embedding space \(snapshot.space?.short ?? "none"), and its parts have "
                    + (space?.short ?? "none"))
        }
    }

    /// Whether the model was made from these features or an ancestor of them; true when it does not declare its
    /// features.
    ///
    /// - Throws: `objects`.
    public func modelPrecedesFeatures(in source: some ObjectSource) throws(RefError) -> Bool {
        guard let modelFeatures else { return true }
        var ancestry = Ancestry(in: source)
        return try ancestry.isAncestor(modelFeatures, orSameAs: features)
    }

    /// Builds the snapshot of this release, and writes its tree.
    ///
    /// - Throws: The errors of the sink.
    public func snapshot(
        into sink: some ObjectStore, producer: Snapshot.Producer, created: Timestamp,
        message: String
    ) throws(ObjectError) -> Snapshot {
        var builder = TreeBuilder()
        if let prompt {
            guard let path = try? RelativePath(Self.promptName),
                let size = try sink.size(of: prompt)
            else { throw .missing(prompt) }
            builder.add(path, size: size, id: prompt)
        }
        return Snapshot(
            kind: .release, content: try builder.write(into: sink).content,
            inputs: [Self.featuresRole: features, Self.modelRole: model], producer: producer,
            space: space, created: created, message: message)
    }

    /// Warnings about a release that is valid but may be a mistake.
    ///
    /// - Throws: `objects`.
    public func cautions(in source: some ObjectSource) throws(RefError) -> [String] {
        var cautions: [String] = []
        if space == nil {
            cautions.append(
                "neither the features nor the model declares an embedding space, so nothing shows "
                    + "that they fit")
        }
        if let made = modelFeatures, try !modelPrecedesFeatures(in: source) {
            cautions.append(
                "the model was made from features \(made.short), which are not an ancestor of "
                    + features.short)
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
    /// Stores a prompt, and binds it with features and a model to a release.
    ///
    /// - Throws: `misfit` when they do not fit each other; `objects`.
    public func bind(
        features: ObjectID, model: ObjectID, prompt: [UInt8]? = nil
    ) throws(RefError) -> Release {
        var stored: ObjectID?
        if let prompt {
            stored = try wrapping(objects.write(prompt, hint: .bulk), as: RefError.objects)
        }
        return try Release(features: features, model: model, prompt: stored, in: objects)
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
