public import Artifacts

/// Finds the embedder of an embedding space: built in, or behind a service that the user names.
///
/// It never contacts an address stored in a repository: otherwise the author of a snapshot would decide where questions
/// and keys are sent.
public struct EmbedderSource: Sendable {
    private let endpoint: ServiceEndpoint?

    /// Makes a source.
    ///
    /// - Parameter endpoint: The service to use; nil to use none.
    public init(endpoint: ServiceEndpoint? = nil) { self.endpoint = endpoint }

    /// The embedder that makes vectors of a space, with its canaries checked.
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
