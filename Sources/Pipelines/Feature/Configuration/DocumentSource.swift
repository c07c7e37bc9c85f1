internal import Artifacts
public import Documents
internal import Objects
public import TextAnalysis
internal import YAML

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

extension DocumentSource {
    /// The keys of a source that ``readSelection(_:)`` takes.
    static let selectionKeys = ["include", "exclude", "format", "encoding"]

    /// Takes which files of a source are documents, and how they are to be read.
    ///
    /// - Throws: `configuration` with the line of what is wrong.
    mutating func readSelection(_ item: inout YAMLMapping) throws(ConfigurationError) {
        if let include = try Self.patterns("include", &item) { self.include = include }
        if let exclude = try Self.patterns("exclude", &item) { self.exclude = exclude }
        if let word = try item.text("format") {
            guard let format = DocumentFormat.named[word.value] else {
                let known = DocumentFormat.named.keys.sorted().joined(separator: ", ")
                throw item.error(
                    "sources.format is \(word.value): \(known) are known", line: word.line)
            }
            self.format = format
            fields.format = format
        }
        if let label = try item.text("encoding") {
            guard RawDocument.isEncoding(label.value) else {
                throw item.error(
                    "sources.encoding is \(label.value), which is not known: write it as web pages "
                        + "do, such as windows-1252 or shift_jis", line: label.line)
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
    /// The keys of a source that ``readMetadata(_:)`` takes.
    static let metadataKeys = ["attributes", "fields", "language"]

    /// Takes what a source says of the attributes of its rows and the members of its records.
    ///
    /// - Throws: `configuration` with the line of what is wrong.
    mutating func readMetadata(_ item: inout YAMLMapping) throws(ConfigurationError) {
        if let mapping = try item.mapping("attributes") {
            attributes = try AttributeRule.rules(mapping)
        }
        if let mapping = try item.mapping("fields") { try readFields(mapping) }
        if let code = try item.text("language") {
            guard let choice = LanguageChoice(code.value) else {
                throw item.error(
                    "language is \(code.value): a code such as en or de is needed, or auto",
                    line: code.line)
            }
            guard !attributes.contains(where: { $0.name == FeatureRow.languageMember }) else {
                throw item.error(
                    "language is an attribute too: one of them is needed", line: code.line)
            }
            language = choice
        }
    }

    /// Which members of a record are its text, its id and its title; those under other names are attributes.
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
                // Only a type was given for it.
                guard attributes[index] == AttributeRule(key, type) else {
                    throw mapping.error(
                        "\(key) comes from fields and from attributes: one of them is needed",
                        line: line)
                }
                attributes[index] = rule
            }
        }
    }
}

extension FeatureConfiguration {
    /// The attributes of all sources; what several have is of one type.
    ///
    /// - Throws: `configuration` with the line of the source that has another type.
    static func schema(
        of sources: [(source: DocumentSource, line: Int?)], _ top: YAMLMapping
    ) throws(ConfigurationError) -> AttributeSchema {
        var schema = AttributeSchema()
        for (source, line) in sources {
            if source.language != nil { schema.types[FeatureRow.languageMember] = .string }
            for rule in source.attributes {
                if let other = schema.types[rule.name], other != rule.type {
                    throw top.error(
                        "the attribute \(rule.name) is \(other.rawValue) in one source and "
                            + "\(rule.type.rawValue) in another: it has one type in all rows",
                        line: line)
                }
                schema.types[rule.name] = rule.type
            }
        }
        return schema
    }
}
