public import Objects
internal import Yams

extension YAMLMapping {
    /// A key whose meaning is not fixed, and its value.
    public struct Entry {
        /// What stands behind a key.
        public enum Value {
            /// A word: as it is spelled, and as YAML means it.
            case scalar(String, JSON)
            /// A mapping.
            case mapping(YAMLMapping)
        }

        /// The key.
        public let key: String
        /// The line it stands on, from 1.
        public let line: Int?
        /// What stands behind it.
        public let value: Value
    }

    /// Every key with its word or mapping, in the order of the file.
    public func entries() throws(ConfigurationError) -> [Entry] {
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
    public mutating func textOrTexts(_ key: String) throws(ConfigurationError) -> Located<[String]>?
    {
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
