public import Objects

/// Opens the embedders of one kind.
public protocol EmbedderProvider: Sendable {
    /// The name of the embedder in embedding spaces.
    var name: String { get }

    /// The embedder that makes vectors of a space, with its canaries checked.
    ///
    /// - Parameter source: The repository, which holds the weights of some embedders.
    /// - Throws: What explains why this program cannot make the vectors.
    func open(
        _ space: EmbeddingSpace, in source: any ObjectSource
    ) throws(EmbeddingError) -> any Embedder
}

/// Finds the embedder of an embedding space among the kinds that a program has: built in, a model in the repository, or
/// a service that the user names.
///
/// None contacts an address stored in a repository: otherwise the author of a snapshot would decide where questions and
/// keys are sent.
public struct EmbedderRegistry: Sendable {
    private let providers: [any EmbedderProvider]

    /// Makes a registry of the built-in embedder and these kinds.
    public init(_ providers: [any EmbedderProvider] = []) {
        self.providers = [BuiltinProvider()] + providers
    }

    /// The embedder that makes vectors of a space, with its canaries checked.
    ///
    /// - Parameter source: The repository that has the space.
    /// - Throws: `unavailable` or `serviceUnknown` when no provider has the embedder; errors of the provider.
    public func embedder(
        of space: EmbeddingSpace, in source: any ObjectSource
    ) throws(EmbeddingError) -> any Embedder {
        let provider = providers.first { $0.name.utf8.elementsEqual(space.embedder.utf8) }
        if let provider { return try provider.open(space, in: source) }
        if space.isService { throw .serviceUnknown(space: space.id, model: space.version) }
        throw .unavailable(space: space.id, embedder: space.embedder, version: space.version)
    }
}

/// Opens the built-in embedder.
struct BuiltinProvider: EmbedderProvider {
    let name = BuiltinEmbedder.name

    func open(
        _ space: EmbeddingSpace, in source: any ObjectSource
    ) throws(EmbeddingError) -> any Embedder {
        try space.availableEmbedder()
    }
}
