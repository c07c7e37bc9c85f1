internal import YAML
internal import Artifacts
internal import Documents
internal import Objects

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
