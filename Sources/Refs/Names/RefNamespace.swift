public import Objects

/// The first component of a ref's name, which fixes the kind of what the ref may point at.
public enum RefNamespace: String, CaseIterable, Sendable, Hashable {
    /// `features/*`
    case features
    /// `datasets/*`
    case datasets
    /// `models/*`
    case models
    /// `releases/*`
    case releases

    /// The kind of snapshot that refs of this namespace point at.
    public var kind: Snapshot.Kind {
        switch self {
        case .features: .features
        case .datasets: .dataset
        case .models: .model
        case .releases: .release
        }
    }

    /// The namespace for a kind of snapshot.
    public init(_ kind: Snapshot.Kind) {
        self =
            switch kind {
            case .features: .features
            case .dataset: .datasets
            case .model: .models
            case .release: .releases
            }
    }

    /// All namespaces as a person reads them: `features, datasets, models or releases`.
    static var listing: String {
        let names = allCases.map(\.rawValue)
        return names.dropLast().joined(separator: ", ") + " or " + (names.last ?? "")
    }
}
