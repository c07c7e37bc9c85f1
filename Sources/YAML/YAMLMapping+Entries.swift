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

    /// Takes the text or the mapping of a key; nil when the key is missing.
    ///
    /// - Throws: An error for any other value, such as a list.
    public mutating func textOrMapping(_ key: String) throws(ConfigurationError) -> TextOrMapping? {
        guard let member = members.first(where: { $0.key.utf8.elementsEqual(key.utf8) }) else {
            return nil
        }
        if case .mapping = member.node { return try mapping(key).map { .mapping($0) } }
        return try text(key).map { .text($0.value) }
    }

    /// The value of a key that takes a text or a mapping.
    public enum TextOrMapping {
        /// A text.
        case text(String)
        /// A mapping.
        case mapping(YAMLMapping)
    }

    /// Takes the truth value of a key; nil when the key is missing.
    ///
    /// - Throws: An error unless the value is true or false.
    public mutating func flag(_ key: String) throws(ConfigurationError) -> Bool? {
        guard let found = try text(key) else { return nil }
        switch found.value {
        case "true", "True", "TRUE": return true
        case "false", "False", "FALSE": return false
        default: throw error("\(full(key)) must be true or false", line: found.line)
        }
    }

    /// Takes the duration of a key, such as `500ms`, `30s`, `5m`, `2h` or `1d`; nil when the key is missing.
    ///
    /// - Throws: An error when the value is anything else, or outside the range.
    public mutating func duration(
        _ key: String, in range: ClosedRange<Duration>
    ) throws(ConfigurationError) -> Duration? {
        guard let found = try text(key) else { return nil }
        let digits = found.value.prefix { $0.isASCII && $0.isNumber }
        let unit: Duration? =
            switch found.value.dropFirst(digits.count) {
            case "ms": .milliseconds(1)
            case "s": .seconds(1)
            case "m": .seconds(60)
            case "h": .seconds(3600)
            case "d": .seconds(86_400)
            default: nil
            }
        guard let unit, digits.count <= 9, let count = Int(digits) else {
            throw error(
                "\(full(key)) must be a duration such as 500ms, 30s, 5m, 2h or 1d", line: found.line
            )
        }
        let duration = unit * count
        guard range.contains(duration) else {
            throw error(
                "\(full(key)) must be from \(Self.text(range.lowerBound)) to "
                    + Self.text(range.upperBound), line: found.line)
        }
        return duration
    }

    /// A duration in the largest unit that needs no fraction, as configurations write it.
    private static func text(_ duration: Duration) -> String {
        let milliseconds = duration / .milliseconds(1)
        let units: [(name: String, milliseconds: Double)] = [
            ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000),
        ]
        for unit in units where milliseconds.remainder(dividingBy: unit.milliseconds) == 0 {
            return "\(Int(milliseconds / unit.milliseconds))\(unit.name)"
        }
        return "\(Int(milliseconds))ms"
    }
}
