internal import Artifacts
internal import Objects
internal import Yams

/// The keys of one YAML mapping, taken one by one; what is left over at the end is a mistake.
struct YAMLMapping {
    /// A value and the line it stands on, from 1.
    struct Located<Value> {
        let value: Value
        let line: Int?
    }

    /// The line it begins on, from 1.
    let line: Int?
    /// The file, for errors.
    let path: String
    private let name: String
    private(set) var members: [(key: String, line: Int?, node: Node)] = []

    /// Reads a document that must be a mapping.
    init(document yaml: String, path: String) throws(FeatureError) {
        guard !YAMLAliases.arePossible(in: yaml) else {
            throw .configuration(
                path: path, line: nil, reason: "it has an alias (*name): write the value itself")
        }
        let node: Node?
        do {
            // Which type a scalar has is asked for, not guessed by regular expressions.
            node = try compose(yaml: yaml, .basic)
        } catch let error as YamlError {
            let (reason, line) = Self.explain(error)
            throw .configuration(path: path, line: line, reason: "not YAML: \(reason)")
        } catch {
            throw .configuration(path: path, line: nil, reason: "not YAML")
        }
        guard let node else {
            throw .configuration(path: path, line: nil, reason: "it is empty")
        }
        try self.init(node, name: "", path: path)
    }

    /// Reads a node that must be a mapping; `name` is what errors call it.
    init(_ node: Node, name: String, path: String) throws(FeatureError) {
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
    func error(_ reason: String, line: Int? = nil) -> FeatureError {
        .configuration(path: path, line: line ?? self.line, reason: reason)
    }

    /// The name of a key with those of the mappings that it is in.
    func full(_ key: String) -> String { name.isEmpty ? key : "\(name).\(key)" }

    private mutating func take(_ key: String) -> Node? {
        guard let index = members.firstIndex(where: { $0.key.utf8.elementsEqual(key.utf8) }) else {
            return nil
        }
        return members.remove(at: index).node
    }

    /// Takes a text, or nil.
    mutating func text(_ key: String) throws(FeatureError) -> Located<String>? {
        guard let node = take(key) else { return nil }
        return Located(value: try text(node, full(key)), line: node.mark?.line)
    }

    private func text(_ node: Node, _ name: String) throws(FeatureError) -> String {
        guard case .scalar(let scalar) = node, node.null == nil, !scalar.string.isEmpty else {
            throw error("\(name) must be text", line: node.mark?.line)
        }
        return scalar.string
    }

    /// Takes a whole number, or nil.
    mutating func integer(_ key: String) throws(FeatureError) -> Located<Int>? {
        guard let node = take(key) else { return nil }
        guard case .scalar(let scalar) = node, scalar.style == .plain,
            let value = Int(scalar.string)
        else { throw error("\(full(key)) must be a whole number", line: node.mark?.line) }
        return Located(value: value, line: node.mark?.line)
    }

    /// Takes a finite number, or nil.
    mutating func number(_ key: String) throws(FeatureError) -> Located<Double>? {
        guard let node = take(key) else { return nil }
        guard case .scalar(let scalar) = node, scalar.style == .plain,
            let value = Double(scalar.string), value.isFinite
        else { throw error("\(full(key)) must be a number", line: node.mark?.line) }
        return Located(value: value, line: node.mark?.line)
    }

    /// Takes a list of texts, or nil.
    mutating func texts(_ key: String) throws(FeatureError) -> [Located<String>]? {
        guard let node = take(key) else { return nil }
        guard case .sequence(let items) = node else {
            throw error("\(full(key)) must be a list", line: node.mark?.line)
        }
        return try items.map { (item) throws(FeatureError) in
            Located(value: try text(item, full(key)), line: item.mark?.line)
        }
    }

    /// Takes a mapping, or nil.
    mutating func mapping(_ key: String) throws(FeatureError) -> YAMLMapping? {
        guard let node = take(key) else { return nil }
        return try YAMLMapping(node, name: full(key), path: path)
    }

    /// Takes a list of mappings, or nil.
    mutating func mappings(_ key: String) throws(FeatureError) -> [YAMLMapping]? {
        guard let node = take(key) else { return nil }
        guard case .sequence(let items) = node else {
            throw error("\(full(key)) must be a list", line: node.mark?.line)
        }
        var result: [YAMLMapping] = []
        for item in items { result.append(try YAMLMapping(item, name: full(key), path: path)) }
        return result
    }

    /// Every key with its text, in the order of the file.
    func allTexts() throws(FeatureError) -> [(key: String, value: String, line: Int?)] {
        try members.map { (member) throws(FeatureError) in
            (member.key, try text(member.node, full(member.key)), member.line)
        }
    }

    /// Takes a mapping as the JSON object that it stands for, or nil.
    mutating func object(_ key: String) throws(FeatureError) -> Located<JSONObject>? {
        guard let node = take(key) else { return nil }
        guard case .object(let object) = try json(node, full(key), depth: 0) else {
            throw error("\(full(key)) must be a mapping", line: node.mark?.line)
        }
        return Located(value: object, line: node.mark?.line)
    }

    /// Deeper values are none that a service takes.
    private static let deepest = 8

    private func json(_ node: Node, _ name: String, depth: Int) throws(FeatureError) -> JSON {
        guard depth < Self.deepest else {
            throw error("\(name) is nested too deeply", line: node.mark?.line)
        }
        switch node {
        case .scalar(let scalar): return Self.json(scalar)
        case .sequence(let items):
            return .array(
                try items.map { (item) throws(FeatureError) in
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

    /// A value as YAML's core schema reads it: what is quoted is text.
    static func json(_ scalar: Node.Scalar) -> JSON {
        guard scalar.style == .plain else { return .string(scalar.string) }
        switch scalar.string {
        case "", "~", "null", "Null", "NULL": return .null
        case "true", "True", "TRUE": return true
        case "false", "False", "FALSE": return false
        default: break
        }
        let digits = scalar.string.utf8.first.map { 0x30...0x39 ~= $0 || $0 == 0x2D || $0 == 0x2E }
        guard digits == true, let number = Double(scalar.string), number.isFinite else {
            return .string(scalar.string)
        }
        return .number(number)
    }

    /// Insists that every key was taken.
    func finish(known: [String]) throws(FeatureError) {
        guard let first = members.first else { return }
        throw error(
            "\(full(first.key)) is not known: \(known.joined(separator: ", ")) are",
            line: first.line)
    }
}
