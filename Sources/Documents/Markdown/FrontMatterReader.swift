internal import Objects
internal import YAML
internal import Yams

/// Reads front matter as what it is written in.
enum FrontMatterReader {
    /// Why a text is no front matter.
    struct Malformed: Error {
        /// The reason, as the end of a sentence.
        let reason: String
    }

    /// A title, and members under flat names.
    struct Found {
        var title: String?
        var members = JSONObject()

        /// Takes a member; those of a mapping get its name and a dot before their own.
        fileprivate mutating func add(_ name: String, _ value: JSON, depth: Int = 0) {
            guard depth < deepest else { return }
            switch value {
            case .object(let object):
                for member in object {
                    add("\(name).\(member.key)", member.value, depth: depth + 1)
                }
            case .array(let items):
                let objects = items.compactMap(\.object)
                guard objects.count == items.count, !objects.isEmpty else {
                    members[name] = .array(items.filter { $0.object == nil && $0.array == nil })
                    return
                }
                // A list of mappings is a list for each of their keys.
                var columns: [String: [JSON]] = [:]
                for object in objects {
                    for member in object
                    where member.value.object == nil && member.value.array == nil {
                        columns[member.key, default: []].append(member.value)
                    }
                }
                for (key, values) in columns { members["\(name).\(key)"] = .array(values) }
            default: members[name] = value
            }
        }
    }

    /// Deeper members are not kept.
    private static let deepest = 8

    // MARK: - YAML

    /// Reads YAML.
    static func yaml(_ text: String) throws(Malformed) -> Found {
        guard !YAMLAliases.arePossible(in: text) else {
            throw Malformed(reason: "YAML with an alias (*name)")
        }
        guard !isDeep(text) else { throw Malformed(reason: "YAML that is nested too deeply") }
        let node: Node?
        do {
            node = try compose(yaml: text, .basic)
        } catch let error as YamlError {
            throw Malformed(reason: explain(error))
        } catch {
            throw Malformed(reason: "not YAML")
        }
        guard case .mapping(let mapping) = node else {
            throw Malformed(reason: "YAML that is no mapping of keys to values")
        }
        var found = Found()
        for (key, value) in mapping {
            guard case .scalar(let name) = key else { continue }
            if name.string == "title", case .scalar(let title) = value, value.null == nil {
                found.title = nonEmpty(title.string)
            }
            found.add(name.string, json(value, depth: 0))
        }
        return found
    }

    /// Whether YAML may be nested so deeply that reading it takes too much of the stack.
    ///
    /// A level of blocks takes a column at least, and one of lists and mappings on a line a bracket.
    private static func isDeep(_ text: String) -> Bool {
        var brackets = 0
        var column = 0
        var isHead = true
        for byte in text.utf8 {
            switch byte {
            case 0x0A: (column, isHead) = (0, true)
            case UInt8(ascii: "["), UInt8(ascii: "{"):
                brackets += 1
                isHead = false
            case UInt8(ascii: "]"), UInt8(ascii: "}"):
                brackets = max(0, brackets - 1)
                isHead = false
            case 0x20, UInt8(ascii: "-"), UInt8(ascii: "?"), UInt8(ascii: ":"):
                if isHead { column += 1 }
            default: isHead = false
            }
            if brackets > 32 || column > 160 { return true }
        }
        return false
    }

    private static func explain(_ error: YamlError) -> String {
        switch error {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            "not YAML: \(problem) in line \(mark.line)"
        case .duplicatedKeysInMapping: "YAML with a repeated key"
        default: "not YAML"
        }
    }

    private static func json(_ node: Node, depth: Int) -> JSON {
        guard depth <= deepest else { return .null }
        switch node {
        case .scalar(let scalar): return json(scalar)
        case .sequence(let items): return .array(items.map { json($0, depth: depth + 1) })
        case .mapping(let mapping):
            var object = JSONObject()
            for (key, value) in mapping {
                guard case .scalar(let name) = key else { continue }
                object[name.string] = json(value, depth: depth + 1)
            }
            return .object(object)
        default: return .null
        }
    }

    /// A plain scalar as YAML's core schema reads it. A number whose spelling would change stays text:
    /// `1.10` may be a version.
    private static func json(_ scalar: Node.Scalar) -> JSON {
        if let word = YAMLMapping.word(scalar) { return word }
        if let number = Int(scalar.string), "\(number)" == scalar.string,
            number.magnitude < 1 << 53
        {
            return .integer(number)
        }
        if let number = Double(scalar.string), number.isFinite, "\(number)" == scalar.string {
            return .number(number)
        }
        return .string(scalar.string)
    }

    // MARK: - TOML

    /// Reads TOML.
    static func toml(_ text: String) throws(Malformed) -> Found {
        let json: JSON
        guard !hasLongKey(text) else { throw Malformed(reason: "TOML with keys of too many parts") }
        let bytes = try TOMLText.json(text)
        do throws(JSONError) { json = try JSON(parsing: bytes.span) } catch {
            throw Malformed(reason: "TOML with a value that cannot be kept")
        }
        guard let object = json.object else { throw Malformed(reason: "not TOML") }
        var found = Found()
        found.title = object["title"]?.string.flatMap(nonEmpty)
        for member in object { found.add(member.key, member.value) }
        return found
    }

    /// Whether a key may have more parts than people write: each is a table in a table.
    private static func hasLongKey(_ text: String) -> Bool {
        var dots = 0
        for byte in text.utf8 {
            switch byte {
            case 0x0A, UInt8(ascii: "="), UInt8(ascii: ","), UInt8(ascii: "{"): dots = 0
            case UInt8(ascii: "."): dots += 1
            default: break
            }
            if dots > 16 { return true }
        }
        return false
    }

    private static func nonEmpty(_ title: String) -> String? {
        let title = WhiteSpace.collapsed(title)
        return title.isEmpty ? nil : title
    }
}
