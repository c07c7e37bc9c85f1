public import Objects

/// One row of a features table: a chunk of a document, ready to be found.
///
/// The row's vector is the embedding of ``embeddingText``. Nothing in a row speaks of the document's other
/// sections, so that editing one of them changes no row of the others.
public struct FeatureRow: Hashable, Sendable {
    /// The path of the document below the source folder, with `/` between components.
    public var document: String
    /// The document's title.
    public var title: String
    /// The anchor of the section, such as `drilling-template`; empty before the first heading.
    public var section: String
    /// The headings above the chunk, from the outermost in.
    public var headings: [String]
    /// The number of the chunk in its section, from 0.
    public var ordinal: Int
    /// The text.
    public var text: String
    /// The targets of the links in the text, in order, each once.
    public var links: [String]
    /// The languages of the code in the text, as the document names them.
    public var languages: [String]
    /// The page that the text begins on, in documents that have pages.
    public var page: Int?
    /// What else is known of the document: members of the row beside those above, such as `author` or `url`.
    public var metadata: JSONObject

    /// Makes a row.
    public init(
        document: String, title: String, section: String, headings: [String], ordinal: Int,
        text: String, links: [String] = [], languages: [String] = [], page: Int? = nil,
        metadata: JSONObject = JSONObject()
    ) {
        self.document = document
        self.title = title
        self.section = section
        self.headings = headings
        self.ordinal = ordinal
        self.text = text
        self.links = links
        self.languages = languages
        self.page = page
        self.metadata = metadata
    }

    /// The members that a row has of its own, some of them only where there is something to say; metadata has other
    /// names.
    public static let builtInMembers = [
        "document", "title", "section", "headings", "ordinal", "text", "links", "languages", "page",
    ]

    /// The row's key: `<document>#<section>/<ordinal>`, the ordinal with at least two digits.
    public var key: String { Self.keyPrefix(document: document, section: section) + paddedOrdinal }

    /// What the keys of all chunks of a section begin with.
    public static func keyPrefix(document: String, section: String) -> String {
        "\(document)#\(section)/"
    }

    private var paddedOrdinal: String { ordinal < 10 ? "0\(ordinal)" : String(ordinal) }

    /// What is embedded: the title, unless it is among the headings, the headings and the text, each on a line of its own. A title that is
    /// but the name of the file says nothing of the text, and is left out.
    public var embeddingText: String {
        let isNamed = headings.contains { $0.utf8.elementsEqual(title.utf8) }
        let names = (isNamed || title.isEmpty ? [] : [title]) + headings
        let file = fileName
        return (names.filter { !$0.utf8.elementsEqual(file.utf8) } + [text]).joined(separator: "\n")
    }

    /// The name of the document's file without its ending.
    private var fileName: Substring {
        let name = document.split(separator: "/").last ?? Substring(document)
        guard let dot = name.lastIndex(of: "."), dot != name.startIndex else { return name }
        return name[..<dot]
    }

    /// The member of ``metadata`` that says which language the row's words are of, such as `de`.
    public static let languageMember = "language"

    /// The row's attributes as they are stored; ``links``, ``languages`` and ``page`` only where there are any.
    public var attributes: JSONObject {
        var object = metadata
        object["document"] = .string(document)
        object["title"] = .string(title)
        object["section"] = .string(section)
        object["headings"] = .array(headings.map { .string($0) })
        object["ordinal"] = .integer(ordinal)
        object["text"] = .string(text)
        if !links.isEmpty { object["links"] = .array(links.map { .string($0) }) }
        if !languages.isEmpty { object["languages"] = .array(languages.map { .string($0) }) }
        if let page { object["page"] = .integer(page) }
        return object
    }

    /// Reads a row's attributes; members that are not known here are ``metadata``, and so are the optional ones where
    /// they are of another type, so that ``attributes`` gives all of them back.
    ///
    /// - Throws: `malformed` when a member that every row has is missing or of another type.
    public init(attributes: JSONObject) throws(ObjectError) {
        do throws(JSONSchemaError) {
            var reader = JSONObjectReader(attributes)
            guard let headings = Self.strings(.array(try reader.array("headings"))) else {
                throw reader.error("headings", "must be strings")
            }
            self.init(
                document: try reader.string("document"), title: try reader.string("title"),
                section: try reader.string("section"), headings: headings,
                ordinal: try reader.count("ordinal"), text: try reader.string("text"))
        } catch {
            throw .malformed(
                nil, as: "features row", reason: "\(error.path) \(error.reason)", offset: nil)
        }
        guard attributes.count > Self.requiredMembers.count else { return }
        metadata = attributes
        for name in Self.requiredMembers { metadata[name] = nil }
        if let links = Self.texts(metadata["links"]) {
            self.links = links
            metadata["links"] = nil
        }
        if let languages = Self.texts(metadata["languages"]) {
            self.languages = languages
            metadata["languages"] = nil
        }
        if case .number? = metadata["page"], let page = metadata["page"]?.integer {
            self.page = page
            metadata["page"] = nil
        }
    }

    private static let requiredMembers = builtInMembers.prefix(6)

    /// A list of strings that has some; nil when it is anything else.
    private static func texts(_ json: JSON?) -> [String]? {
        json.flatMap(strings).flatMap { $0.isEmpty ? nil : $0 }
    }

    private static func strings(_ json: JSON) -> [String]? {
        guard let items = json.array else { return nil }
        let strings = items.compactMap(\.string)
        return strings.count == items.count ? strings : nil
    }

    /// Hashes what tells rows of a table apart.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(key)
        hasher.combine(text)
    }
}
