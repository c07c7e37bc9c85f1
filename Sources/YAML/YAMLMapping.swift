public import Objects
package import Yams

/// Reads one YAML mapping key by key; a key that remains at the end is an error.
public struct YAMLMapping {
    /// A value and the line where it begins, from 1.
    public struct Located<Value> {
        /// The value.
        public let value: Value
        /// The line.
        public let line: Int?
    }

    /// The line that the mapping begins on, from 1.
    public let line: Int?
    /// The path of the file, for error messages.
    public let path: String
    private let name: String
    private(set) var members: [(key: String, line: Int?, node: Node)] = []

    /// Reads a document that must be a mapping.
    ///
    /// - Parameter isEmptyAllowed: Whether an empty document counts as a mapping without keys.
    public init(
        document yaml: String, path: String, isEmptyAllowed: Bool = false
    ) throws(ConfigurationError) {
        guard !YAMLAliases.arePossible(in: yaml) else {
            throw ConfigurationError(
                path: path, line: nil,
                reason: "aliases such as *name are not supported: write the value itself")
        }
        let node: Node?
        do {
            // The code below checks scalar types itself, so Yams need not guess them with regular expressions.
            node = try compose(yaml: yaml, .basic)
        } catch let error as YamlError {
            let (reason, line) = Self.explain(error)
            throw ConfigurationError(path: path, line: line, reason: "not YAML: \(reason)")
        } catch {
            throw ConfigurationError(path: path, line: nil, reason: "not YAML")
        }
        if isEmptyAllowed, node == nil || node?.null != nil {
            self.init(emptyAt: path)
            return
        }
        guard let node else {
            throw ConfigurationError(path: path, line: nil, reason: "the file is empty")
        }
        try self.init(node, name: "", path: path)
    }

    /// The folder that contains a file; relative paths in the file start there.
    public static func folder(of path: String) -> String {
        let folder = path.utf8.lastIndex(of: 0x2F).map { String(path[..<$0]) }
        return folder.map { $0.isEmpty ? "/" : $0 } ?? "."
    }

    /// Resolves a path against a folder.
    public static func located(_ text: String, in base: String) -> String {
        let name =
            text.utf8.starts(with: "./".utf8) ? String(text.utf8.dropFirst(2)) ?? text : text
        if name.utf8.first == 0x2F { return name }
        return name == "." || name.isEmpty ? base : base == "/" ? "/\(name)" : "\(base)/\(name)"
    }

    /// Reads a node that must be a mapping; error messages call it `name`.
    init(_ node: Node, name: String, path: String) throws(ConfigurationError) {
        line = node.mark?.line
        self.name = name
        self.path = path
        guard case .mapping(let mapping) = node else {
            throw error(
                "\(name.isEmpty ? "the configuration" : name) must be a mapping of keys to values",
                line: line)
        }
        for (key, value) in mapping {
            guard case .scalar(let scalar) = key else {
                throw error("a key must be a word", line: key.mark?.line)
            }
            members.append((scalar.string, key.mark?.line, value))
        }
    }

    private init(emptyAt path: String) {
        (line, self.path, name) = (nil, path, "")
    }

    private static func explain(_ error: YamlError) -> (reason: String, line: Int?) {
        switch error {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            (problem, mark.line)
        case .duplicatedKeysInMapping(let duplicates, _):
            ("a key is repeated: \(duplicates.map { "\($0)" }.joined(separator: ", "))", nil)
        default: ("unreadable", nil)
        }
    }

    /// Makes an error at a line of the file; without one, at the line of the mapping.
    public func error(_ reason: String, line: Int? = nil) -> ConfigurationError {
        ConfigurationError(path: path, line: line ?? self.line, reason: reason)
    }

    /// The key's name, prefixed with the names of the enclosing mappings.
    public func full(_ key: String) -> String { name.isEmpty ? key : "\(name).\(key)" }

    private mutating func take(_ key: String) -> Node? {
        guard let index = members.firstIndex(where: { $0.key.utf8.elementsEqual(key.utf8) }) else {
            return nil
        }
        return members.remove(at: index).node
    }

    /// The line of a key that was not taken yet, from 1; nil when the key is missing.
    public func line(of key: String) -> Int? {
        members.first { $0.key.utf8.elementsEqual(key.utf8) }.map { $0.line ?? 1 }
    }

    /// Takes the text of a key; nil when the key is missing.
    public mutating func text(_ key: String) throws(ConfigurationError) -> Located<String>? {
        guard let node = take(key) else { return nil }
        return Located(value: try text(node, full(key)), line: node.mark?.line)
    }

    private func text(_ node: Node, _ name: String) throws(ConfigurationError) -> String {
        guard case .scalar(let scalar) = node, node.null == nil, !scalar.string.isEmpty else {
            throw error("\(name) must be text", line: node.mark?.line)
        }
        return scalar.string
    }

    /// Takes the whole number of a key; nil when the key is missing.
    ///
    /// - Throws: An error when the value is anything else, or outside the range.
    public mutating func integer(
        _ key: String, in range: ClosedRange<Int>
    ) throws(ConfigurationError) -> Int? {
        guard let found = try integer(key) else { return nil }
        guard range.contains(found.value) else {
            throw error(
                "\(full(key)) must be a whole number from \(range.lowerBound) to \(range.upperBound)",
                line: found.line)
        }
        return found.value
    }

    /// Takes the number of a key; nil when the key is missing.
    ///
    /// - Throws: An error when the value is anything else, or outside the range.
    public mutating func number(
        _ key: String, in range: ClosedRange<Double>
    ) throws(ConfigurationError) -> Double? {
        guard let found = try number(key) else { return nil }
        guard range.contains(found.value) else {
            throw error(
                "\(full(key)) must be a number from \(range.lowerBound) to \(range.upperBound)",
                line: found.line)
        }
        return found.value
    }

    /// Takes the whole number of a key, in any range; nil when the key is missing.
    public mutating func integer(_ key: String) throws(ConfigurationError) -> Located<Int>? {
        guard let node = take(key) else { return nil }
        guard case .scalar(let scalar) = node, scalar.style == .plain,
            let value = Int(scalar.string)
        else { throw error("\(full(key)) must be a whole number", line: node.mark?.line) }
        return Located(value: value, line: node.mark?.line)
    }

    /// Takes the finite number of a key, in any range; nil when the key is missing.
    public mutating func number(_ key: String) throws(ConfigurationError) -> Located<Double>? {
        guard let node = take(key) else { return nil }
        guard case .scalar(let scalar) = node, scalar.style == .plain,
            let value = Double(scalar.string), value.isFinite
        else { throw error("\(full(key)) must be a number", line: node.mark?.line) }
        return Located(value: value, line: node.mark?.line)
    }

    /// Takes the list of texts of a key; nil when the key is missing.
    public mutating func texts(_ key: String) throws(ConfigurationError) -> [Located<String>]? {
        guard let node = take(key) else { return nil }
        guard case .sequence(let items) = node else {
            throw error("\(full(key)) must be a list", line: node.mark?.line)
        }
        return try items.map { (item) throws(ConfigurationError) in
            Located(value: try text(item, full(key)), line: item.mark?.line)
        }
    }

    /// Takes the mapping of a key; nil when the key is missing.
    public mutating func mapping(_ key: String) throws(ConfigurationError) -> YAMLMapping? {
        guard let node = take(key) else { return nil }
        return try YAMLMapping(node, name: full(key), path: path)
    }

    /// Takes the list of mappings of a key; nil when the key is missing.
    public mutating func mappings(_ key: String) throws(ConfigurationError) -> [YAMLMapping]? {
        guard let node = take(key) else { return nil }
        guard case .sequence(let items) = node else {
            throw error("\(full(key)) must be a list", line: node.mark?.line)
        }
        var result: [YAMLMapping] = []
        for item in items { result.append(try YAMLMapping(item, name: full(key), path: path)) }
        return result
    }

    /// Every key with its text, in the order of the file.
    public func allTexts() throws(ConfigurationError) -> [(key: String, value: String, line: Int?)]
    {
        try members.map { (member) throws(ConfigurationError) in
            (member.key, try text(member.node, full(member.key)), member.line)
        }
    }

    /// Takes the mapping of a key as a JSON object; nil when the key is missing.
    ///
    /// - Throws: An error when the value is anything else, or is nested more than 8 deep.
    public mutating func object(_ key: String) throws(ConfigurationError) -> Located<JSONObject>? {
        guard let node = take(key) else { return nil }
        guard case .object(let object) = try json(node, full(key), depth: 0) else {
            throw error("\(full(key)) must be a mapping", line: node.mark?.line)
        }
        return Located(value: object, line: node.mark?.line)
    }

    /// No service takes values nested more deeply.
    private static let deepest = 8

    private func json(_ node: Node, _ name: String, depth: Int) throws(ConfigurationError) -> JSON {
        guard depth < Self.deepest else {
            throw error("\(name) is nested too deeply", line: node.mark?.line)
        }
        switch node {
        case .scalar(let scalar): return Self.json(scalar)
        case .sequence(let items):
            return .array(
                try items.map { (item) throws(ConfigurationError) in
                    try json(item, name, depth: depth + 1)
                })
        case .mapping(let mapping):
            var object = JSONObject()
            for (key, value) in mapping {
                guard case .scalar(let scalar) = key else {
                    throw error("a key must be a word", line: key.mark?.line)
                }
                object[scalar.string] = try json(
                    value, "\(name).\(scalar.string)", depth: depth + 1)
            }
            return .object(object)
        default: throw error("\(name) cannot be read", line: node.mark?.line)
        }
    }

    /// The value of a scalar that is quoted text, null or a truth value in YAML's core schema; nil for other scalars,
    /// which may be numbers.
    package static func word(_ scalar: Node.Scalar) -> JSON? {
        guard scalar.style == .plain else { return .string(scalar.string) }
        return switch scalar.string {
        case "", "~", "null", "Null", "NULL": .null
        case "true", "True", "TRUE": true
        case "false", "False", "FALSE": false
        default: nil
        }
    }

    /// The value of a scalar in YAML's core schema, except that infinities, NaN, octal numbers and numbers with a plus
    /// sign stay text.
    static func json(_ scalar: Node.Scalar) -> JSON {
        if let word = word(scalar) { return word }
        let digits = scalar.string.utf8.first.map { 0x30...0x39 ~= $0 || $0 == 0x2D || $0 == 0x2E }
        guard digits == true, let number = Double(scalar.string), number.isFinite else {
            return .string(scalar.string)
        }
        return .number(number)
    }

    /// Throws if any key was not taken; the message lists the known keys.
    public func finish(known: [String]) throws(ConfigurationError) {
        guard let first = members.first else { return }
        throw error(
            "unknown key \(full(first.key)): the keys are \(known.joined(separator: ", "))",
            line: first.line)
    }
}

/// An error in a file that a person wrote.
public struct ConfigurationError: Error, Hashable, Sendable {
    /// The path of the file.
    public let path: String
    /// The line, from 1; nil where the error has no single line.
    public let line: Int?
    /// What is wrong, as the message shows it.
    public let reason: String
}

/// Detects YAML aliases, which configurations and front matter may not use.
///
/// A few lines of nested aliases can expand to more nodes than fit in memory, and comparing two such nodes visits all
/// of them.
public enum YAMLAliases {
    /// Whether a text may hold an alias: it contains both an anchor `&name` and `*name`. Takes linear time.
    public static func arePossible(in yaml: String) -> Bool {
        var yaml = yaml
        yaml.makeContiguousUTF8()
        let text = yaml.utf8.span
        let anchors = Set(names(after: UInt8(ascii: "&"), in: text))
        guard !anchors.isEmpty else { return false }
        return names(after: UInt8(ascii: "*"), in: text).contains { anchors.contains($0) }
    }

    private static func names(after mark: UInt8, in text: Span<UInt8>) -> [[UInt8]] {
        var names: [[UInt8]] = []
        var at = 0
        while at < text.count {
            at += 1
            guard text[at - 1] == mark else { continue }
            var name: [UInt8] = []
            while at < text.count, isPartOfName(text[at]) {
                name.append(text[at])
                at += 1
            }
            if !name.isEmpty { names.append(name) }
        }
        return names
    }

    private static func isPartOfName(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x5F: true
        default: false
        }
    }
}
