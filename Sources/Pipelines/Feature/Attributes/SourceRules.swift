internal import Documents
internal import Objects

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
