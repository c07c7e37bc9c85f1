internal import Objects
internal import TOMLKit
internal import YAML
internal import Yams

/// The YAML block between `---` lines, or TOML block between `+++` lines, at the start of a text.
struct FrontMatter {
    /// The value of `title`; nil without one.
    let title: String?
    /// The members; those of nested mappings have dotted names.
    let members: JSONObject
    /// The text below the block, or the whole text if there is no block.
    let body: Substring
    /// The block's own text, if it could not be parsed.
    let unread: String?
    /// The parse error, if there was one.
    let findings: Finding.List

    /// The longest block, in bytes; a longer one is ordinary text.
    private static let byteLimit = 64 << 10

    /// Splits a text into front matter and body.
    init(_ text: String) {
        guard let block = Self.block(of: text) else {
            (title, members, body, unread) = (nil, JSONObject(), text[...], nil)
            findings = Finding.List()
            return
        }
        body = block.body
        var findings = Finding.List()
        do throws(FrontMatterReader.Malformed) {
            let found =
                block.isTOML
                ? try FrontMatterReader.toml(block.text) : try FrontMatterReader.yaml(block.text)
            (title, members, unread) = (found.title, found.members, nil)
        } catch {
            (title, members, unread) = (nil, JSONObject(), WhiteSpace.lines(block.text))
            findings.add(.notUnderstood, "front matter", 1, "blocks", detail: error.reason)
        }
        self.findings = findings
    }

    /// The front matter block of a text.
    private struct Block {
        let text: String
        let isTOML: Bool
        let body: Substring
    }

    /// Returns the block that a text begins with. It must have a member: a line of hyphens may also be a thematic
    /// break.
    private static func block(of text: String) -> Block? {
        var rest = text[...]
        let head = nextLine(&rest)
        guard head == "---" || head == "+++" else { return nil }
        let start = rest.startIndex
        var isMember = false
        while !rest.isEmpty {
            let lineStart = rest.startIndex
            guard text.utf8.distance(from: start, to: lineStart) <= byteLimit else { return nil }
            let line = nextLine(&rest)
            if line == head || head == "---" && line == "..." {
                guard isMember else { return nil }
                return Block(
                    text: String(text[start..<lineStart]), isTOML: head == "+++", body: rest)
            }
            isMember = isMember || isMemberLine(line)
        }
        return nil
    }

    /// Removes the next line from `rest` and returns it without trailing white space.
    private static func nextLine(_ rest: inout Substring) -> Substring {
        let end = rest.utf8.firstIndex(of: 0x0A)
        let line = rest[..<(end ?? rest.endIndex)]
        rest = end.map { rest[rest.utf8.index(after: $0)...] } ?? rest[rest.endIndex...]
        return WhiteSpace.withoutTrailing(line)
    }

    /// Whether a line begins with a key followed by `:` or `=`, or is a TOML table header.
    private static func isMemberLine(_ line: Substring) -> Bool {
        if line.utf8.first == UInt8(ascii: "["), line.utf8.last == UInt8(ascii: "]") { return true }
        let isQuoted = line.utf8.first == UInt8(ascii: "\"") || line.utf8.first == UInt8(ascii: "'")
        let key = line.utf8.prefix { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x80...0xFF: true
            case 0x22, 0x27: isQuoted
            case 0x20: true
            default: false
            }
        }
        guard let next = line.utf8[key.endIndex...].first, key.first != 0x20, !key.isEmpty else {
            return false
        }
        let behind = line.utf8[key.endIndex...].dropFirst().first
        return next == UInt8(ascii: "=")
            || next == UInt8(ascii: ":") && (behind == nil || behind == 0x20 || behind == 0x09)
    }
}

/// Parses front matter as YAML or TOML.
enum FrontMatterReader {
    /// Why front matter could not be parsed.
    struct Malformed: Error {
        /// The reason, as the end of a sentence.
        let reason: String
    }

    /// The parsed members, flattened to dotted names, and the title.
    struct Members {
        var title: String?
        var members = JSONObject()

        /// Adds a member; nested mappings are flattened to dotted names.
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
                // A list of mappings becomes one list per key.
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

    /// The deepest nesting that is kept.
    private static let deepest = 8

    // MARK: - YAML

    static func yaml(_ text: String) throws(Malformed) -> Members {
        guard !YAMLAliases.arePossible(in: text) else {
            throw Malformed(reason: "YAML with an alias (*name)")
        }
        guard !isDeep(text) else { throw Malformed(reason: "YAML nested too deeply") }
        let node: Node?
        do {
            node = try compose(yaml: text, .basic)
        } catch let error as YamlError {
            throw Malformed(reason: explain(error))
        } catch {
            throw Malformed(reason: "not YAML")
        }
        guard case .mapping(let mapping) = node else {
            throw Malformed(reason: "YAML that is not a mapping of keys to values")
        }
        var found = Members()
        for (key, value) in mapping {
            guard case .scalar(let name) = key else { continue }
            if name.string == "title", case .scalar(let title) = value, value.null == nil {
                found.title = WhiteSpace.nonEmpty(title.string)
            }
            found.add(name.string, json(value, depth: 0))
        }
        return found
    }

    /// Whether YAML may be nested so deeply that parsing it could overflow the stack.
    ///
    /// Each level of block nesting takes at least one column; each level of flow nesting takes a bracket.
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
            "not YAML: \(problem) on line \(mark.line)"
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

    /// Converts a plain scalar according to YAML's core schema. A number that would be printed differently stays a
    /// string: `1.10` may be a version.
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

    static func toml(_ text: String) throws(Malformed) -> Members {
        let json: JSON
        guard !hasLongKey(text) else {
            throw Malformed(reason: "TOML with a key of too many parts")
        }
        let bytes = try TOMLText.json(text)
        do throws(JSONError) { json = try JSON(parsing: bytes.span) } catch {
            throw Malformed(reason: "TOML with a value that JSON cannot represent")
        }
        guard let object = json.object else { throw Malformed(reason: "not TOML") }
        var found = Members()
        found.title = object["title"]?.string.flatMap(WhiteSpace.nonEmpty)
        for member in object { found.add(member.key, member.value) }
        return found
    }

    /// Whether the text may have a dotted key with more parts than real keys have: each part nests a table.
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
}

/// Parses TOML with toml++.
enum TOMLText {
    /// The most dots on a line: toml++ recurses once per part of a dotted key.
    private static let keyPartLimit = 100

    /// Converts TOML to JSON; dates and times become strings.
    ///
    /// - Throws: The parse error and its line.
    static func json(_ text: String) throws(FrontMatterReader.Malformed) -> [UInt8] {
        let lines = text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated()
        where line.count(where: { $0 == UInt8(ascii: ".") }) > keyPartLimit {
            throw FrontMatterReader.Malformed(
                reason: "not TOML: too many dots on line \(index + 1)")
        }
        do {
            return Array(try TOMLTable(string: text).convert(to: .json).utf8)
        } catch let error as TOMLParseError {
            throw FrontMatterReader.Malformed(
                reason: "not TOML: \(error.description) on line \(error.source.begin.line)")
        } catch {
            throw FrontMatterReader.Malformed(reason: "not TOML")
        }
    }
}
