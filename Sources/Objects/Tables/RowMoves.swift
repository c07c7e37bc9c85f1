/// The rows of chunks that moved between two tables: what they say is in both, under different keys.
///
/// A paragraph that is inserted gives every chunk behind it another number. By their keys all of these have changed; by
/// what they say one is new. Rows that are no chunks never move. Memory is a hash and a key for each row that differs.
public struct RowMoves: Sendable {
    /// The key before, by the key after.
    private(set) var origins: [[UInt8]: [UInt8]] = [:]
    /// The keys before of all that moved.
    private(set) var departed: Set<[UInt8]> = []
    /// How many rows differ, and how.
    public private(set) var counts = RowChangeCounts()

    /// Finds what moved; reads nothing but the differing leaves, and of tables without chunks none twice.
    public init(
        from first: Table, to second: Table, in source: some ObjectSource
    ) throws(ObjectError) {
        let byKey = try TableDiff.counts(from: first, to: second, in: source)
        counts.added = byKey.added
        counts.removed = byKey.removed
        counts.changed = byKey.changed
        counts.unchanged = byKey.unchanged
        // What moved left one key and came to another.
        guard byKey.added + byKey.changed > 0, byKey.removed + byKey.changed > 0,
            byKey.added + byKey.removed + byKey.changed > 1,
            try Self.holdsChunks(first, in: source), try Self.holdsChunks(second, in: source)
        else { return }
        match(try Self.differingRows(from: first, to: second, in: source))
    }

    /// Finds what moves when a table is edited, without writing the table that results.
    ///
    /// - Parameter edits: Changes to the table, at most one of a key. Rows that are put need no vector yet: those without
    ///   one move nowhere.
    public init(
        applying edits: [TableEdit], to table: Table, in source: some ObjectSource
    ) throws(ObjectError) {
        var rows: [Row] = []
        var finder = RowFinder(table, in: source)
        for edit in edits.sorted(by: { TableRow.precedes($0.key, $1.key) }) {
            let key = Array(edit.key.utf8)
            let before = try finder.row(for: key)
            var after: TableRow?
            if case .put(let row) = edit { after = row }
            guard before != after else { continue }
            switch (before, after) {
            case (_?, _?): counts.changed += 1
            case (_?, nil): counts.removed += 1
            case (nil, _): counts.added += 1
            }
            rows.append(
                Row(
                    key: key, before: before.flatMap { ChunkIdentity($0) },
                    after: after.flatMap { ChunkIdentity($0) },
                    isInBoth: before != nil && after != nil))
        }
        counts.unchanged = table.rows - counts.removed - counts.changed
        match(rows)
    }

    /// Whether the first row of a table is a chunk: a run puts nothing else into a table.
    private static func holdsChunks(
        _ table: Table, in source: some ObjectSource
    ) throws(ObjectError) -> Bool {
        var cursor = TableCursor(table, in: source)
        guard let leaf = try cursor.nextLeaf(), leaf.count > 0 else { return false }
        return ChunkIdentity(leaf, 0) != nil
    }

    /// A key whose rows differ, and what they say.
    private struct Row: Sendable {
        let key: [UInt8]
        let before: ChunkIdentity?
        let after: ChunkIdentity?
        let isInBoth: Bool

        init(key: [UInt8], before: ChunkIdentity?, after: ChunkIdentity?, isInBoth: Bool) {
            // A chunk that says the same under the same key has changed where it is.
            let stays = before.map { $0.content == after?.content } ?? false
            self.key = key
            self.before = stays ? nil : before
            self.after = stays ? nil : after
            self.isInBoth = isInBoth
        }
    }

    private static func differingRows<Source: ObjectSource>(
        from first: Table, to second: Table, in source: Source
    ) throws(ObjectError) -> [Row] {
        let before = TableReader(first, in: source)
        let after = TableReader(second, in: source)
        let threads = Threads.available
        let leaves = try DifferingLeaves(from: first, before, to: second, after, threads: threads)
        let parts = try Threads.map(leaves.parts, threads: threads) {
            (part) throws(ObjectError) -> [Row] in
            var diff = TableDiff(
                before, leaves.before[part.before], after, leaves.after[part.after])
            var rows: [Row] = []
            while let pair = try diff.nextPair() {
                rows.append(
                    Row(
                        key: pair.key, before: pair.before?.identity, after: pair.after?.identity,
                        isInBoth: pair.before != nil && pair.after != nil))
            }
            return rows
        }
        return Array(parts.joined())
    }

    /// What is looked for: content, in one document or in any.
    private struct Wanted: Hashable {
        let content: ObjectID
        let document: [UInt8]?
    }

    /// Pairs what left a key with what came to another: within a document first, and in the order of keys.
    private mutating func match(_ rows: [Row]) {
        var comers = Array(rows.indices.filter { rows[$0].after != nil })
        for isWithinDocument in [true, false] {
            func wanted(_ chunk: ChunkIdentity) -> Wanted {
                Wanted(
                    content: chunk.content, document: isWithinDocument ? chunk.document : nil)
            }
            var leavers: [Wanted: [Int]] = [:]
            // The nearest is taken from the end.
            for index in rows.indices.reversed() {
                guard let before = rows[index].before, !departed.contains(rows[index].key) else {
                    continue
                }
                leavers[wanted(before), default: []].append(index)
            }
            comers = comers.filter { index in
                guard let after = rows[index].after,
                    let origin = leavers[wanted(after)]?.popLast()
                else { return true }
                origins[rows[index].key] = rows[origin].key
                departed.insert(rows[origin].key)
                return false
            }
        }
        count(rows)
    }

    private mutating func count(_ rows: [Row]) {
        for row in rows {
            let (hasCome, hasLeft) = (origins[row.key] != nil, departed.contains(row.key))
            guard hasCome || hasLeft else { continue }
            if row.isInBoth {
                counts.changed -= 1
                if !hasCome { counts.added += 1 }
                if !hasLeft { counts.removed += 1 }
            } else if hasCome {
                counts.added -= 1
            } else {
                counts.removed -= 1
            }
        }
        counts.moved = origins.count
    }
}
