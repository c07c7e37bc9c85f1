internal import Documents
internal import Objects

/// What the documents of a run make of the baseline: counts, and the changes to both tables.
struct Reconciliation {
    private(set) var counts = DocumentCounts()
    private(set) var rowEdits: [TableEdit] = []
    private(set) var cursorEdits: [TableEdit] = []
    private(set) var embedded = 0
    private(set) var reused = 0
    private(set) var notes: [Remark] = []
    private(set) var skipped: [Remark] = []
    /// Documents of the baseline that stay although nothing was read of them.
    private(set) var kept: [String] = []

    private var seen: Set<[UInt8]> = []
    private var added: [(path: [UInt8], digest: ObjectID)] = []
    private let baseline: Baseline

    init(_ baseline: Baseline) { self.baseline = baseline }

    /// Takes what became of one document.
    mutating func add(_ document: EmbedStage.Embedded) throws(FeatureError) {
        let (path, outcome) = (document.path, document.outcome)
        let key = Array(path.utf8)
        if case .skipped(let reason) = outcome {
            skipped.append(Remark(path, reason))
            return
        }
        guard seen.insert(key).inserted else { throw .duplicateDocument(path) }
        switch outcome {
        case .skipped: break
        case .unchanged(let entry):
            counts.unchanged += 1
            reused += entry.chunks
        case .made(let made):
            notes += made.findings.map { Remark(path, $0) }
            embedded += document.embedded
            reused += document.rows.count - document.embedded
            if baseline.documents[key] == nil {
                added.append((key, made.entry.digest))
            } else {
                counts.changed += 1
            }
            change(made.previous, to: document.rows)
            cursorEdits.append(.put(made.entry.row(for: path)))
        }
    }

    /// Ends the list: documents of the baseline that were not seen go, unless they lie in a gap.
    mutating func finish(gaps: [Remark]) throws(ObjectError) {
        var gone: [ObjectID: Int] = [:]
        let unseen = baseline.documents.filter { !seen.contains($0.key) }.sorted {
            $0.key.lexicographicallyPrecedes($1.key)
        }
        let scopes = gaps.map { Array($0.path.utf8) }
        for (key, entry) in unseen {
            let path = String(decoding: key, as: UTF8.self)
            if scopes.contains(where: { Self.covers($0, key) }) {
                kept.append(path)
                reused += entry.chunks
                continue
            }
            gone[entry.digest, default: 0] += 1
            counts.removed += 1
            change(try baseline.rows(of: path), to: [])
            cursorEdits.append(.remove(path))
        }
        for (_, digest) in added {
            if let left = gone[digest], left > 0 {
                gone[digest] = left - 1
                counts.moved += 1
                counts.removed -= 1
            } else {
                counts.added += 1
            }
        }
        counts.kept = kept.count
    }

    /// Whether a document lies at or below a path.
    private static func covers(_ scope: [UInt8], _ document: [UInt8]) -> Bool {
        scope.isEmpty || document == scope || document.starts(with: scope + [0x2F])
    }

    private mutating func change(_ old: [TableRow], to new: [TableRow]) {
        var before: [[UInt8]: TableRow] = [:]
        for row in old { before[Array(row.key.utf8)] = row }
        for row in new {
            let previous = before.removeValue(forKey: Array(row.key.utf8))
            if previous == row { continue }
            rowEdits.append(.put(row))
        }
        for row in old where before[Array(row.key.utf8)] != nil {
            rowEdits.append(.remove(row.key))
        }
    }
}
