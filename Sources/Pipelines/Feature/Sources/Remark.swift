/// Something about a document, a file or a folder that a person should know.
public struct Remark: Hashable, Sendable {
    /// What it is about: a path below the sources, or a source.
    public let path: String
    /// What there is to say: the end of a sentence that begins with the path.
    public let reason: String

    /// Makes a remark.
    public init(_ path: String, _ reason: String) {
        self.path = path
        self.reason = reason
    }
}
