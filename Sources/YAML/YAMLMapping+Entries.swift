public import Objects
internal import Yams

extension YAMLMapping {
    /// A key that the reader does not know in advance, and its value.
    public struct Entry {
        /// The value of a key.
        public enum Value {
            /// A scalar: its spelling, and its value in YAML.
            case scalar(String, JSON)
            /// A mapping.
            case mapping(YAMLMapping)
        }

        /// The key.
        public let key: String
        /// The line of the key, from 1.
        public let line: Int?
        /// The value.
        public let value: Value
    }

    /// Every key with its scalar or mapping, in the order of the file.
    ///
    /// - Throws: An error for any other value, such as a list.
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
                throw error(
                    "\(full(member.key)) must be a single value or a mapping", line: member.line)
            }
            entries.append(Entry(key: member.key, line: member.line, value: value))
        }
        return entries
    }

    /// Takes the text or the list of texts of a key; nil when the key is missing.
    ///
    /// - Throws: An error when the list is empty.
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
