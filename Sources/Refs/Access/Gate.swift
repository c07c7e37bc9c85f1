public import FileFormats
public import Objects

/// A gate of an access policy: a condition that moves of some refs must satisfy.
public struct Gate: Hashable, Sendable {
    /// A condition on the move of a ref, in most cases on its new target.
    public enum Condition: Hashable, Sendable {
        /// A metric of the snapshot is within bounds; at least one bound is given.
        case metric(String, atLeast: Double?, atMost: Double?)
        /// The input at the end of a path of roles is the target of a ref after the transaction, or an ancestor of that
        /// target.
        case input(roles: [String], ancestorOf: RefName)
        /// The snapshot and the target of a ref after the transaction have the same embedding space.
        case space(with: RefName)
        /// The snapshot has all of these facts.
        case evidence([Evidence])
        /// Every file of the snapshot has one of these formats, judged by its content.
        case formats([FileFormat])
        /// This many keys have approved the move; `keys` names the ones that count, nil for all.
        case approvals(count: Int, keys: [String]?)
        /// The ref never moves once it exists: a tag.
        case fixed
    }

    /// The refs whose moves must satisfy the condition.
    public let refs: RefPattern
    /// The condition that a move must satisfy.
    public let condition: Condition

    /// Makes a gate; an ``AccessPolicy`` checks that the keys it names exist.
    public init(refs: RefPattern, condition: Condition) {
        self.refs = refs
        self.condition = condition
    }

    /// The maximum number of gates that an access policy may have.
    public static let countLimit = 256
    /// The maximum number of items that a list in a gate may have.
    static let listLimit = 64
    /// The maximum number of bytes that a name in a gate may have.
    static let nameLimit = 200
}

/// A fact that a snapshot may contain: a metric, a parameter, or an input.
public enum Evidence: Hashable, Sendable, CustomStringConvertible {
    /// The metric of this name.
    case metric(String)
    /// The parameter of this name.
    case parameter(String)
    /// The input at the end of a path of roles.
    case input(roles: [String])

    /// Parses `metrics.NAME`, `params.NAME` or `inputs.ROLE`, where periods separate the roles of a path; nil for
    /// anything else.
    public init?(_ text: String) {
        let bytes = Array(text.utf8)
        guard bytes.count <= Gate.nameLimit, let period = bytes.firstIndex(of: 0x2E),
            period + 1 < bytes.count
        else { return nil }
        let name = String(decoding: bytes[(period + 1)...], as: UTF8.self)
        switch String(decoding: bytes[..<period], as: UTF8.self) {
        case "metrics": self = .metric(name)
        case "params": self = .parameter(name)
        case "inputs":
            guard let roles = Self.roles(name) else { return nil }
            self = .input(roles: roles)
        default: return nil
        }
    }

    /// The roles of a path such as `dataset.features`; nil when one is empty.
    static func roles(_ path: String) -> [String]? {
        let roles = path.utf8.split(separator: 0x2E, omittingEmptySubsequences: false)
        guard path.utf8.count <= Gate.nameLimit, roles.allSatisfy({ !$0.isEmpty }) else {
            return nil
        }
        return roles.map { String(decoding: $0, as: UTF8.self) }
    }

    /// The text that parses as this fact.
    public var description: String {
        switch self {
        case .metric(let name): "metrics." + name
        case .parameter(let name): "params." + name
        case .input(let roles): "inputs." + roles.joined(separator: ".")
        }
    }
}

extension Gate {
    /// The gate as JSON, as it stands in an access policy.
    public var json: JSON {
        var object = JSONObject()
        object["ref"] = .string(refs.description)
        object["type"] = .string(condition.type)
        switch condition {
        case .metric(let name, let atLeast, let atMost):
            object["metric"] = .string(name)
            object["atLeast"] = atLeast.map { .number($0) }
            object["atMost"] = atMost.map { .number($0) }
        case .input(let roles, let ref):
            object["path"] = .string(roles.joined(separator: "."))
            object["ancestorOf"] = .string(ref.text)
        case .space(let ref): object["with"] = .string(ref.text)
        case .evidence(let facts):
            object["requires"] = .array(facts.map { .string($0.description) })
        case .formats(let formats): object["allow"] = .array(formats.map { .string($0.rawValue) })
        case .approvals(let count, let keys):
            object["count"] = .integer(count)
            object["by"] = keys.map { .array($0.map { .string($0) }) }
        case .fixed: break
        }
        return .object(object)
    }

    /// Decodes a gate from an object, which must have no other members.
    ///
    /// - Throws: An error with the path of the faulty member.
    public init(_ reader: inout JSONObjectReader) throws(JSONSchemaError) {
        refs = try reader.refPattern("ref")
        switch try reader.string("type") {
        case "metric": condition = try Self.metric(&reader)
        case "input":
            let path = try reader.string("path")
            guard let roles = Evidence.roles(path) else {
                throw reader.error("path", "must be roles such as dataset.features")
            }
            condition = .input(roles: roles, ancestorOf: try reader.refName("ancestorOf"))
        case "space": condition = .space(with: try reader.refName("with"))
        case "evidence":
            condition = .evidence(
                try reader.list("requires", of: "metrics.NAME, params.NAME or inputs.ROLE") {
                    Evidence($0)
                })
        case "formats":
            let names = FileFormat.allCases.map(\.rawValue).joined(separator: ", ")
            condition = .formats(
                try reader.list("allow", of: names) { FileFormat(rawValue: $0) })
        case "approvals": condition = try Self.approvals(&reader)
        case "fixed": condition = .fixed
        default:
            throw reader.error(
                "type", "must be metric, input, space, evidence, formats, approvals or fixed")
        }
        try reader.finish()
    }

    private static func metric(
        _ reader: inout JSONObjectReader
    ) throws(JSONSchemaError) -> Condition {
        let name = try reader.name("metric")
        let atLeast = reader.has("atLeast") ? try reader.number("atLeast") : nil
        let atMost = reader.has("atMost") ? try reader.number("atMost") : nil
        guard atLeast != nil || atMost != nil else {
            throw reader.error("atLeast", "is missing, and so is atMost")
        }
        if let atLeast, let atMost, atLeast > atMost {
            throw reader.error("atLeast", "is more than atMost, so no metric can pass")
        }
        return .metric(name, atLeast: atLeast, atMost: atMost)
    }

    private static func approvals(
        _ reader: inout JSONObjectReader
    ) throws(JSONSchemaError) -> Condition {
        let count = try reader.count("count")
        guard (1...listLimit).contains(count) else {
            throw reader.error("count", "must be from 1 to \(listLimit)")
        }
        guard reader.has("by") else { return .approvals(count: count, keys: nil) }
        let keys = try reader.list("by", of: "names of keys") {
            $0.isEmpty || $0.utf8.count > nameLimit ? nil : $0
        }
        guard keys.count >= count else {
            throw reader.error("by", "must name at least \(count) keys")
        }
        return .approvals(count: count, keys: keys)
    }
}

extension Gate.Condition {
    /// The name of the condition in an access policy.
    public var type: String {
        switch self {
        case .metric: "metric"
        case .input: "input"
        case .space: "space"
        case .evidence: "evidence"
        case .formats: "formats"
        case .approvals: "approvals"
        case .fixed: "fixed"
        }
    }
}

extension JSONObjectReader {
    fileprivate mutating func name(_ key: String) throws(JSONSchemaError) -> String {
        let text = try string(key)
        guard !text.isEmpty, text.utf8.count <= Gate.nameLimit else {
            throw error(key, "must be a name of at most \(Gate.nameLimit) bytes")
        }
        return text
    }

    /// Takes a nonempty list of distinct texts.
    fileprivate mutating func list<Item>(
        _ key: String, of expected: String, _ convert: (String) -> Item?
    ) throws(JSONSchemaError) -> [Item] {
        let values = try array(key)
        guard (1...Gate.listLimit).contains(values.count) else {
            throw error(key, "must have from 1 to \(Gate.listLimit) items")
        }
        var items: [Item] = []
        var seen: Set<[UInt8]> = []
        for (index, value) in values.enumerated() {
            guard let text = value.string, let item = convert(text) else {
                throw error("\(key)[\(index)]", "must be one of: \(expected)")
            }
            guard seen.insert(Array(text.utf8)).inserted else {
                throw error("\(key)[\(index)]", "is a duplicate")
            }
            items.append(item)
        }
        return items
    }
}
