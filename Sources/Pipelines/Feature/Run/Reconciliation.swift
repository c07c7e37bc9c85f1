internal import Artifacts
internal import Documents
internal import Objects
internal import Refs

/// Compares the documents of a run with the baseline: counts, and the edits to both tables.
struct Reconciliation {
    private(set) var counts = DocumentCounts()
    private(set) var rowEdits: [TableEdit] = []
    private(set) var cursorEdits: [TableEdit] = []
    private(set) var embedded = 0
    private(set) var reused = 0
    private(set) var notes: [Remark] = []
    private(set) var skipped: [Remark] = []
    /// Documents of the baseline that stay although they were not read.
    private(set) var kept: [String] = []

    private var seen: Set<[UInt8]> = []
    private var added: [(path: [UInt8], digest: ObjectID)] = []
    private let baseline: Baseline

    init(_ baseline: Baseline) { self.baseline = baseline }

    /// Checks that no two documents have the same path, before anything is paid for their vectors.
    ///
    /// - Throws: `duplicateDocument`.
    func check(
        _ documents: [(path: String, outcome: DocumentWork.Outcome)]
    ) throws(FeatureError) {
        var paths: Set<[UInt8]> = []
        for (path, outcome) in documents {
            if case .skipped = outcome { continue }
            guard paths.insert(Array(path.utf8)).inserted else { throw .duplicateDocument(path) }
        }
    }

    /// Adds the result of one document.
    mutating func add(_ document: EmbedStage.EmbeddedDocument) {
        let (path, outcome) = (document.path, document.outcome)
        let key = Array(path.utf8)
        if case .skipped(let reason) = outcome {
            skipped.append(Remark(path, reason))
            return
        }
        seen.insert(key)
        switch outcome {
        case .skipped: break
        case .unchanged(let entry):
            counts.unchanged += 1
            reused += entry.chunks
        case .rebuilt(let prepared):
            notes += (prepared.findings + document.findings).map { Remark(path, $0) }
            embedded += document.embedded
            reused += document.rows.count - document.embedded
            if baseline.documents[key] == nil {
                added.append((key, prepared.entry.digest))
            } else {
                counts.changed += 1
            }
            change(prepared.previous, to: document.rows)
            cursorEdits.append(.put(prepared.entry.row(for: path)))
        }
    }

    /// Removes a document that the sources still hold but that no longer counts.
    mutating func remove(_ path: String) throws(ObjectError) {
        let key = Array(path.utf8)
        guard seen.insert(key).inserted, baseline.documents[key] != nil else { return }
        counts.removed += 1
        change(try baseline.rows(of: path), to: [])
        cursorEdits.append(.remove(path))
    }

    /// Removes the documents of the baseline that were not seen, except in gaps, and completes the counts.
    mutating func finish(gaps: [Remark]) throws(ObjectError) {
        var gone: [ObjectID: Int] = [:]
        let unseen = baseline.documents.filter { !seen.contains($0.key) }.sorted {
            $0.key.lexicographicallyPrecedes($1.key)
        }
        let scopes = gaps.map { Array($0.path.utf8) }
        for (key, entry) in unseen {
            let path = String(decoding: key, as: UTF8.self)
            let file = entry.file.map { Array($0.utf8) } ?? key
            if scopes.contains(where: { Self.covers($0, key) || Self.covers($0, file) }) {
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

/// The state of the ref before the run: its rows and the documents that they came from.
struct Baseline: Sendable {
    /// The snapshot that the ref points at, or nil.
    let snapshot: ObjectID?
    /// The rows and the cursor, if a run made the snapshot.
    private(set) var tables: FeatureTables?
    /// The lexical index of the rows.
    private(set) var index: Content?
    /// The embedding space of the rows.
    private(set) var space: ObjectID?
    /// The description of that space.
    private(set) var description: EmbeddingSpace?
    /// The documents by the bytes of their paths.
    private(set) var documents: [[UInt8]: CursorEntry] = [:]
    /// The first document in path order for each digest.
    private(set) var documentsByDigest: [ObjectID: String] = [:]

    private let objects: ObjectWriter

    private init(_ snapshot: ObjectID?, in objects: ObjectWriter) {
        self.snapshot = snapshot
        self.objects = objects
    }

    /// Reads the snapshot that a ref points at, and its cursor.
    static func read(
        _ ref: RefName, in transaction: Transaction
    ) throws(ObjectError) -> Baseline {
        let objects = transaction.objects
        var baseline = Baseline(transaction.state.target(of: ref), in: objects)
        guard let snapshot = baseline.snapshot else { return baseline }
        let previous = try Snapshot(snapshot, in: objects)
        (baseline.space, baseline.index) = (previous.space, previous.index)
        baseline.description = try previous.space.map { (id) throws(ObjectError) in
            try EmbeddingSpace(id, in: objects)
        }
        guard let rows = previous.content.table, let cursor = previous.cursor?.table,
            cursor.dimension == 0
        else { return baseline }
        baseline.tables = FeatureTables(rows: rows, cursor: cursor)
        var reader = TableCursor(cursor, in: objects)
        while let row = try reader.next() {
            let entry = try CursorEntry(row)
            baseline.documents[Array(row.key.utf8)] = entry
            if baseline.documentsByDigest[entry.digest] == nil {
                baseline.documentsByDigest[entry.digest] = row.key
            }
        }
        return baseline
    }

    /// The table and index that a new lexical index can build on.
    var lexicalPredecessor: LexicalTree.Predecessor? {
        guard let tables, let index else { return nil }
        return LexicalTree.Predecessor(table: tables.rows, index: index)
    }

    /// The rows of a document in key order; empty when there is no such document.
    func rows(of document: String) throws(ObjectError) -> [TableRow] {
        guard let tables, documents[Array(document.utf8)] != nil else { return [] }
        let prefix = "\(document)#"
        var reader = TableCursor(tables.rows, from: prefix, in: objects)
        var result: [TableRow] = []
        while let row = try reader.next(), row.key.utf8.starts(with: prefix.utf8) {
            result.append(row)
        }
        return result
    }
}

/// The cursor's record of a document: the origin and the number of its rows.
///
/// If a new run finds the same origin, it would rebuild the same rows.
struct CursorEntry: Sendable, Equatable {
    /// The digest of the document's bytes.
    let digest: ObjectID
    /// Identifies the rules for reading and cutting its text.
    let chunker: String
    /// The embedding space of its vectors.
    let space: ObjectID
    /// The number of its rows.
    let chunks: Int
    /// The path of its file, where the document's path does not begin with it.
    let file: String?

    init(
        digest: ObjectID, chunker: String, space: ObjectID, chunks: Int, file: String? = nil
    ) {
        self.digest = digest
        self.chunker = chunker
        self.space = space
        self.chunks = chunks
        self.file = file
    }

    /// Whether both were made from the same bytes by the same rules.
    func hasSameOrigin(as other: CursorEntry) -> Bool {
        digest == other.digest && space == other.space
            && chunker.utf8.elementsEqual(other.chunker.utf8) && file == other.file
    }

    /// The entry as a row of the cursor table.
    func row(for document: String) -> TableRow {
        var attributes = JSONObject()
        attributes["digest"] = .string(digest.hex)
        attributes["chunker"] = .string(chunker)
        attributes["space"] = .string(space.hex)
        attributes["chunks"] = .integer(chunks)
        if let file { attributes["file"] = .string(file) }
        return TableRow(key: document, attributes: attributes)
    }

    /// Reads a row of the cursor table.
    init(_ row: TableRow) throws(ObjectError) {
        do throws(JSONSchemaError) {
            var reader = JSONObjectReader(row.attributes)
            digest = try reader.objectID("digest")
            chunker = try reader.string("chunker")
            space = try reader.objectID("space")
            chunks = try reader.count("chunks")
            file = reader.has("file") ? try reader.string("file") : nil
        } catch {
            throw .malformed(
                nil, as: "cursor row", reason: "\(error.path) \(error.reason)", offset: nil)
        }
    }
}
