internal import Documents
internal import Objects

/// The attributes that the rows of one source have.
struct SourceAttributes: Sendable {
    let rules: [AttributeRule]

    init(_ rules: [AttributeRule]) { self.rules = rules }

    /// Whether the times of files are among the values, so that a changed time changes rows.
    var readsFileTimes: Bool { rules.contains { $0.origin == .fileTime } }

    /// What was found for a document.
    struct Resolved: Equatable {
        /// A member for every attribute; null where the document says nothing.
        var members = JSONObject()
        /// Values that are not of their attribute's type, and have become null.
        var misfits: [Misfit] = []
        /// The names of attributes whose values were cut.
        var cut: [String] = []

        /// The same for the report.
        var findings: [Finding] {
            misfits.map { misfit in
                Finding(
                    .notUnderstood, "attribute", 1, "values",
                    detail: "\(misfit.name) is not \(misfit.type.noun): \(misfit.text)")
            } + cut.map { Finding(.cut, "attribute", 1, "values", detail: $0) }
        }
    }

    /// A value that is not of its attribute's type.
    struct Misfit: Equatable {
        let name: String
        let type: AttributeType
        /// The value, or its beginning.
        let text: String

        /// Much more of a value is of no use in a message.
        static let textLimit = 80
    }

    /// The values of the attributes of a document.
    ///
    /// - Parameters:
    ///   - metadata: What the document says of itself.
    ///   - place: Where it is.
    ///   - modified: When its file was last changed; nil where that is not known.
    func resolve(
        _ metadata: JSONObject, at place: DocumentPlace, modified: Timestamp?
    ) -> Resolved {
        var resolved = Resolved()
        let members = rules.isEmpty ? nil : NamedMembers(metadata)
        for rule in rules {
            var found: JSON?
            switch rule.origin {
            case .members(let names):
                // A member without a value does not hide the next, nor do objects, whose members may be meant.
                let values = names.compactMap { members?.value(of: $0) }
                    .filter { AttributeValue($0, as: rule.type) != .none }
                found = values.first { !$0.hasObjects } ?? values.first
            case .template(let template): found = template.value(of: place).map { .string($0) }
            case .constant(let constant): found = constant.json
            case .fileTime: found = modified.map { .string($0.description) }
            }
            resolved.members[rule.name] = .null
            guard let found else { continue }
            switch AttributeValue(found, as: rule.type) {
            case .none: break
            case .value(let value): resolved.members[rule.name] = value
            case .cut(let value):
                resolved.members[rule.name] = value
                resolved.cut.append(rule.name)
            case .misfit:
                let text = AttributeValue.line(found.string ?? found.canonicalText)
                resolved.misfits.append(
                    Misfit(
                        name: rule.name, type: rule.type,
                        text: String(text.prefix(Misfit.textLimit))))
            }
        }
        return resolved
    }
}

/// The members of an object by their names as people write them: a name is looked for as it is, then without regard to case
/// and to whether words have `-`, `_` or a space between them; a dot leads into an object, or into all objects of a list.
struct NamedMembers {
    private let object: JSONObject
    private let folded: [String: JSON]

    /// Deeper values have no names that anybody writes.
    private static let depthLimit = 16

    init(_ object: JSONObject) {
        self.object = object
        folded = Dictionary(
            object.map { (Self.folded($0.key), $0.value) }, uniquingKeysWith: { first, _ in first })
    }

    func value(of name: String) -> JSON? { value(of: name, depth: 0) }

    private func value(of name: String, depth: Int) -> JSON? {
        if let value = object[name] ?? folded[Self.folded(name)] { return value }
        guard depth < Self.depthLimit else { return nil }
        // The longest first: a key may have dots of its own.
        for dot in name.utf8.indices.reversed() where name.utf8[dot] == UInt8(ascii: ".") {
            let head = String(name[..<dot])
            let rest = String(name[name.utf8.index(after: dot)...])
            guard let inner = object[head] ?? folded[Self.folded(head)] else { continue }
            if let object = inner.object {
                return NamedMembers(object).value(of: rest, depth: depth + 1)
            }
            guard let items = inner.array else { continue }
            let values = items.compactMap { item in
                item.object.flatMap { NamedMembers($0).value(of: rest, depth: depth + 1) }
            }
            return values.isEmpty ? nil : .array(values)
        }
        return nil
    }

    private static func folded(_ name: String) -> String {
        String(
            decoding: name.utf8.map { byte in
                switch byte {
                case 0x41...0x5A: byte | 0x20
                case 0x20, 0x2D: 0x5F
                default: byte
                }
            }, as: UTF8.self)
    }
}

extension JSON {
    /// Whether it is an object, or a list that holds one.
    fileprivate var hasObjects: Bool {
        object != nil || array?.contains { $0.object != nil } ?? false
    }
}

extension AttributeType {
    /// What a value of the type is, with its article.
    fileprivate var noun: String {
        switch self {
        case .string: "text"
        case .integer: "a whole number"
        case .number: "a number"
        case .boolean: "true or false"
        case .date: "a date"
        case .strings: "a list of texts"
        }
    }
}

/// What a source says of its documents beside where they are.
struct SourceRules: Sendable {
    let attributes: SourceAttributes
    let fields: RecordFields
    let language: LanguageChoice?
    /// What tells these rules from others: rows of a document that was read by others are made anew. Empty where the
    /// source says nothing.
    let identity: String

    init(_ source: DocumentSource) {
        attributes = SourceAttributes(source.attributes)
        fields = source.fields
        language = source.language
        let params = source.readingParams
        identity =
            params.isEmpty
            ? ""
            : " attributes-\(AttributeRule.version)-"
                + ObjectID(of: JSON.object(params).canonicalBytes.span).short
    }

    /// The same with a file's time, where that is among the values.
    func identity(modified: Timestamp?) -> String {
        guard attributes.readsFileTimes, let modified else { return identity }
        return "\(identity) modified-\(DateText(modified).canonical)"
    }
}

extension DocumentSource {
    /// What a snapshot says of the source's attributes and records; empty where the source says nothing.
    var readingParams: JSONObject {
        var object = JSONObject()
        if !attributes.isEmpty {
            object["attributes"] = .object(JSONObject(attributes.map { ($0.name, $0.json) }))
        }
        if let format { object["format"] = .string(format.rawValue) }
        if let encoding { object["encoding"] = .string(encoding) }
        if let language { object["language"] = .string(language.text) }
        guard fields != RecordFields() else { return object }
        func names(_ names: [String]) -> JSON { .array(names.map { .string($0) }) }
        object["fields"] = [
            "text": names(fields.text), "id": names(fields.id), "title": names(fields.title),
        ]
        return object
    }
}
