internal import YAML
internal import Objects

extension AttributeRule {
    /// The most attributes of a source: every row has all of them.
    private static let countLimit = 64

    /// Reads the key `attributes` of a source: names with a type, a value or a mapping.
    ///
    /// - Throws: `configuration` with the line of what is wrong.
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

    /// An attribute of which one word is given: its type, or the value for all documents.
    private static func rule(
        _ name: String, _ text: String, _ json: JSON, _ error: (String) -> ConfigurationError
    ) throws(ConfigurationError) -> AttributeRule {
        switch json {
        case .null: throw error("attributes.\(name) is empty: \(typeList)")
        case .bool(let truth):
            return AttributeRule(name, .boolean, from: .constant(.truth(truth)))
        case .number(let number), .float(let number):
            // 5.10 would become 5.1.
            guard json.canonicalText.utf8.elementsEqual(text.utf8) else {
                throw error(
                    "attributes.\(name) is \(text), as a number \(json.canonicalText): "
                        + "write it between quotes")
            }
            let type: AttributeType = json.integer == nil ? .number : .integer
            return AttributeRule(name, type, from: .constant(.number(number)))
        default: break
        }
        if let type = AttributeType(rawValue: text) { return AttributeRule(name, type) }
        if isLikeType(text) {
            throw error(
                "attributes.\(name) is \(text): \(typeList); as a value it is {value: \(text)}")
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
                    "attributes.\(name) has from and value: one of them is needed", line: value.line
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
                    "attributes.\(name): \(fileTimeName) is a date, and stands alone",
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
        "a type is \(AttributeType.allCases.map(\.rawValue).joined(separator: ", "))"
    }

    /// Whether a word is so like a type that it was hardly meant as a value: a type of other languages, or one letter
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
