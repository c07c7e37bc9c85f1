internal import Artifacts
internal import Objects
internal import Refs
internal import Storage

/// The versions that a selection names in one state of the log.
struct ChosenVersions: Equatable, Sendable {
    let features: ObjectID
    let model: ObjectID
    /// The release that binds the two; nil when they were not chosen by one.
    let release: ObjectID?
    /// The newest transaction of the state.
    let transaction: Int
    /// What a person typed for them.
    let names: (features: String, model: String)

    /// Resolves a selection.
    ///
    /// - Throws: `pin`, `unusable`, `refs`, `objects`.
    init(
        _ selection: Selection, in repository: Repository, state: State, now: Timestamp
    ) throws(InferenceError) {
        let resolver = Resolver(repository, state: state, now: now)
        switch selection {
        case .revisions(let features, let model):
            names = (features, model)
            (self.features, self.model) = try wrapping(as: InferenceError.refs) {
                () throws(RefError) in
                (
                    try resolver.snapshot(try Revision(features)),
                    try resolver.snapshot(try Revision(model))
                )
            }
            release = nil
            transaction = state.number
        case .release(let name):
            let (id, bound) = try wrapping(as: InferenceError.refs) { () throws(RefError) in
                let id = try resolver.snapshot(try Revision(name))
                return (id, try Self.release(id, in: repository.objects(in: state)))
            }
            names = (name, name)
            (features, model, release) = (bound.features, bound.model, id)
            transaction = state.number
        case .pinned(let lock, let path):
            guard lock.repository == state.repositoryID else {
                throw .pin(path: path, reason: "it pins versions of another repository")
            }
            transaction = lock.transaction
            if let pin = lock.pin(of: .release) {
                let bound = try wrapping(as: InferenceError.refs) { () throws(RefError) in
                    try Self.release(pin.id, in: repository.objects(in: state))
                }
                names = (pin.revision, pin.revision)
                (self.features, self.model, release) = (bound.features, bound.model, pin.id)
                return
            }
            guard let features = lock.pin(of: .features), let model = lock.pin(of: .model) else {
                throw .pin(
                    path: path,
                    reason: "it must pin one release, or one features snapshot and one model")
            }
            names = (features.revision, model.revision)
            (self.features, self.model, release) = (features.id, model.id, nil)
        }
    }

    /// Whether both name the same versions.
    static func == (left: ChosenVersions, right: ChosenVersions) -> Bool {
        left.features == right.features && left.model == right.model
            && left.release == right.release
    }

    private static func release(
        _ id: ObjectID, in objects: PackStore
    ) throws(RefError) -> Release {
        let snapshot: Snapshot
        do throws(ObjectError) { snapshot = try Snapshot(id, in: objects) } catch {
            throw .objects(error)
        }
        return try Release(of: snapshot, in: objects)
    }
}
