internal import Conditions
internal import Artifacts
public import Documents
internal import Objects
public import TextAnalysis
internal import YAML

/// The language of the words in a source's documents.
public enum LanguageChoice: Hashable, Sendable {
    /// One language for all documents.
    case declared(Language)
    /// The language that each document's words suggest.
    case detected

    /// Parses a language code or `auto`; nil for anything else.
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

    /// The choice as configurations spell it.
    var text: String {
        switch self {
        case .declared(let language): language.code
        case .detected: Self.auto
        }
    }

    /// The language of a document; nil without evidence for one.
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

/// A folder or file that supplies documents.
public struct DocumentSource: Hashable, Sendable {
    /// What its files hold.
    public enum Kind: Hashable, Sendable {
        /// Documents.
        case documents
        /// Lines of feedback; see ``FeedbackSource``.
        case feedback(FeedbackSource)
    }

    /// What its files hold.
    public internal(set) var kind = Kind.documents
    /// The path prefix of its documents; may be empty only for a single source.
    public var prefix: String
    /// The folder or file.
    public var location: String
    /// The files to read, by their paths below the folder.
    public var include: [GlobPattern]
    /// The files and folders to leave out.
    public var exclude: [GlobPattern]
    /// The attributes of its rows.
    public var attributes: [AttributeRule] = []
    /// The members of its records that hold text, id and title.
    public var fields = RecordFields()
    /// The format of its files, regardless of their names; nil to go by the names.
    package var format: DocumentFormat?
    /// The encoding of its files, by its web name; nil to detect each file's encoding.
    public internal(set) var encoding: String?
    /// The language of its words; nil when not configured, which counts as English.
    public var language: LanguageChoice?

    /// The files to read unless the configuration says otherwise.
    public static let defaultInclude = DocumentFormat.endings.keys.sorted().map {
        GlobPattern(ending: $0)
    }

    /// Makes a source that detects the encoding of its files and fills no attributes.
    public init(
        prefix: String = "", location: String, include: [GlobPattern] = Self.defaultInclude,
        exclude: [GlobPattern] = []
    ) {
        self.prefix = prefix
        self.location = location
        self.include = include
        self.exclude = exclude
    }

    /// The last component of its location; nil for the root folder.
    var lastName: String? {
        location.utf8.split(separator: 0x2F).last.map { String(Substring($0)) }
    }

    /// The path of one of its documents within the run.
    func path(of relative: String) -> String {
        if prefix.isEmpty { return relative }
        return relative.isEmpty ? prefix : "\(prefix)/\(relative)"
    }
}

extension DocumentSource {
    /// The keys that ``readPatterns(_:)`` takes.
    static let patternKeys = ["include", "exclude"]
    /// The keys that ``readSelection(_:)`` takes.
    static let selectionKeys = patternKeys + ["format", "encoding"]

    /// Reads which files a source selects.
    ///
    /// - Throws: `configuration`, with the line of the mistake.
    mutating func readPatterns(_ item: inout YAMLMapping) throws(ConfigurationError) {
        if let include = try Self.patterns("include", &item) { self.include = include }
        if let exclude = try Self.patterns("exclude", &item) { self.exclude = exclude }
    }

    /// Reads which files of a source are documents, and their format and encoding.
    ///
    /// - Throws: `configuration`, with the line of the mistake.
    mutating func readSelection(_ item: inout YAMLMapping) throws(ConfigurationError) {
        try readPatterns(&item)
        if let word = try item.text("format") {
            guard let format = DocumentFormat.named[word.value] else {
                let known = DocumentFormat.named.keys.sorted().joined(separator: ", ")
                throw item.error(
                    "sources.format is \(word.value): it must be one of \(known)", line: word.line)
            }
            self.format = format
            fields.format = format
        }
        if let label = try item.text("encoding") {
            guard RawDocument.isEncoding(label.value) else {
                throw item.error(
                    "sources.encoding is \(label.value), which is unknown: use a name from web pages, "
                        + "such as windows-1252 or shift_jis", line: label.line)
            }
            encoding = label.value
        }
    }

    private static func patterns(
        _ key: String, _ item: inout YAMLMapping
    ) throws(ConfigurationError) -> [GlobPattern]? {
        guard let texts = try item.texts(key) else { return nil }
        var patterns: [GlobPattern] = []
        for text in texts {
            do throws(GlobPattern.Malformed) { patterns.append(try GlobPattern(text.value)) } catch
            {
                throw item.error(
                    "sources.\(key): the pattern \(text.value) \(error.reason)", line: text.line)
            }
        }
        return patterns
    }
}

extension DocumentSource {
    /// The keys that ``readMetadata(_:)`` takes.
    static let metadataKeys = ["attributes", "fields", "language"]

    /// Reads the attributes of a source's rows, its language and the members of its records.
    ///
    /// - Throws: `configuration`, with the line of the mistake.
    mutating func readMetadata(_ item: inout YAMLMapping) throws(ConfigurationError) {
        if let mapping = try item.mapping("attributes") {
            attributes = try AttributeRule.rules(mapping)
        }
        if let mapping = try item.mapping("fields") { try readFields(mapping) }
        if let code = try item.text("language") {
            guard let choice = LanguageChoice(code.value) else {
                throw item.error(
                    "language is \(code.value): it must be a code such as en or de, or auto",
                    line: code.line)
            }
            guard !attributes.contains(where: { $0.name == FeatureRow.languageMember }) else {
                throw item.error(
                    "language is also an attribute: leave one out", line: code.line)
            }
            language = choice
        }
    }

    /// Reads which members of a record are its text, id and title; any other key names an attribute.
    private mutating func readFields(_ mapping: YAMLMapping) throws(ConfigurationError) {
        for (key, member, line) in try mapping.allTexts() {
            switch key {
            case "text": fields.text = [member]
            case "id": fields.id = [member]
            case "title": fields.title = [member]
            default:
                if let objection = AttributeRule.objection(to: key) {
                    throw mapping.error(objection, line: line)
                }
                let index = attributes.firstIndex { $0.name.utf8.elementsEqual(key.utf8) }
                let type = index.map { attributes[$0].type } ?? .string
                let rule = AttributeRule(key, type, from: .members([member]))
                guard let index else {
                    attributes.append(rule)
                    continue
                }
                // An attribute that a field fills may declare a type, but nothing else.
                guard attributes[index] == AttributeRule(key, type) else {
                    throw mapping.error(
                        "\(key) is in both fields and attributes: leave one out",
                        line: line)
                }
                attributes[index] = rule
            }
        }
    }
}

extension FeatureConfiguration {
    /// Checks that sources which share an attribute agree on its type.
    ///
    /// - Throws: `configuration`, with the line of the source that disagrees.
    static func checkTypes(
        of sources: [(source: DocumentSource, line: Int?)], _ top: YAMLMapping
    ) throws(ConfigurationError) {
        var types: [String: AttributeType] = [:]
        for (source, line) in sources {
            if source.language != nil { types[FeatureRow.languageMember] = .string }
            for rule in source.attributes {
                if let other = types[rule.name], other != rule.type {
                    throw top.error(
                        "the attribute \(rule.name) is \(other.rawValue) in one source and "
                            + "\(rule.type.rawValue) in another: it must have one type in all rows",
                        line: line)
                }
                types[rule.name] = rule.type
            }
        }
    }
}
