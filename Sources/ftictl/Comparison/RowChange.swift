import Objects

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

    /// The row before, where there was one.
    var before: TableRow? {
        switch self {
        case .added: nil
        case .removed(let row), .changed(let row, _), .moved(let row, _): row
        }
    }

    /// The row after, where there is one.
    var after: TableRow? {
        switch self {
        case .removed: nil
        case .added(let row), .changed(_, let row), .moved(_, let row): row
        }
    }

    /// The key that a row had before it moved; nil for others.
    var origin: String? { if case .moved(let before, _) = self { before.key } else { nil } }

    /// The attributes that are not the same, and `vector` when that is not; empty where there is one row.
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
