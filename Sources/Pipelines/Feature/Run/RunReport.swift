public import Objects
public import Refs

/// How many documents of a run had which fate.
public struct DocumentCounts: Hashable, Sendable {
    /// New ones.
    public var added = 0
    /// Those whose rows were made anew.
    public var changed = 0
    /// Those that were not touched.
    public var unchanged = 0
    /// New ones with the bytes of one that is gone.
    public var moved = 0
    /// Those that are gone.
    public var removed = 0
    /// Those that stay although nothing was read of them.
    public var kept = 0

    /// All that the table holds now.
    public var total: Int { added + changed + unchanged + moved + kept }
}

/// How many rows a run changed.
public struct RowCounts: Hashable, Sendable {
    /// Rows with a new key.
    public var added = 0
    /// Rows with other content.
    public var changed = 0
    /// Rows that are gone.
    public var removed = 0
}

/// What a run did.
public struct RunReport: Sendable {
    /// The ref.
    public let ref: RefName
    /// What the ref pointed at before.
    public let previous: ObjectID?
    /// What it points at now; nil when there is nothing.
    public let snapshot: ObjectID?
    /// The number of the transaction; nil when nothing changed and there was none.
    public let transaction: Int?
    /// The documents.
    public let documents: DocumentCounts
    /// The rows of the table now.
    public let chunks: Int
    /// The vectors that were made.
    public let embedded: Int
    /// The texts among them whose vectors an interrupted run had left.
    public let recovered: Int
    /// The vectors that existed.
    public let reused: Int
    /// The rows that changed.
    public let rows: RowCounts
    /// Files and records that were passed over.
    public let skipped: [Remark]
    /// Documents that were not read as usual.
    public let notes: [Remark]
    /// Where documents may have been missed, so that none was removed there.
    public let gaps: [Remark]
    /// The bytes that were read from the sources.
    public let bytesRead: Int
    /// What the log has to say to a person.
    public let warnings: [String]
    /// How long it took.
    public let seconds: Double

    /// The report as `--json` prints it.
    public var json: JSONObject {
        func list(_ remarks: [Remark]) -> JSON {
            .array(remarks.map { ["path": .string($0.path), "reason": .string($0.reason)] })
        }
        func id(_ id: ObjectID?) -> JSON { id.map { .string($0.hex) } ?? .null }
        var object = JSONObject()
        object["ref"] = .string(ref.text)
        object["previous"] = id(previous)
        object["snapshot"] = id(snapshot)
        object["transaction"] = transaction.map { .integer($0) } ?? .null
        object["documents"] = .integer(documents.total)
        object["added"] = .integer(documents.added)
        object["changed"] = .integer(documents.changed)
        object["unchanged"] = .integer(documents.unchanged)
        object["moved"] = .integer(documents.moved)
        object["removed"] = .integer(documents.removed)
        object["kept"] = .integer(documents.kept)
        object["chunks"] = .integer(chunks)
        object["embedded"] = .integer(embedded)
        object["recovered"] = .integer(recovered)
        object["reused"] = .integer(reused)
        object["rows"] = [
            "added": .integer(rows.added), "changed": .integer(rows.changed),
            "removed": .integer(rows.removed),
        ]
        object["skipped"] = list(skipped)
        object["notes"] = list(notes)
        object["gaps"] = list(gaps)
        object["complete"] = .bool(gaps.isEmpty)
        object["bytesRead"] = .integer(bytesRead)
        object["seconds"] = .number(seconds)
        return object
    }
}
