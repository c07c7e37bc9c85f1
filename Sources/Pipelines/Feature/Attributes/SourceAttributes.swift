internal import Conditions
internal import Documents
internal import Objects

/// The attributes of one source's rows.
struct SourceAttributes: Sendable {
    let rules: [AttributeRule]

    init(_ rules: [AttributeRule]) { self.rules = rules }

    /// Whether any value is a file's modification time, so that touching a file changes its rows.
    var readsFileTimes: Bool { rules.contains { $0.origin == .fileTime } }

    /// The attributes of one document.
    struct ResolvedValues: Equatable {
        /// A member for every attribute; null where the document has no value.
        var members = JSONObject()
        /// Values that cannot be converted to their attribute's type; the member is null.
        var misfits: [Misfit] = []
        /// The names of attributes whose values were shortened.
        var cut: [String] = []

        /// The misfits and cuts, for the report.
        var findings: [Finding] {
            misfits.map { misfit in
                Finding(
                    .notUnderstood, "attribute", 1, "values",
                    detail: "\(misfit.name) is not \(misfit.type.noun): \(misfit.text)")
            } + cut.map { Finding(.cut, "attribute", 1, "values", detail: $0) }
        }
    }

    /// A value that cannot be converted to its attribute's type.
    struct Misfit: Equatable {
        let name: String
        let type: AttributeType
        /// The value, or its beginning.
        let text: String

        /// The maximum number of characters of a value in a message.
        static let textLimit = 80
    }

    /// Finds the values of a document's attributes.
    ///
    /// - Parameters:
    ///   - metadata: The document's own metadata.
    ///   - place: The document's place in its source.
    ///   - modified: The file's modification time; nil where it is unknown.
    func resolve(
        _ metadata: JSONObject, at place: DocumentPlace, modified: Timestamp?
    ) -> ResolvedValues {
        var resolved = ResolvedValues()
        let members = rules.isEmpty ? nil : NamedMembers(metadata)
        for rule in rules {
            var found: JSON?
            switch rule.origin {
            case .members(let names):
                // A member without a value does not hide the next name. Neither does an object: another name may mean
                // one of its members.
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

/// Looks up the members of an object by the names that people write.
///
/// An exact match wins; otherwise case is ignored, and `-`, `_` and space are equal. A dot leads into an object, or
/// into every object of a list.
struct NamedMembers {
    private let object: JSONObject
    private let folded: [String: JSON]

    /// The most dots in a name that lead into an object.
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
        // Tries the longest prefix first, because a key may contain dots.
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
    /// Whether the value is an object or a list that contains one.
    fileprivate var hasObjects: Bool {
        object != nil || array?.contains { $0.object != nil } ?? false
    }
}

extension AttributeType {
    /// The name of the type with its article.
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

/// How to read the documents of a source.
struct SourceRules: Sendable {
    let attributes: SourceAttributes
    let fields: RecordFields
    let language: LanguageChoice?
    /// Identifies these rules: a change to it makes the run rebuild the rows of the source. Empty where the source has
    /// no rules.
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

    /// The identity, including the file's modification time where a value depends on it.
    func identity(modified: Timestamp?) -> String {
        guard attributes.readsFileTimes, let modified else { return identity }
        return "\(identity) modified-\(DateText(modified).canonical)"
    }
}

extension DocumentSource {
    /// The attributes and reading options of the source as snapshots record them; empty where it has none.
    var readingParams: JSONObject {
        if case .feedback(let feedback) = kind { return feedback.params }
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
