internal import Artifacts
internal import Objects
internal import Refs

/// The vectors of one embedding space that the values of a ref have, newest first, by the text that they are vectors of.
///
/// Nothing is read before a text is looked for; then the newest value is read as a whole, and of older ones, as long as a
/// text is wanted, the rows in which they differ from the ones read before. Memory is a few words for each row.
struct PastVectors {
    /// Values of the ref that are looked at.
    private static let versionLimit = 50
    /// Rows of older values that are looked at.
    private static let rowLimit = 200_000
    /// What is embedded.
    private static let embedded = ["headings", "text"]

    /// Where a row is.
    private enum Place {
        /// In the leaf of the newest value that holds a key.
        case leaf(Int, row: Int)
        /// In an older value, under a key.
        case key(String, version: Int)
    }

    private let space: ObjectID
    private let objects: ObjectWriter
    private var history: History
    private var versionsLeft = Self.versionLimit
    private var rowsLeft = Self.rowLimit
    private var tables: [Table] = []
    private var versions: [RowFinder<ObjectWriter>] = []
    /// The first key of each leaf of the newest value.
    private var leaves: [String] = []
    /// The leaf of the newest value that was read last.
    private var opened: (number: Int, leaf: TableLeaf)?
    private var places: [RowFingerprint: Place] = [:]

    /// Looks at nothing yet.
    init(
        of ref: RefName, in repository: Repository, _ transaction: Transaction, space: ObjectID
    ) {
        self.space = space
        objects = transaction.objects
        history = repository.log.history(of: ref, in: transaction.state)
    }

    /// The vectors of those among the rows that were ever embedded, by the bytes of what is embedded.
    ///
    /// What cannot be read, because of damage or because a collection removed it, is passed over: to embed it again is
    /// better than no run.
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

    /// The vector of a row, if it is that of the text.
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

    /// Reads the next older value that has vectors of the space; false when no more are looked at.
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

    /// The rows of a features snapshot that a run made; nil when they are of another space, or were collected.
    private func table(of id: ObjectID) -> Table? {
        guard let snapshot = try? Snapshot(id, in: objects), snapshot.space == space,
            case .table(let root, let rows, let dimension) = snapshot.content,
            snapshot.cursor != nil
        else { return nil }
        return Table(root: root, rows: rows, dimension: dimension)
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
