public import Objects
package import Yams

/// The keys of one YAML mapping, taken one by one; what is left over at the end is a mistake.
public struct YAMLMapping {
    /// A value and the line it stands on, from 1.
    public struct Located<Value> {
        /// The value.
        public let value: Value
        /// The line.
        public let line: Int?
    }

    /// The line it begins on, from 1.
    public let line: Int?
    /// The file, for errors.
    public let path: String
    private let name: String
    private(set) var members: [(key: String, line: Int?, node: Node)] = []

    /// Reads a document that must be a mapping.
    ///
    /// - Parameter isEmptyAllowed: Whether a document of nothing is a mapping without keys.
    public init(
        document yaml: String, path: String, isEmptyAllowed: Bool = false
    ) throws(ConfigurationError) {
        guard !YAMLAliases.arePossible(in: yaml) else {
            throw ConfigurationError(
                path: path, line: nil, reason: "it has an alias (*name): write the value itself")
        }
        let node: Node?
        do {
            // Which type a scalar has is asked for, not guessed by regular expressions.
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
            throw ConfigurationError(path: path, line: nil, reason: "it is empty")
        }
        try self.init(node, name: "", path: path)
    }

    /// The folder of a file, which paths in it are relative to.
    public static func folder(of path: String) -> String {
        let folder = path.utf8.lastIndex(of: 0x2F).map { String(path[..<$0]) }
        return folder.map { $0.isEmpty ? "/" : $0 } ?? "."
    }

    /// Where a path leads that is relative to a folder.
    public static func located(_ text: String, in base: String) -> String {
        let name =
            text.utf8.starts(with: "./".utf8) ? String(text.utf8.dropFirst(2)) ?? text : text
        if name.utf8.first == 0x2F { return name }
        return name == "." || name.isEmpty ? base : base == "/" ? "/\(name)" : "\(base)/\(name)"
    }

    /// Reads a node that must be a mapping; `name` is what errors call it.
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

    /// An error at a line of the file.
    public func error(_ reason: String, line: Int? = nil) -> ConfigurationError {
        ConfigurationError(path: path, line: line ?? self.line, reason: reason)
    }

    /// The name of a key with those of the mappings that it is in.
    public func full(_ key: String) -> String { name.isEmpty ? key : "\(name).\(key)" }

    private mutating func take(_ key: String) -> Node? {
        guard let index = members.firstIndex(where: { $0.key.utf8.elementsEqual(key.utf8) }) else {
            return nil
        }
        return members.remove(at: index).node
    }

    /// Takes a text, or nil.
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

    /// Takes a whole number of a range, or nil.
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

    /// Takes a number of a range, or nil.
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

    /// Takes a whole number, or nil.
    public mutating func integer(_ key: String) throws(ConfigurationError) -> Located<Int>? {
        guard let node = take(key) else { return nil }
        guard case .scalar(let scalar) = node, scalar.style == .plain,
            let value = Int(scalar.string)
        else { throw error("\(full(key)) must be a whole number", line: node.mark?.line) }
        return Located(value: value, line: node.mark?.line)
    }

    /// Takes a finite number, or nil.
    public mutating func number(_ key: String) throws(ConfigurationError) -> Located<Double>? {
        guard let node = take(key) else { return nil }
        guard case .scalar(let scalar) = node, scalar.style == .plain,
            let value = Double(scalar.string), value.isFinite
        else { throw error("\(full(key)) must be a number", line: node.mark?.line) }
        return Located(value: value, line: node.mark?.line)
    }

    /// Takes a list of texts, or nil.
    public mutating func texts(_ key: String) throws(ConfigurationError) -> [Located<String>]? {
        guard let node = take(key) else { return nil }
        guard case .sequence(let items) = node else {
            throw error("\(full(key)) must be a list", line: node.mark?.line)
        }
        return try items.map { (item) throws(ConfigurationError) in
            Located(value: try text(item, full(key)), line: item.mark?.line)
        }
    }

    /// Takes a mapping, or nil.
    public mutating func mapping(_ key: String) throws(ConfigurationError) -> YAMLMapping? {
        guard let node = take(key) else { return nil }
        return try YAMLMapping(node, name: full(key), path: path)
    }

    /// Takes a list of mappings, or nil.
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

    /// Takes a mapping as the JSON object that it stands for, or nil.
    public mutating func object(_ key: String) throws(ConfigurationError) -> Located<JSONObject>? {
        guard let node = take(key) else { return nil }
        guard case .object(let object) = try json(node, full(key), depth: 0) else {
            throw error("\(full(key)) must be a mapping", line: node.mark?.line)
        }
        return Located(value: object, line: node.mark?.line)
    }

    /// Deeper values are none that a service takes.
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

    /// What YAML's core schema reads a scalar as that is quoted text, null or a truth value; nil for any other, which may be a number.
    package static func word(_ scalar: Node.Scalar) -> JSON? {
        guard scalar.style == .plain else { return .string(scalar.string) }
        return switch scalar.string {
        case "", "~", "null", "Null", "NULL": .null
        case "true", "True", "TRUE": true
        case "false", "False", "FALSE": false
        default: nil
        }
    }

    /// A value as YAML's core schema reads it.
    static func json(_ scalar: Node.Scalar) -> JSON {
        if let word = word(scalar) { return word }
        let digits = scalar.string.utf8.first.map { 0x30...0x39 ~= $0 || $0 == 0x2D || $0 == 0x2E }
        guard digits == true, let number = Double(scalar.string), number.isFinite else {
            return .string(scalar.string)
        }
        return .number(number)
    }

    /// Insists that every key was taken.
    public func finish(known: [String]) throws(ConfigurationError) {
        guard let first = members.first else { return }
        throw error(
            "\(full(first.key)) is not known: \(known.joined(separator: ", ")) are",
            line: first.line)
    }
}
