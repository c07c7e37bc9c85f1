public import Documents
public import TextAnalysis

/// Which language the words of a source's documents are of.
public enum LanguageChoice: Hashable, Sendable {
    /// One for all of them.
    case declared(Language)
    /// That which each document's words speak for.
    case detected

    /// What a configuration says: a code, or `auto`; nil for anything else.
    init?(_ text: String) {
        if text == Self.auto {
            self = .detected
        } else if let language = Language(code: text) {
            self = .declared(language)
        } else {
            return nil
        }
    }

    private static let auto = "auto"

    /// The same as a configuration says it.
    var text: String {
        switch self {
        case .declared(let language): language.code
        case .detected: Self.auto
        }
    }

    /// The language of a document; nil where nothing speaks for one.
    func language(of document: CleanDocument) -> Language? {
        switch self {
        case .declared(let language): language
        case .detected:
            Language.detected(
                in: ([document.title]
                    + document.sections.flatMap { $0.blocks }
                    .filter { $0.kind != .code }.map(\.text)).joined(separator: "\n"))
        }
    }
}

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
    /// The attributes that its rows have.
    public var attributes: [AttributeRule] = []
    /// Which members of its records are their parts.
    public var fields = RecordFields()
    /// What its files are, whatever their names say; nil to go by the names.
    package var format: DocumentFormat?
    /// The encoding of its files, as the web names encodings; nil to find out for each.
    public internal(set) var encoding: String?
    /// The language that its words are of; nil where nobody says, which is taken for English.
    public var language: LanguageChoice?

    /// What counts where nothing is said.
    public static let defaultInclude = DocumentFormat.endings.keys.sorted().map {
        GlobPattern(ending: $0)
    }

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
