public import Artifacts

/// Finds the embedder of an embedding space: in this program, or behind the service that a person named.
///
/// No address out of a repository is ever asked: whoever wrote a snapshot would decide where questions and keys
/// go.
public struct EmbedderSource: Sendable {
    private let endpoint: ServiceEndpoint?

    /// Makes a source.
    ///
    /// - Parameter endpoint: Where services answer; nil where none may be asked.
    public init(endpoint: ServiceEndpoint? = nil) { self.endpoint = endpoint }

    /// The embedder that makes vectors of a space, its canaries checked.
    ///
    /// - Throws: `unavailable`, `embedderDiffers`, `canaryDiffers`, `serviceUnknown`, `service`.
    public func embedder(of space: EmbeddingSpace) throws(EmbeddingError) -> any Embedder {
        guard let model = ServiceModel(of: space) else { return try space.availableEmbedder() }
        guard let endpoint else {
            throw .serviceUnknown(space: space.id, model: model.name)
        }
        return try ServiceEmbedder(of: space, at: endpoint)
    }
}
