import Objects

/// A field of two snapshots, apart from their content, that is not the same.
struct MetadataChange {
    /// The field, such as `metrics.recall@10`.
    let key: String
    let before: JSON?
    let after: JSON?

    /// `added`, `removed` or `changed`.
    var word: String { before == nil ? "added" : after == nil ? "removed" : "changed" }

    /// The fields in which two snapshots differ, in order.
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
