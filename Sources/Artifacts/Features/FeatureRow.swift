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

    /// Makes a row.
    public init(
        document: String, title: String, section: String, headings: [String], ordinal: Int,
        text: String
    ) {
        self.document = document
        self.title = title
        self.section = section
        self.headings = headings
        self.ordinal = ordinal
        self.text = text
    }

    /// The row's key: `<document>#<section>/<ordinal>`, the ordinal with at least two digits.
    public var key: String { Self.keyPrefix(document: document, section: section) + paddedOrdinal }

    /// What the keys of all chunks of a section begin with.
    public static func keyPrefix(document: String, section: String) -> String {
        "\(document)#\(section)/"
    }

    private var paddedOrdinal: String { ordinal < 10 ? "0\(ordinal)" : String(ordinal) }

    /// What is embedded: the headings, then the text, each on a line of its own.
    public var embeddingText: String {
        headings.isEmpty ? text : headings.joined(separator: " / ") + "\n" + text
    }

    /// The row's attributes as they are stored.
    public var attributes: JSONObject {
        var object = JSONObject()
        object["document"] = .string(document)
        object["title"] = .string(title)
        object["section"] = .string(section)
        object["headings"] = .array(headings.map { .string($0) })
        object["ordinal"] = .integer(ordinal)
        object["text"] = .string(text)
        return object
    }

    /// Reads a row's attributes; members that are not known here are left alone.
    ///
    /// - Throws: `malformed` when a member is missing or of another type.
    public init(attributes: JSONObject) throws(ObjectError) {
        do throws(JSONSchemaError) {
            var reader = JSONObjectReader(attributes)
            var headings: [String] = []
            for heading in try reader.array("headings") {
                guard let heading = heading.string else {
                    throw reader.error("headings", "must be strings")
                }
                headings.append(heading)
            }
            self.init(
                document: try reader.string("document"), title: try reader.string("title"),
                section: try reader.string("section"), headings: headings,
                ordinal: try reader.count("ordinal"), text: try reader.string("text"))
        } catch {
            throw .malformed(
                nil, as: "features row", reason: "\(error.path) \(error.reason)", offset: nil)
        }
    }
}
