/// What is wrong with a file that a person wrote for a program.
public struct ConfigurationError: Error, Hashable, Sendable {
    /// The file.
    public let path: String
    /// The line, from 1; nil where it is none in particular.
    public let line: Int?
    /// What is wrong.
    public let reason: String
}
