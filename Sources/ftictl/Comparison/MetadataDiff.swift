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
        var changes: [MetadataChange] = []
        for key in Set(left.keys + right.keys).sorted() where left[key] != right[key] {
            changes.append(MetadataChange(key: key, before: left[key], after: right[key]))
        }
        return changes
    }

    private static func fields(_ snapshot: Snapshot) -> JSONObject {
        var fields = JSONObject()
        for (name, value) in snapshot.metrics { fields["metrics.\(name)"] = .number(value) }
        for member in snapshot.params { fields["params.\(member.key)"] = member.value }
        for (role, id) in snapshot.inputs { fields["inputs.\(role)"] = .id(id) }
        fields["kind"] = .string(snapshot.kind.rawValue)
        fields["message"] = snapshot.message.isEmpty ? nil : .string(snapshot.message)
        fields["space"] = snapshot.space.map { .id($0) }
        fields["producer.pipeline"] = .string(snapshot.producer.pipeline)
        fields["producer.version"] = .string(snapshot.producer.version)
        fields["producer.revision"] = snapshot.producer.revision.map { .string($0) }
        return fields
    }
}
