internal import Objects
internal import Yams

extension YAMLMapping {
    /// A key whose meaning is not fixed, and its value.
    struct Entry {
        /// What stands behind a key.
        enum Value {
            /// A word: as it is spelled, and as YAML means it.
            case scalar(String, JSON)
            case mapping(YAMLMapping)
        }

        let key: String
        let line: Int?
        let value: Value
    }

    /// Every key with its word or mapping, in the order of the file.
    func entries() throws(FeatureError) -> [Entry] {
        var entries: [Entry] = []
        for member in members {
            let value: Entry.Value
            switch member.node {
            case .scalar(let scalar): value = .scalar(scalar.string, Self.json(scalar))
            case .mapping:
                value = .mapping(
                    try YAMLMapping(member.node, name: full(member.key), path: path))
            default:
                throw error("\(full(member.key)) must be a word or a mapping", line: member.line)
            }
            entries.append(Entry(key: member.key, line: member.line, value: value))
        }
        return entries
    }

    /// Takes a text or a list of texts, or nil.
    mutating func textOrTexts(_ key: String) throws(FeatureError) -> Located<[String]>? {
        guard let member = members.first(where: { $0.key.utf8.elementsEqual(key.utf8) }) else {
            return nil
        }
        if case .sequence = member.node {
            guard let texts = try texts(key), !texts.isEmpty else {
                throw error("\(full(key)) is an empty list", line: member.line)
            }
            return Located(value: texts.map(\.value), line: member.line)
        }
        guard let text = try text(key) else { return nil }
        return Located(value: [text.value], line: text.line)
    }
}
