import Objects

/// How many rows of one document differ between two tables.
struct DocumentChange {
    let name: String
    var added = 0
    var removed = 0
    var changed = 0

    /// The documents in which two tables differ, in the order of their names; empty for tables whose keys name no
    /// documents.
    static func all(
        from before: Table, to after: Table, in objects: PackStore
    ) throws(ObjectError) -> [DocumentChange] {
        var documents: [DocumentChange] = []
        var diff = try TableDiff(from: before, to: after, in: objects)
        while let change = try diff.next() {
            guard let name = name(in: change.key) else { continue }
            // The rows of a document are neighbours: their keys begin with its name and the mark behind it.
            if !(documents.last?.name.utf8.elementsEqual(name.utf8) ?? false) {
                documents.append(DocumentChange(name: name))
            }
            let last = documents.count - 1
            switch change {
            case .added: documents[last].added += 1
            case .removed: documents[last].removed += 1
            case .changed: documents[last].changed += 1
            }
        }
        return documents
    }

    /// The first of the components of a key, `document#section#ordinal`; nil where there is only one.
    private static func name(in key: String) -> String? {
        var name: [UInt8] = []
        var isEscaped = false
        for byte in key.utf8 {
            if byte == UInt8(ascii: "\\"), !isEscaped {
                isEscaped = true
                continue
            }
            if byte == UInt8(ascii: "#"), !isEscaped {
                return String(decoding: name, as: UTF8.self)
            }
            name.append(byte)
            isEscaped = false
        }
        return nil
    }

    var json: JSON {
        [
            "document": .string(name), "added": .integer(added), "removed": .integer(removed),
            "changed": .integer(changed),
        ]
    }
}
