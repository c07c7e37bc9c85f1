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
    /// Whether it says what a run would do, and none took place.
    public let isPreview: Bool
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
    /// The rows that changed, as a comparison of both versions counts them.
    public let rows: RowChangeCounts
    /// Files and records that were passed over.
    public let skipped: [Remark]
    /// Documents that were not read as usual.
    public let notes: [Remark]
    /// Where documents may have been missed, so that none was removed there.
    public let gaps: [Remark]
    /// How much below each source is no document, and why.
    public let leftOut: [Remark]
    /// Patterns that fit nothing, and sources without a file.
    public let unmatched: [Remark]
    /// The bytes that were read from the sources.
    public let bytesRead: Int
    /// What the log has to say to a person.
    public let warnings: [String]
    /// How long it took.
    public let seconds: Double

    /// How much was left out, cut, replaced, guessed or not understood, by the reason.
    ///
    /// It counts the documents that were read: what did not change since the run before is not read again.
    public var totals: [FindingTotal] {
        FindingTotal.all(notes: notes, leftOut: leftOut, skipped: skipped)
    }

    /// The report as `--json` prints it.
    public var json: JSONObject {
        func list(_ remarks: [Remark]) -> JSON {
            .array(remarks.map(\.json))
        }
        func id(_ id: ObjectID?) -> JSON { id.map { .string($0.hex) } ?? .null }
        var object = JSONObject()
        object["ref"] = .string(ref.text)
        object["previous"] = id(previous)
        object["snapshot"] = id(snapshot)
        object["transaction"] = transaction.map { .integer($0) } ?? .null
        if isPreview { object["dryRun"] = true }
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
            "removed": .integer(rows.removed), "moved": .integer(rows.moved),
        ]
        object["skipped"] = list(skipped)
        object["notes"] = list(notes + leftOut)
        object["gaps"] = list(gaps)
        object["unmatched"] = list(unmatched)
        object["report"] = .array(totals.map(\.json))
        object["complete"] = .bool(gaps.isEmpty)
        object["bytesRead"] = .integer(bytesRead)
        object["seconds"] = .number(seconds)
        return object
    }
}
