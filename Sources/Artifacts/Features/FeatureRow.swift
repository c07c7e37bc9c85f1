public import Objects

/// A row of a features table: one chunk of a document, ready for retrieval.
///
/// The row's vector is the embedding of ``embeddingText``. Apart from titles, headings and attributes, a row depends
/// only on its own section, so an edit to the text of one section leaves the rows of all others unchanged.
public struct FeatureRow: Hashable, Sendable {
    /// The document's path: the source's prefix, if any, and the path below its folder, encoded by ``DocumentPath``.
    public var document: String
    /// The document's title.
    public var title: String
    /// The anchor of the section, such as `drilling-template`; empty before the first heading.
    public var section: String
    /// The headings above the chunk, outermost first.
    public var headings: [String]
    /// The ordinal of the chunk within its section, from 0.
    public var ordinal: Int
    /// The text.
    public var text: String
    /// The targets of the links in the text, in order, without duplicates.
    public var links: [String]
    /// The languages of code blocks in the text, as the document names them.
    public var languages: [String]
    /// The page that the text begins on, in documents with pages.
    public var page: Int?
    /// Other attributes of the document, such as `author` or `url`, which become members of the row.
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

    /// The built-in members of a row; metadata must use other names. Rows omit optional members that are empty.
    public static let builtInMembers = [
        "document", "title", "section", "headings", "ordinal", "text", "links", "languages", "page",
    ]

    /// The row's key: `<document>#<section>/<ordinal>`, with at least two digits in the ordinal.
    public var key: String { Self.keyPrefix(document: document, section: section) + paddedOrdinal }

    /// The prefix that the keys of all chunks of a section share.
    public static func keyPrefix(document: String, section: String) -> String {
        "\(document)#\(section)/"
    }

    private var paddedOrdinal: String { ordinal < 10 ? "0\(ordinal)" : String(ordinal) }

    /// The text that is embedded: title, headings and text, one per line.
    ///
    /// Omits a title that is also one of the headings, and a title or heading that equals the file name without its
    /// extension.
    public var embeddingText: String {
        let isNamed = headings.contains { $0.utf8.elementsEqual(title.utf8) }
        let names = (isNamed || title.isEmpty ? [] : [title]) + headings
        let file = fileName
        return (names.filter { !$0.utf8.elementsEqual(file.utf8) } + [text]).joined(separator: "\n")
    }

    /// The document's file name without its extension.
    private var fileName: Substring {
        let name = document.split(separator: "/").last ?? Substring(document)
        guard let dot = name.lastIndex(of: "."), dot != name.startIndex else { return name }
        return name[..<dot]
    }

    /// The member of ``metadata`` with the address of the row's document.
    public static let addressMember = "url"
    /// The member of ``metadata`` that names the language of the row's words, such as `de`.
    public static let languageMember = "language"

    /// The attributes as stored; ``links``, ``languages`` and ``page`` are present only when set.
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

    /// Reads the attributes of a row.
    ///
    /// Unknown members become ``metadata``, and so do optional members that are empty or of an unexpected type;
    /// ``attributes`` therefore returns every member that was read.
    ///
    /// - Throws: `malformed` when a required member is missing or has the wrong type.
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

    /// The strings of a non-empty list; nil for any other value.
    private static func texts(_ json: JSON?) -> [String]? {
        json.flatMap(strings).flatMap { $0.isEmpty ? nil : $0 }
    }

    private static func strings(_ json: JSON) -> [String]? {
        guard let items = json.array else { return nil }
        let strings = items.compactMap(\.string)
        return strings.count == items.count ? strings : nil
    }

    /// Hashes the members that distinguish the rows of a table.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(key)
        hasher.combine(text)
    }
}

/// Encodes document paths for row keys, where some characters have a special meaning.
public enum DocumentPath {
    /// The maximum number of bytes of an encoded path: keys are limited, and an anchor and an ordinal follow the path.
    public static let byteLimit = 700

    /// Escapes `#`, `%` and control characters as `%XX`; nil when the result is too long.
    public static func encode(_ path: String) -> String? {
        var bytes: [UInt8] = []
        for scalar in path.unicodeScalars {
            let encoded = UTF8.encode(scalar).map(Array.init) ?? []
            if scalar == "#" || scalar == "%" || scalar.properties.generalCategory == .control {
                for byte in encoded {
                    bytes += Array("%\(Hexadecimal.encode([byte]).uppercased())".utf8)
                }
            } else {
                bytes += encoded
            }
        }
        return bytes.count <= byteLimit ? String(decoding: bytes, as: UTF8.self) : nil
    }
}

/// The keys of all rows of a features table, in order; each key names the section of its row.
public struct FeatureKeys: Sendable {
    /// The keys, by row index.
    public let all: [String]

    /// Reads the keys of a table.
    ///
    /// - Throws: Read errors.
    public static func read(
        _ table: Table, in source: some ObjectSource
    ) throws(ObjectError) -> FeatureKeys {
        var keys: [String] = []
        keys.reserveCapacity(table.rows)
        var cursor = TableCursor(table, in: source)
        while let leaf = try cursor.nextLeaf() { keys.append(contentsOf: leaf.keys) }
        return FeatureKeys(all: keys)
    }

    /// The rows of a section.
    public func rows(document: String, section: String) -> Range<Int> {
        let prefix = Array(FeatureRow.keyPrefix(document: document, section: section).utf8)
        let first = all.binarySearch { $0.utf8.lexicographicallyPrecedes(prefix) }
        let end = all.binarySearch {
            $0.utf8.lexicographicallyPrecedes(prefix) || $0.utf8.starts(with: prefix)
        }
        return first..<end
    }

    /// The rows of the section that a row belongs to; the row alone when its key names no section.
    public func section(of row: Int) -> [Int] {
        let key = Array(all[row].utf8)
        guard let slash = key.lastIndex(of: 0x2F) else { return [row] }
        let prefix = key[...slash]
        var first = row
        while first > 0, all[first - 1].utf8.starts(with: prefix) { first -= 1 }
        var end = row + 1
        while end < all.count, all[end].utf8.starts(with: prefix) { end += 1 }
        return Array(first..<end)
    }
}
