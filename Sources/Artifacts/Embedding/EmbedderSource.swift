/// Finds the embedder of an embedding space: built in, or behind a service that the user names.
///
/// It never contacts an address stored in a repository: otherwise the author of a snapshot would decide where questions
/// and keys are sent.
public struct EmbedderSource: Sendable {
    /// Opens the service that makes the vectors of a space, and checks its canaries.
    public typealias Service = @Sendable (EmbeddingSpace) throws(EmbeddingError) -> any Embedder

    private let service: Service?

    /// Makes a source.
    ///
    /// - Parameter service: Opens the user's service; nil to use none.
    public init(service: Service? = nil) { self.service = service }

    /// The embedder that makes vectors of a space, with its canaries checked.
    ///
    /// - Throws: `unavailable`, `embedderDiffers`, `canaryDiffers`, `serviceUnknown`, `service`.
    public func embedder(of space: EmbeddingSpace) throws(EmbeddingError) -> any Embedder {
        guard space.isService else { return try space.availableEmbedder() }
        guard let service else {
            throw .serviceUnknown(space: space.id, model: space.version)
        }
        return try service(space)
    }
}
