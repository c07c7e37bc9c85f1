public import Documents
public import Objects
public import Refs
internal import Synchronization

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

/// How much of one kind was left out, cut, replaced, guessed or not understood over all documents of a run.
public struct FindingTotal: Hashable, Sendable {
    /// What became of it.
    public let fate: Finding.Fate
    /// What it was.
    public let reason: String
    /// The ending of the names, where it is files that are no documents.
    public let ending: String?
    /// How much of it there was.
    public private(set) var count: Int
    /// What is counted, in the plural.
    public let unit: String
    /// How many documents had any of it; 0 where it is files that are no documents.
    public private(set) var documents: Int

    /// What is counted together.
    private struct Key: Hashable {
        let fate: Finding.Fate
        let reason: String
        let unit: String
        let ending: String?
    }

    /// The totals of a run, by fate, and of each fate what most documents have first.
    ///
    /// - Parameters:
    ///   - notes: What was found in documents, those of one document together.
    ///   - leftOut: What of the sources is no document.
    ///   - skipped: The documents that could not be read.
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

/// How far a run is.
public struct RunProgress: Sendable {
    /// The files that were read.
    public internal(set) var filesRead = 0
    /// All files.
    public internal(set) var files = 0
    /// The texts of these files that have to be embedded.
    public internal(set) var wanted = 0
    /// The vectors that were made.
    public internal(set) var made = 0
    /// The vectors that were found in what an interrupted run left.
    public internal(set) var recovered = 0

    /// The texts that have to be embedded in all, if the files that were not read yet are like the others; nil while
    /// nothing is known.
    public var expected: Int? {
        filesRead > 0 ? max(wanted, wanted * files / filesRead) : nil
    }
}

/// Counts what a run does, from any thread, and tells whoever wants to know.
final class RunMeter: Sendable {
    private let progress = Mutex(RunProgress())
    private let tell: @Sendable (RunProgress) -> Void

    init(_ tell: @escaping @Sendable (RunProgress) -> Void) { self.tell = tell }

    /// How far the run is.
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
