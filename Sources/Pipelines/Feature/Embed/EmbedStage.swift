internal import Artifacts
internal import Documents
internal import Objects
internal import Refs
internal import Storage

/// The embed stage: it makes the missing vectors of many documents in one batch.
struct EmbedStage {
    let embedder: any Embedder
    /// The store of vectors from this run and from an interrupted one; nil to keep none.
    let kept: KeptVectors?
    let meter: RunMeter
    /// Called with what the run is about to embed, before it does.
    var announce: (EmbeddingPlan) -> Void = { _ in }
    /// The most requests that the run may make; nil for no limit.
    var maxRequests: Int?

    /// A document with its rows.
    struct EmbeddedDocument {
        let path: String
        let outcome: DocumentWork.Outcome
        /// Its rows; empty unless the outcome is `rebuilt`.
        var rows: [TableRow] = []
        /// The number of rows that had no vector yet.
        var embedded = 0
        /// What the vectors leave out.
        var findings: [Finding] = []
    }

    /// Embeds each distinct text that has no vector yet; keeps documents in order.
    ///
    /// - Parameter past: The ref's older vectors, consulted before new ones are made.
    /// - Throws: `tooManyRequests` before the first request; `embedding`.
    func run(
        _ documents: [(path: String, outcome: DocumentWork.Outcome)], past: inout PastVectors
    ) throws(FeatureError) -> [EmbeddedDocument] {
        let unembedded = documents.flatMap { document in
            if case .rebuilt(let prepared) = document.outcome {
                prepared.unembedded
            } else {
                [UnembeddedRow]()
            }
        }
        let existing = past.vectors(of: unembedded.filter { $0.vector == nil })
        let made = try embed(
            unembedded.filter { $0.vector == nil && existing[Array($0.text.utf8)] == nil })
        return documents.map { path, outcome in
            var embedded = EmbeddedDocument(path: path, outcome: outcome)
            guard case .rebuilt(let document) = outcome else { return embedded }
            embedded.findings = findings(document.unembedded)
            embedded.rows = document.unembedded.map { row in
                let text = Array(row.text.utf8)
                if let vector = row.vector ?? existing[text] { return row.tableRow(vector) }
                embedded.embedded += 1
                return row.tableRow(made[text] ?? [])
            }
            return embedded
        }
    }

    /// Makes the missing vectors, keyed by the bytes of the texts: canonically equivalent texts are different texts.
    private func embed(_ unembedded: [UnembeddedRow]) throws(FeatureError) -> [[UInt8]: [Float]] {
        var vectors: [[UInt8]: [Float]] = [:]
        var texts: [String] = []
        for row in unembedded {
            let text = Array(row.text.utf8)
            guard vectors[text] == nil else { continue }
            vectors[text] = []
            if let vector = kept?.vector(of: row.text) {
                vectors[text] = vector
                meter.recovered()
            } else {
                texts.append(row.text)
            }
        }
        let asked = texts
        let plan = EmbeddingPlan(texts: asked.count, requests: embedder.requests(for: asked))
        if let limit = maxRequests, plan.requests > limit {
            throw .tooManyRequests(plan, limit: limit)
        }
        if plan.texts > 0 { announce(plan) }
        meter.wanted(asked.count)
        let found = try wrapping(as: FeatureError.embedding) { () throws(EmbeddingError) in
            try embedder.embed(asked, as: .document) { [kept, meter] first, vectors in
                kept?.add(vectors, of: asked[first..<(first + vectors.count)])
                meter.made(vectors.count)
            }
        }
        for (text, vector) in zip(asked, found) { vectors[Array(text.utf8)] = vector }
        return vectors
    }
}

extension EmbedStage {
    /// The chunks whose ends their vectors do not reflect, because the model reads only so many tokens.
    private func findings(_ rows: [UnembeddedRow]) -> [Finding] {
        guard let tokens = embedder.tokens else { return [] }
        // No token is shorter than a byte.
        let long = rows.filter { $0.text.utf8.count > tokens.limit }
        let cut = Threads.map(long.count) { tokens.count(long[$0].text) > tokens.limit }
            .count { $0 }
        guard cut > 0 else { return [] }
        return [
            Finding(.cut, "vectors of more than \(tokens.limit) tokens", cut, "chunks")
        ]
    }
}

/// What a run is about to embed.
public struct EmbeddingPlan: Hashable, Sendable {
    /// The number of texts without a vector.
    public let texts: Int
    /// The number of requests to a service; 0 where the embedder runs here. A failed request is sent again.
    public let requests: Int
}

/// A chunk on its way into the table, with its vector if one exists.
struct UnembeddedRow: Sendable {
    let row: FeatureRow
    /// The text to embed.
    let text: String
    /// The vector that the text already has; nil when it must be made.
    var vector: [Float]?

    /// The row as the table stores it.
    func tableRow(_ vector: [Float]) -> TableRow {
        TableRow(key: row.key, attributes: row.attributes, vector: vector)
    }
}

extension FeatureRow {
    /// The row of a chunk.
    init(_ chunk: Chunk, of document: CleanDocument) {
        self.init(
            document: document.path, title: document.title, section: chunk.anchor,
            headings: chunk.headings, ordinal: chunk.ordinal, text: chunk.text)
        links = chunk.links
        languages = chunk.languages
        page = chunk.page
    }
}

/// Existing vectors of one embedding space, by text.
struct VectorPool: Sendable {
    // Compares bytes: canonically equivalent texts are different texts.
    private var vectors: [[UInt8]: [Float]] = [:]

    /// Takes the vectors of rows; skips rows that are not features rows.
    init(_ rows: [TableRow]) {
        for row in rows {
            guard let feature = try? FeatureRow(attributes: row.attributes) else { continue }
            vectors[Array(feature.embeddingText.utf8)] = row.vector
        }
    }

    /// The vector of a text, or nil when it must be made.
    func vector(of text: String) -> [Float]? {
        vectors.isEmpty ? nil : vectors[Array(text.utf8)]
    }
}

/// The vectors that earlier versions of a ref hold in one embedding space, by text, newest first.
///
/// Reads nothing before the first lookup. Then reads the whole newest version and, while texts are still missing, the
/// rows in which each older version differs from the next newer one. Uses a few machine words of memory per row.
struct PastVectors {
    /// The most versions to look at.
    private static let versionLimit = 50
    /// The most changed rows to look at in older versions.
    private static let rowLimit = 200_000
    /// The members of a row that, with the title and the file name, determine its embedded text.
    private static let embedded = ["headings", "text"]

    /// The place of a row.
    private enum Place {
        /// In a leaf of the newest version.
        case leaf(Int, row: Int)
        /// In an older version, under a key.
        case key(String, version: Int)
    }

    private let space: ObjectID
    private let objects: ObjectWriter
    private var history: History
    private var versionsLeft = Self.versionLimit
    private var rowsLeft = Self.rowLimit
    private var tables: [Table] = []
    private var versions: [RowFinder<ObjectWriter>] = []
    /// The first key of each leaf of the newest version.
    private var leaves: [String] = []
    /// The leaf of the newest version that was read last.
    private var opened: (number: Int, leaf: TableLeaf)?
    private var places: [RowFingerprint: Place] = [:]

    /// Starts without reading anything.
    init(
        of ref: RefName, in repository: Repository, _ transaction: Transaction, space: ObjectID
    ) {
        self.space = space
        objects = transaction.objects
        history = repository.log.history(of: ref, in: transaction.state)
    }

    /// The vectors of the given rows that some version holds, by the bytes of their texts.
    ///
    /// Skips everything unreadable, whether damaged or collected: embedding a text again is better than failing the
    /// run.
    mutating func vectors(of rows: [UnembeddedRow]) -> [[UInt8]: [Float]] {
        var found: [[UInt8]: [Float]] = [:]
        guard !rows.isEmpty, !places.isEmpty || readOlder() else { return found }
        var wanted = rows.map { ($0, RowFingerprint(of: Self.embedded, in: $0.row.attributes)) }
        while true {
            var missing: [(UnembeddedRow, RowFingerprint)] = []
            for (row, fingerprint) in wanted {
                if let place = places[fingerprint], let vector = vector(of: row.text, at: place) {
                    found[Array(row.text.utf8)] = vector
                } else {
                    missing.append((row, fingerprint))
                }
            }
            wanted = missing
            guard !wanted.isEmpty, readOlder() else { return found }
        }
    }

    /// The vector of the row at a place, if the row has the given text.
    private mutating func vector(of text: String, at place: Place) -> [Float]? {
        guard let row = try? row(at: place),
            let feature = try? FeatureRow(attributes: row.attributes),
            feature.embeddingText.utf8.elementsEqual(text.utf8)
        else { return nil }
        return row.vector
    }

    private mutating func row(at place: Place) throws(ObjectError) -> TableRow? {
        switch place {
        case .key(let key, let version): return try versions[version].row(for: Array(key.utf8))
        case .leaf(let number, let row):
            if opened?.number != number {
                var cursor = TableCursor(tables[0], from: leaves[number], in: objects)
                opened = try cursor.nextLeaf().map { (number, $0) }
            }
            guard let leaf = opened?.leaf, row < leaf.count else { return nil }
            return try leaf.row(at: row)
        }
    }

    /// Reads the next older version with vectors of the space; false at the end of the search.
    private mutating func readOlder() -> Bool {
        while versionsLeft > 0, rowsLeft > 0 {
            guard let version = (try? history.next()) ?? nil else { break }
            versionsLeft -= 1
            guard let target = version.target, let table = table(of: target),
                !tables.contains(table)
            else { continue }
            tables.append(table)
            versions.append(RowFinder(table, in: objects))
            if tables.count == 1 {
                try? readAll(table)
            } else {
                try? readDifferences(from: tables[tables.count - 2], to: table)
            }
            return true
        }
        versionsLeft = 0
        return false
    }

    /// The rows of a features snapshot; nil when no run made it, when it is in another space, or when it is unreadable.
    private func table(of id: ObjectID) -> Table? {
        guard let snapshot = try? Snapshot(id, in: objects), snapshot.space == space,
            snapshot.cursor != nil
        else { return nil }
        return snapshot.content.table
    }

    private mutating func readAll(_ table: Table) throws(ObjectError) {
        var cursor = TableCursor(table, in: objects)
        places.reserveCapacity(table.rows)
        while let leaf = try cursor.nextLeaf() {
            guard leaf.count > 0 else { continue }
            leaves.append(leaf.key(at: 0))
            for row in 0..<leaf.count {
                let fingerprint = RowFingerprint(of: Self.embedded, in: leaf, at: row)
                if places[fingerprint] == nil {
                    places[fingerprint] = .leaf(leaves.count - 1, row: row)
                }
            }
        }
    }

    private mutating func readDifferences(
        from newer: Table, to older: Table
    ) throws(ObjectError) {
        let version = tables.count - 1
        var diff = try TableDiff(from: newer, to: older, in: objects)
        while rowsLeft > 0, let change = try diff.next() {
            rowsLeft -= 1
            switch change {
            case .removed: continue
            case .added(let row), .changed(_, let row), .moved(_, let row):
                let fingerprint = RowFingerprint(of: Self.embedded, in: row.attributes)
                if places[fingerprint] == nil {
                    places[fingerprint] = .key(row.key, version: version)
                }
            }
        }
    }
}
