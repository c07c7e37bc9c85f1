public import Artifacts

/// What whoever asks wants otherwise than the ranker's settings say.
public struct RetrievalOverrides: Hashable, Sendable {
    /// Where candidates come from.
    public var mode: RetrievalSettings.Mode?
    /// How many candidates each way of looking gives.
    public var candidates: Int?
    /// How many chunks of one document come before those of others.
    public var perDocument: Int?

    /// Nothing otherwise.
    public init() {}

    func applied(to settings: RetrievalSettings) -> RetrievalSettings {
        var settings = settings
        settings.mode = mode ?? settings.mode
        settings.candidates = candidates ?? settings.candidates
        settings.perDocument = perDocument ?? settings.perDocument
        return settings
    }
}
