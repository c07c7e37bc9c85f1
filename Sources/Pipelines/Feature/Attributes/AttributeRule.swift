internal import Artifacts
public import Objects

/// How the value of one attribute of a source's rows is found.
public struct AttributeRule: Hashable, Sendable {
    /// Where a value comes from.
    public enum Origin: Hashable, Sendable {
        /// The first of these members of what the document says of itself that is there.
        case members([String])
        /// A text with parts of the document's path; a text alone is the same for all.
        case template(ValueTemplate)
        /// A number, or `true` or `false`, that is the same for all.
        case constant(ConstantValue)
        /// When the file was last changed, as the file system has it.
        case fileTime
    }

    /// The attribute's name: the member of the rows.
    public let name: String
    /// The type of its values.
    public let type: AttributeType
    /// Where they come from.
    public let origin: Origin

    /// Makes a rule.
    public init(_ name: String, _ type: AttributeType, from origin: Origin) {
        self.name = name
        self.type = type
        self.origin = origin
    }

    /// The rule of an attribute of which only the type is given: the member of its name, or of one that is commonly used
    /// for it.
    public init(_ name: String, _ type: AttributeType) {
        self.init(name, type, from: .members([name] + (Self.synonyms[name] ?? [])))
    }

    /// The name, in `from`, of the file's time.
    static let fileTimeName = "file.modified"

    /// What documents call the commonest attributes.
    private static let synonyms: [String: [String]] = [
        "author": [
            "authors", "author.name", "authors.name", "article:author", "dc.creator",
            "dcterms.creator",
            "creator",
        ],
        "created": ["date", "published", "article:published_time", "dcterms.created"],
        "description": ["summary", "og:description", "dc.description"],
        "language": ["lang", "og:locale", "dc.language"],
        "published": ["date", "created", "article:published_time", "dcterms.issued"],
        "tags": ["keywords", "article:tag", "labels"],
        "updated": [
            "last_updated", "last_update", "lastmod", "last_modified", "modified",
            "article:modified_time", "og:updated_time", "dcterms.modified", "time",
        ],
        "url": ["canonical", "og:url", "permalink"],
    ]

    // MARK: Names

    /// Longer names are refused: every row has them.
    private static let nameLimit = 64

    /// Names that a row, or a passage of a reply, has already.
    static let reservedNames = FeatureRow.builtInMembers + ["key", "vector", "score", "similarity"]

    /// Why an attribute cannot have a name; nil when it can.
    static func objection(to name: String) -> String? {
        if reservedNames.contains(where: { $0.utf8.elementsEqual(name.utf8) }) {
            return "\(name) is what every row has: an attribute needs another name"
        }
        let isWord = name.utf8.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x5F, 0x2D: true
            default: false
            }
        }
        guard isWord, let first = name.utf8.first, 0x61...0x7A ~= first | 0x20,
            name.utf8.count <= nameLimit
        else {
            return
                "the name of an attribute begins with a letter and has letters, digits, _ and -, "
                + "at most \(nameLimit)"
        }
        return nil
    }
}

/// A value that is not text and the same for all documents.
public enum ConstantValue: Hashable, Sendable {
    /// A number.
    case number(Double)
    /// `true` or `false`.
    case truth(Bool)

    var json: JSON {
        switch self {
        case .number(let number): .number(number)
        case .truth(let truth): .bool(truth)
        }
    }
}

extension AttributeRule {
    /// The version of what rules find: whatever changes that changes it, and documents are read again.
    static let version = 1

    /// What a snapshot says of the rule: only the type, where only that was given.
    var json: JSON {
        if self == AttributeRule(name, type) { return .string(type.rawValue) }
        var object = JSONObject()
        object["type"] = .string(type.rawValue)
        switch origin {
        case .members(let names): object["from"] = .array(names.map { .string($0) })
        case .template(let template): object["value"] = .string(template.text)
        case .constant(let constant): object["value"] = constant.json
        case .fileTime: object["from"] = .array([.string(Self.fileTimeName)])
        }
        return .object(object)
    }
}
