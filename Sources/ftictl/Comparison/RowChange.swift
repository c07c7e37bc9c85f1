import Objects

/// The numbers of rows, files or documents with each fate.
struct ChangeCounts {
    var added = 0
    var removed = 0
    var changed = 0
    /// Nil for files, whose moves are not detected.
    var moved: Int?
    /// Nil for documents, which are counted only if they differ.
    var unchanged: Int?

    /// The counts in the summary of `diff --json`.
    var json: JSONObject {
        var object = JSONObject()
        object["added"] = .integer(added)
        object["removed"] = .integer(removed)
        object["changed"] = .integer(changed)
        if let moved { object["moved"] = .integer(moved) }
        if let unchanged { object["unchanged"] = .integer(unchanged) }
        return object
    }
}

/// `added`, `removed` or `changed`, depending on which side exists.
func changeWord<Value>(_ before: Value?, _ after: Value?) -> String {
    before == nil ? "added" : after == nil ? "removed" : "changed"
}

extension RowChange {
    /// `added`, `removed`, `changed` or `moved`.
    var word: String {
        switch self {
        case .added: "added"
        case .removed: "removed"
        case .changed: "changed"
        case .moved: "moved"
        }
    }

    /// The old row; nil if it was added.
    var before: TableRow? {
        switch self {
        case .added: nil
        case .removed(let row), .changed(let row, _), .moved(let row, _): row
        }
    }

    /// The new row; nil if it was removed.
    var after: TableRow? {
        switch self {
        case .removed: nil
        case .added(let row), .changed(_, let row), .moved(_, let row): row
        }
    }

    /// The old key of a row that moved; nil otherwise.
    var origin: String? { if case .moved(let before, _) = self { before.key } else { nil } }

    /// The attributes that differ, and `vector` if the vectors do; empty unless both rows exist.
    var fields: [String] {
        guard let before, let after else { return [] }
        var fields = Set(before.attributes.keys + after.attributes.keys)
            .filter { before.attributes[$0] != after.attributes[$0] }
        if !before.vector.elementsEqual(after.vector, by: { $0.bitPattern == $1.bitPattern }) {
            fields.insert("vector")
        }
        return fields.sorted()
    }

    /// A line of `diff --rows --json`.
    var json: JSON {
        [
            "what": "row", "key": .string(key), "change": .string(word),
            "from": origin.map { .string($0) } ?? .null,
            "fields": .array(fields.map { .string($0) }),
            "before": before.map { .object($0.attributes) } ?? .null,
            "after": after.map { .object($0.attributes) } ?? .null,
        ]
    }
}

/// A metadata field in which two snapshots differ.
struct MetadataChange {
    /// The name of the field, such as `metrics.recall@10`.
    let key: String
    let before: JSON?
    let after: JSON?

    /// `added`, `removed` or `changed`.
    var word: String { changeWord(before, after) }

    var json: JSON {
        [
            "key": .string(key), "change": .string(word), "before": before ?? .null,
            "after": after ?? .null,
        ]
    }

    /// The fields in which two snapshots differ, sorted by name.
    static func between(_ before: Snapshot, _ after: Snapshot) -> [MetadataChange] {
        let left = fields(before)
        let right = fields(after)
        let keys = JSONObject((left.keys + right.keys).map { ($0, .null) }).keys
        return keys.compactMap { key in
            let (old, new) = (left[key], right[key])
            return old == new ? nil : MetadataChange(key: key, before: old, after: new)
        }
    }

    private static func fields(_ snapshot: Snapshot) -> JSONObject {
        var fields: [(String, JSON)] = []
        fields += snapshot.metrics.map { ("metrics.\($0)", .number($1)) }
        fields += snapshot.params.map { ("params.\($0.key)", $0.value) }
        fields += snapshot.inputs.map { ("inputs.\($0)", .id($1)) }
        fields.append(("kind", .string(snapshot.kind.rawValue)))
        if !snapshot.message.isEmpty { fields.append(("message", .string(snapshot.message))) }
        if let space = snapshot.space { fields.append(("space", .id(space))) }
        fields.append(("producer.pipeline", .string(snapshot.producer.pipeline)))
        fields.append(("producer.version", .string(snapshot.producer.version)))
        if let revision = snapshot.producer.revision {
            fields.append(("producer.revision", .string(revision)))
        }
        return JSONObject(fields)
    }
}
