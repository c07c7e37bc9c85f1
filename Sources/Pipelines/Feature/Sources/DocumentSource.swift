/// A folder or file that documents come from.
public struct DocumentSource: Hashable, Sendable {
    /// What the paths of its documents begin with; empty when it is the only source.
    public var prefix: String
    /// The folder or file.
    public var location: String
    /// Which files count, by their paths below the folder.
    public var include: [GlobPattern]
    /// Which files and folders do not.
    public var exclude: [GlobPattern]

    /// What counts where nothing is said.
    public static let defaultInclude = [
        "md", "markdown", "html", "htm", "txt", "rst", "jsonl", "ndjson",
    ].map { GlobPattern("**/*.\($0)") }

    /// Makes a source.
    public init(
        prefix: String = "", location: String, include: [GlobPattern] = Self.defaultInclude,
        exclude: [GlobPattern] = []
    ) {
        self.prefix = prefix
        self.location = location
        self.include = include
        self.exclude = exclude
    }

    /// Where a document of this source is in the run.
    func path(of relative: String) -> String {
        if prefix.isEmpty { return relative }
        return relative.isEmpty ? prefix : "\(prefix)/\(relative)"
    }
}
