public import Conditions
internal import Artifacts
internal import Objects
internal import YAML

/// The rule that fills one attribute of a source's rows.
public struct AttributeRule: Hashable, Sendable {
    /// The origin of an attribute's values.
    public enum Origin: Hashable, Sendable {
        /// The first of these metadata members for which the document has a value.
        case members([String])
        /// A template filled from the document's path; without placeholders, it gives every document the same text.
        case template(ValueTemplate)
        /// A number or truth value that all documents share.
        case constant(ConstantValue)
        /// The file's modification time.
        case fileTime
    }

    /// The attribute's name, a member of the rows.
    public let name: String
    /// The type of the values.
    public let type: AttributeType
    /// Where the values come from.
    public let origin: Origin

    /// Makes a rule that fills the attribute `name` with values of a type.
    public init(_ name: String, _ type: AttributeType, from origin: Origin) {
        self.name = name
        self.type = type
        self.origin = origin
    }

    /// Makes a rule from a type alone: the value is the metadata member of that name, or a common synonym.
    public init(_ name: String, _ type: AttributeType) {
        self.init(name, type, from: .members([name] + (Self.synonyms[name] ?? [])))
    }

    /// The word in `from` that means the file's modification time.
    static let fileTimeName = "file.modified"

    /// Common metadata names for frequent attributes.
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

    /// The maximum number of bytes of a name: every row repeats it.
    private static let nameLimit = 64

    /// Names that rows, or the chunks of a reply, already use.
    static let reservedNames = FeatureRow.builtInMembers + ["key", "vector", "score", "similarity"]

    /// The reason why a name is not allowed; nil when it is allowed.
    static func objection(to name: String) -> String? {
        if reservedNames.contains(where: { $0.utf8.elementsEqual(name.utf8) }) {
            return "\(name) is a built-in member of every row: choose another name"
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
                "an attribute name must begin with a letter and consist of letters, digits, _ and -, "
                + "at most \(nameLimit) characters"
        }
        return nil
    }
}

/// A constant that is not text.
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
    /// The version of the rules' behaviour; a change to it makes runs rebuild the rows of all sources that have rules.
    static let version = 1

    /// The rule as snapshots record it: the bare type where the configuration gave only a type.
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

extension AttributeRule {
    /// The maximum number of attributes of a source: every row carries all of them.
    private static let countLimit = 64

    /// Reads the key `attributes` of a source, which maps each name to a type, a value or a mapping.
    ///
    /// - Throws: `configuration`, with the line of the mistake.
    static func rules(_ mapping: YAMLMapping) throws(ConfigurationError) -> [AttributeRule] {
        var rules: [AttributeRule] = []
        for entry in try mapping.entries() {
            if let objection = objection(to: entry.key) {
                throw mapping.error(objection, line: entry.line)
            }
            guard rules.count < countLimit else {
                throw mapping.error("more than \(countLimit) attributes", line: entry.line)
            }
            switch entry.value {
            case .scalar(let text, let json):
                rules.append(
                    try rule(entry.key, text, json) { mapping.error($0, line: entry.line) })
            case .mapping(let inner): rules.append(try rule(entry.key, inner))
            }
        }
        return rules
    }

    /// Reads an attribute given by a scalar: its type, a constant or a template.
    private static func rule(
        _ name: String, _ text: String, _ json: JSON, _ error: (String) -> ConfigurationError
    ) throws(ConfigurationError) -> AttributeRule {
        switch json {
        case .null: throw error("attributes.\(name) is empty: \(typeList)")
        case .bool(let truth):
            return AttributeRule(name, .boolean, from: .constant(.truth(truth)))
        case .number(let number), .float(let number):
            // As a number, 5.10 would become 5.1.
            guard json.canonicalText.utf8.elementsEqual(text.utf8) else {
                throw error(
                    "attributes.\(name) is \(text), which as a number becomes \(json.canonicalText): "
                        + "put it in quotes")
            }
            let type: AttributeType = json.integer == nil ? .number : .integer
            return AttributeRule(name, type, from: .constant(.number(number)))
        default: break
        }
        if let type = AttributeType(rawValue: text) { return AttributeRule(name, type) }
        if isLikeType(text) {
            throw error(
                "attributes.\(name) is \(text): \(typeList); as a value, write {value: \(text)}")
        }
        return AttributeRule(name, .string, from: .template(try template(name, text, error)))
    }

    private static func rule(
        _ name: String, _ mapping: YAMLMapping
    ) throws(ConfigurationError) -> AttributeRule {
        var mapping = mapping
        let word = try mapping.text("type")
        let value = try mapping.text("value")
        let from = try mapping.textOrTexts("from")
        try mapping.finish(known: ["type", "from", "value"])
        guard let type = AttributeType(rawValue: word?.value ?? AttributeType.string.rawValue)
        else {
            throw mapping.error(
                "attributes.\(name).type is \(word?.value ?? ""): \(typeList)", line: word?.line)
        }
        if let value {
            guard from == nil else {
                throw mapping.error(
                    "attributes.\(name) has both from and value: leave one out", line: value.line
                )
            }
            let template = try template(name, value.value) {
                mapping.error($0, line: value.line)
            }
            return AttributeRule(name, type, from: .template(template))
        }
        guard let from else { return AttributeRule(name, type) }
        if from.value.contains(where: { $0.utf8.elementsEqual(fileTimeName.utf8) }) {
            guard from.value.count == 1, type == .date else {
                throw mapping.error(
                    "attributes.\(name): \(fileTimeName) is a date and must be the only entry",
                    line: from.line)
            }
            return AttributeRule(name, type, from: .fileTime)
        }
        return AttributeRule(name, type, from: .members(from.value))
    }

    private static func template(
        _ name: String, _ text: String, _ error: (String) -> ConfigurationError
    ) throws(ConfigurationError) -> ValueTemplate {
        do throws(ValueTemplateError) { return try ValueTemplate(text) } catch let failure {
            throw error("attributes.\(name): \(failure.reason)")
        }
    }

    private static var typeList: String {
        "the types are \(AttributeType.allCases.map(\.rawValue).joined(separator: ", "))"
    }

    /// Whether a word is probably a misspelled type rather than a value: a type name of another language, or one edit
    /// away from a type.
    private static func isLikeType(_ text: String) -> Bool {
        let word = text.lowercased()
        let foreign = [
            "str", "text", "int", "long", "float", "double", "decimal", "bool", "datetime",
            "timestamp", "time", "list", "array", "string[]", "list[string]", "list[str]",
        ]
        if foreign.contains(word) { return true }
        return AttributeType.allCases.contains { isOneEditAway(word, $0.rawValue) }
    }

    private static func isOneEditAway(_ left: String, _ right: String) -> Bool {
        let (a, b) = (Array(left.utf8), Array(right.utf8))
        guard abs(a.count - b.count) <= 1 else { return false }
        let head = zip(a, b).prefix { $0 == $1 }.count
        let tail = zip(a.reversed(), b.reversed()).prefix { $0 == $1 }.count
        return head + tail >= max(a.count, b.count) - 1
    }
}
