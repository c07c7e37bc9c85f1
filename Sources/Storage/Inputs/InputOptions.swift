/// How what is named to be stored is looked at.
public struct InputOptions: Sendable {
    /// Whether symbolic links are followed wherever they lead. Without it, those in a directory are followed that stay
    /// inside what it belongs to; see ``InputWalk``.
    public var followLinks = false
    /// What is left out, in the syntax of a line of a `.gitignore`, relative to each directory that is named.
    public var excludes: [String] = []
    /// Whether ``defaultExcludes`` are left out, unless a pattern says otherwise.
    public var usesDefaultExcludes = true
    /// Whether entries whose names no tree may hold get others, rather than being refused.
    public var renamesInvalid = false

    /// What tools leave behind that is no content, in the syntax of ``excludes``.
    public static let defaultExcludes = [
        ".git", "**/.cache/huggingface/", "__pycache__/", ".DS_Store", ".ipynb_checkpoints/",
    ]

    /// The file whose lines say what is left out of the directory that it is in.
    public static let ignoreFile = ".ftiignore"

    /// The options when nothing is said.
    public init() {}
}
