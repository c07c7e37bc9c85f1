internal import FileFormats
internal import Objects
internal import Storage

/// Compares the adapters in a new version of a model with the model that they adapt, the input `base`.
struct AdapterCheck<Source: ObjectRangeSource> {
    private let objects: Source
    private var ancestry: Ancestry<Source>
    /// What was not compared and why, for a person.
    private(set) var notes: [String] = []

    init(in objects: Source) {
        self.objects = objects
        ancestry = Ancestry(in: objects)
    }

    /// Checks one version of a ref.
    ///
    /// - Throws: `adapter` when an adapter does not fit; `objects`.
    mutating func check(_ model: Snapshot, of name: RefName) throws(RefError) {
        guard model.kind == .model else { return }
        try checkInputs(of: model, name)
        guard let folder = try ancestry.folder(of: model) else { return }
        let objects = objects
        let adapters = try wrapping(as: RefError.objects) { () throws(ObjectError) in
            try folder.adapters(in: objects)
        }
        guard !adapters.isEmpty else { return }
        guard let base = try ancestry.weights(below: model) else {
            notes.append(
                "\(name) holds an adapter and has no input base, so nothing shows which model it "
                    + "fits")
            return
        }
        for adapter in adapters {
            let place = adapter.name.isEmpty ? "" : " in \(adapter.name)"
            let fit = try wrapping(as: RefError.objects) { () throws(ObjectError) in
                try AdapterFit(of: adapter.folder, on: base.folder, in: objects)
            }
            switch fit {
            case .fits: continue
            case .notCompared(let reason):
                notes.append(
                    "the adapter\(place) of \(name) was not compared with its base "
                        + "\(base.id.short): \(reason)")
            case .misfit(let problems, let more):
                throw .adapter(name, place: adapter.name, base: base.id, problems, more: more)
            }
        }
    }
}

extension AdapterCheck {
    /// Checks that the adapter which was merged into a base adapts that base.
    private mutating func checkInputs(of model: Snapshot, _ name: RefName) throws(RefError) {
        guard let adapter = model.input(ModelRole.adapter), let base = model.input(ModelRole.base),
            let own = try ancestry.snapshot(adapter).input(ModelRole.base), own != base
        else { return }
        throw .adapter(
            name, place: "", base: base,
            ["the input adapter \(adapter.short) was made for the base \(own.short)"], more: 0)
    }
}

/// The texts of ``RefError/adapter(_:place:base:_:more:)``.
enum AdapterMisfit {
    static let remedy =
        "name the model that it was trained on as the input base; without that input, nothing is "
        + "compared"

    static func message(
        _ name: RefName, _ place: String, _ base: ObjectID, _ problems: [String], more: Int
    ) -> String {
        let place = place.isEmpty ? "" : " in \(place)"
        let title = "the adapter\(place) of \(name) does not fit its base \(base.short):"
        return ([title] + problems + (more > 0 ? ["and \(more) more"] : []))
            .joined(separator: "\n")
    }
}
