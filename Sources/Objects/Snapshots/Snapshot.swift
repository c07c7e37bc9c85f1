/// One version of features, a dataset, a model or a release: its content, its inputs, and how it was produced.
///
/// Stored as canonical JSON, so `ftictl cat ID` shows all of it.
public struct Snapshot: Hashable, Sendable {
    /// The kinds of snapshots.
    public enum Kind: String, CaseIterable, Sendable {
        /// Rows with vectors, for retrieval.
        case features
        /// Examples for training or evaluation.
        case dataset
        /// Weights and their configuration.
        case model
        /// Features, a model and a prompt that work together.
        case release
    }

    /// The program that made a snapshot.
    public struct Producer: Hashable, Sendable {
        /// The name of the program, such as `fti-feature`.
        public var pipeline: String
        /// The version of the program.
        public var version: String
        /// The revision of the source code that it ran, if known.
        public var revision: String?

        /// Describes a program by its name and version.
        public init(pipeline: String, version: String, revision: String? = nil) {
            self.pipeline = pipeline
            self.version = version
            self.revision = revision
        }
    }

    /// The kind of the snapshot.
    public var kind: Kind
    /// The files or rows.
    public var content: Content
    /// The preceding versions, the main one first.
    public var parents: [ObjectID]
    /// The snapshots that this one was made from, by role, such as `features`, `dataset` or `base`.
    public var inputs: [String: ObjectID]
    /// The program that made it.
    public var producer: Producer
    /// The parameters of the program.
    public var params: JSONObject
    /// Measurements; every value must be finite.
    public var metrics: [String: Double]
    /// The embedding space of its vectors, or the one that it needs.
    public var space: ObjectID?
    /// How far its sources were read: a table of the documents and their digests.
    public var cursor: Content?
    /// The lexical index of its rows: a tree, derived from the rows and stored with them.
    public var index: Content?
    /// The time at which it was made.
    public var created: Timestamp
    /// A person's description.
    public var message: String

    /// The maximum number of bytes in a message.
    public static let messageLimit = 64 << 10

    /// Makes a snapshot; omitted values are empty or nil.
    public init(
        kind: Kind, content: Content, parents: [ObjectID] = [], inputs: [String: ObjectID] = [:],
        producer: Producer, params: JSONObject = JSONObject(), metrics: [String: Double] = [:],
        space: ObjectID? = nil, cursor: Content? = nil, index: Content? = nil,
        created: Timestamp, message: String = ""
    ) {
        self.kind = kind
        self.content = content
        self.parents = parents
        self.inputs = inputs
        self.producer = producer
        self.params = params
        self.metrics = metrics
        self.space = space
        self.cursor = cursor
        self.index = index
        self.created = created
        self.message = message
    }

    /// Its trees and tables: content, cursor and index.
    public var contents: [Content] { [content, cursor, index].compactMap(\.self) }

    /// Compares the stored forms.
    public static func == (left: Snapshot, right: Snapshot) -> Bool {
        left.encoded == right.encoded
    }

    /// Hashes the kind and the content.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(kind)
        hasher.combine(content)
    }
}

/// The content of a snapshot: a directory of files or a table of rows.
public enum Content: Hashable, Sendable {
    /// A tree, with the number of files below it and the sum of their sizes in bytes.
    case tree(ObjectID, files: Int, bytes: Int)
    /// A table.
    case table(Table)

    /// The identity of the tree or of the table's root node.
    public var id: ObjectID {
        switch self {
        case .tree(let id, _, _): id
        case .table(let table): table.root
        }
    }

    /// The table; nil for a tree.
    public var table: Table? { if case .table(let table) = self { table } else { nil } }

    var json: JSON {
        switch self {
        case .tree(let id, let files, let bytes):
            [
                "type": "tree", "id": .string(id.hex), "files": .integer(files),
                "bytes": .integer(bytes),
            ]
        case .table(let table):
            [
                "type": "table", "id": .string(table.root.hex), "rows": .integer(table.rows),
                "dimension": .integer(table.dimension),
            ]
        }
    }

    init(_ reader: inout JSONObjectReader) throws(JSONSchemaError) {
        let type = try reader.string("type")
        let id = try reader.objectID("id")
        switch type {
        case "tree":
            self = .tree(id, files: try reader.count("files"), bytes: try reader.count("bytes"))
        case "table":
            self = .table(
                Table(
                    root: id, rows: try reader.count("rows"),
                    dimension: try reader.count("dimension")))
        default: throw reader.error("type", "must be tree or table")
        }
    }
}

extension Snapshot {
    /// The stored form: canonical JSON.
    public var encoded: [UInt8] {
        var object = JSONObject()
        object["type"] = "snapshot"
        object["kind"] = .string(kind.rawValue)
        object["content"] = content.json
        object["parents"] = .array(parents.map { .string($0.hex) })
        object["inputs"] = .object(JSONObject(inputs.map { ($0, .string($1.hex)) }))
        object["producer"] = producer.json
        object["params"] = .object(params)
        object["metrics"] = .object(JSONObject(metrics.map { ($0, .number($1)) }))
        object["space"] = space.map { .string($0.hex) }
        object["cursor"] = cursor?.json
        object["index"] = index?.json
        object["created"] = .string(created.description)
        object["message"] = .string(message)
        return JSON.object(object).canonicalBytes
    }

    /// Decodes a snapshot.
    ///
    /// - Throws: `malformed` for anything but the one canonical encoding.
    public init(decoding bytes: [UInt8], id: ObjectID? = nil) throws(ObjectError) {
        do {
            let json = try JSON(canonical: bytes)
            guard let object = json.object else {
                throw JSONSchemaError(path: "the value", reason: "must be an object")
            }
            var reader = JSONObjectReader(object)
            try self.init(&reader)
            try reader.finish()
        } catch let error as JSONError {
            throw .malformed(id, as: "snapshot", reason: error.reason, offset: error.offset)
        } catch let error as JSONSchemaError {
            throw .malformed(
                id, as: "snapshot", reason: "\(error.path) \(error.reason)", offset: nil)
        } catch {
            throw .malformed(id, as: "snapshot", reason: "unreadable", offset: nil)
        }
    }

    private init(_ reader: inout JSONObjectReader) throws(JSONSchemaError) {
        guard try reader.string("type") == "snapshot" else {
            throw reader.error("type", "must be snapshot")
        }
        guard let kind = Kind(rawValue: try reader.string("kind")) else {
            throw reader.error("kind", "is not a kind of snapshot")
        }
        let content = try reader.nested("content") { (inner) throws(JSONSchemaError) in
            try Content(&inner)
        }
        let parents = try reader.array("parents").map { (parent) throws(JSONSchemaError) in
            guard let id = parent.string.flatMap({ ObjectID(hex: $0) }) else {
                throw reader.error("parents", "must be identities")
            }
            return id
        }
        func members<Value>(
            _ name: String, _ requirement: String, _ value: (JSON) -> Value?
        ) throws(JSONSchemaError) -> [String: Value] {
            var members: [String: Value] = [:]
            for member in try reader.object(name) {
                guard let value = value(member.value) else {
                    throw reader.error("\(name).\(member.key)", requirement)
                }
                guard members.updateValue(value, forKey: member.key) == nil else {
                    throw reader.error("\(name).\(member.key)", "occurs in two spellings")
                }
            }
            return members
        }
        let inputs = try members("inputs", "must be an identity") {
            $0.string.flatMap { ObjectID(hex: $0) }
        }
        let metrics = try members("metrics", "must be a number") { $0.number }
        func optionalContent(_ name: String) throws(JSONSchemaError) -> Content? {
            guard reader.has(name) else { return nil }
            return try reader.nested(name) { (inner) throws(JSONSchemaError) in
                try Content(&inner)
            }
        }
        self.init(
            kind: kind, content: content, parents: parents, inputs: inputs,
            producer: try reader.nested("producer") { (inner) throws(JSONSchemaError) in
                try Producer(&inner)
            },
            params: try reader.object("params"), metrics: metrics,
            space: try reader.optionalObjectID("space"), cursor: try optionalContent("cursor"),
            index: try optionalContent("index"), created: try reader.timestamp("created"),
            message: try reader.string("message"))
    }

    /// Reads and decodes a stored snapshot.
    public init(_ id: ObjectID, in source: some ObjectSource) throws(ObjectError) {
        try self.init(decoding: try source.read(id, limit: structuredObjectLimit), id: id)
    }

    /// Every object that this snapshot names directly. Parents may have been collected; a store must have the others.
    public var links: [ObjectID] {
        contents.map(\.id) + parents + inputs.values.sorted() + [space].compactMap { $0 }
    }
}

extension Snapshot.Producer {
    /// The producer as a JSON object.
    public var json: JSON {
        var object = JSONObject()
        object["pipeline"] = .string(pipeline)
        object["version"] = .string(version)
        object["revision"] = revision.map { .string($0) }
        return .object(object)
    }

    init(_ reader: inout JSONObjectReader) throws(JSONSchemaError) {
        self.init(
            pipeline: try reader.string("pipeline"), version: try reader.string("version"),
            revision: reader.has("revision") ? try reader.string("revision") : nil)
    }
}
