public import Documents
public import Objects
public import Refs
internal import Synchronization

/// The number of documents with each outcome of a run.
public struct DocumentCounts: Hashable, Sendable {
    /// New documents.
    public var added = 0
    /// Known documents whose rows were rebuilt.
    public var changed = 0
    /// Documents whose rows stay as they are.
    public var unchanged = 0
    /// New documents with the bytes of a removed one.
    public var moved = 0
    /// Documents that no longer exist.
    public var removed = 0
    /// Documents that stay although they were not read.
    public var kept = 0

    /// All documents in the table now.
    public var total: Int { added + changed + unchanged + moved + kept }
}

/// The outcome of a run.
public struct RunReport: Sendable {
    /// The ref that the run updates.
    public let ref: RefName
    /// The snapshot that the ref pointed at before; nil for a new ref.
    public let previous: ObjectID?
    /// The snapshot that it points at now; in a preview, the same as ``previous``.
    public let snapshot: ObjectID?
    /// The number of the transaction; nil when nothing changed.
    public let transaction: Int?
    /// Whether the report predicts a run instead of describing one.
    public let isPreview: Bool
    /// The documents by outcome.
    public let documents: DocumentCounts
    /// The number of rows in the table now.
    public let chunks: Int
    /// The number of rows whose vectors the run made or recovered.
    public let embedded: Int
    /// The number of texts whose vectors came from an interrupted run.
    public let recovered: Int
    /// The number of rows whose vectors a version of the ref already held.
    public let reused: Int
    /// The changed rows, counted by comparing both versions.
    public let rows: RowChangeCounts
    /// Files and records that were skipped.
    public let skipped: [Remark]
    /// Findings in the documents, such as text that was cut or guessed.
    public let notes: [Remark]
    /// Places where documents may have been missed, so that none was removed there.
    public let gaps: [Remark]
    /// Counts of files below each source that are not documents, by reason.
    public let leftOut: [Remark]
    /// Patterns that match nothing, and sources without a file.
    public let unmatched: [Remark]
    /// The number of bytes read from the sources.
    public let bytesRead: Int
    /// Warnings from the log.
    public let warnings: [String]
    /// The duration in seconds.
    public let seconds: Double

    /// Totals of text that was left out, cut, replaced, guessed or not understood, by reason.
    ///
    /// They cover the documents whose rows this run rebuilt or that it skipped; unchanged documents are not parsed
    /// again.
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

/// One reason why text was left out, cut, replaced, guessed or not understood, totalled over a run.
public struct FindingTotal: Hashable, Sendable {
    /// What happened to the text.
    public let fate: Finding.Fate
    /// The reason.
    public let reason: String
    /// The file extension, for files that are not documents.
    public let ending: String?
    /// The number of occurrences.
    public private(set) var count: Int
    /// The unit of the count, in the plural.
    public let unit: String
    /// The number of affected documents; 0 for files that are not documents.
    public private(set) var documents: Int

    /// The fields that identify a total.
    private struct Key: Hashable {
        let fate: Finding.Fate
        let reason: String
        let unit: String
        let ending: String?
    }

    /// The totals of a run, by fate, and within a fate by the number of affected documents.
    ///
    /// - Parameters:
    ///   - notes: Findings in documents, grouped by document.
    ///   - leftOut: Files that are not documents.
    ///   - skipped: Documents that could not be read.
    static func all(notes: [Remark], leftOut: [Remark], skipped: [Remark]) -> [FindingTotal] {
        var totals: [Key: FindingTotal] = [:]
        var last: [Key: String] = [:]
        func add(_ finding: Finding, ending: String?, document: String?) {
            let key = Key(
                fate: finding.fate, reason: finding.reason, unit: finding.unit, ending: ending)
            var total =
                totals[key]
                ?? FindingTotal(
                    fate: finding.fate, reason: finding.reason, ending: ending, count: 0,
                    unit: finding.unit, documents: 0)
            total.count += finding.count
            if let document, last.updateValue(document, forKey: key) != document {
                total.documents += 1
            }
            totals[key] = total
        }
        for note in notes {
            if let finding = note.finding { add(finding, ending: nil, document: note.path) }
        }
        for remark in leftOut {
            if let finding = remark.finding { add(finding, ending: finding.detail, document: nil) }
        }
        for remark in skipped {
            add(Finding(.leftOut, "unreadable", 1, "files"), ending: nil, document: remark.path)
        }
        let fates = Finding.Fate.allCases
        return totals.values.sorted { a, b in
            let order = (fates.firstIndex(of: a.fate) ?? 0, fates.firstIndex(of: b.fate) ?? 0)
            if order.0 != order.1 { return order.0 < order.1 }
            if a.documents != b.documents { return a.documents > b.documents }
            if a.count != b.count { return a.count > b.count }
            return (a.reason, a.unit, a.ending ?? "") < (b.reason, b.unit, b.ending ?? "")
        }
    }

    /// The total as `--json` prints it.
    var json: JSON {
        var object = JSONObject()
        object["fate"] = .string(fate.rawValue)
        object["reason"] = .string(reason)
        object["count"] = .integer(count)
        object["unit"] = .string(unit)
        object["documents"] = .integer(documents)
        if let ending { object["ending"] = .string(ending) }
        return .object(object)
    }
}

/// The progress of a run.
public struct RunProgress: Sendable {
    /// The number of files read.
    public internal(set) var filesRead = 0
    /// The number of all files.
    public internal(set) var files = 0
    /// The number of texts to embed; 0 before all files are read.
    public internal(set) var wanted = 0
    /// The number of vectors made.
    public internal(set) var made = 0
    /// The number of vectors recovered from an interrupted run.
    public internal(set) var recovered = 0
}

/// Counts the work of a run, on any thread, and reports each change.
final class RunMeter: Sendable {
    private let progress = Mutex(RunProgress())
    private let tell: @Sendable (RunProgress) -> Void

    init(_ tell: @escaping @Sendable (RunProgress) -> Void) { self.tell = tell }

    /// The progress so far.
    var value: RunProgress { progress.withLock { $0 } }

    func read(_ done: Int, of files: Int) { change { ($0.filesRead, $0.files) = (done, files) } }
    func wanted(_ texts: Int) { change { $0.wanted += texts } }
    func made(_ vectors: Int) { change { $0.made += vectors } }
    func recovered() { change { $0.recovered += 1 } }

    private func change(_ body: (inout RunProgress) -> Void) {
        let now = progress.withLock { progress in
            body(&progress)
            return progress
        }
        tell(now)
    }
}
