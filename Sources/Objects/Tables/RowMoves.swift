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
        counts = try TableDiff.counts(from: first, to: second, in: source)
        // A row that moved left one key and came to another.
        guard counts.added + counts.changed > 0, counts.removed + counts.changed > 0,
            counts.added + counts.removed + counts.changed > 1,
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

    private static func differingRows(
        from first: Table, to second: Table, in source: some ObjectSource
    ) throws(ObjectError) -> [Row] {
        let parts = try TableDiff.parts(from: first, to: second, in: source) {
            (diff) throws(ObjectError) in
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

/// The rows in which two tables differ, in key order, where those that only moved are told from others.
public struct RowDiff<Source: ObjectSource>: Sendable {
    private let moves: RowMoves
    private var diff: TableDiff<Source>
    private var origins: RowFinder<Source>
    /// The second change of a key at which there are two.
    private var pending: RowChange?

    /// Compares two tables.
    ///
    /// - Parameter moves: What moved between them.
    public init(
        from first: Table, to second: Table, moves: RowMoves, in source: Source
    ) throws(ObjectError) {
        self.moves = moves
        diff = try TableDiff(from: first, to: second, in: source)
        origins = RowFinder(first, in: source)
    }

    /// The next row that differs, or nil at the end. What moved comes under the key that it has now.
    public mutating func next() throws(ObjectError) -> RowChange? {
        if let change = pending {
            pending = nil
            return change
        }
        while let pair = try diff.nextPair() {
            let hasLeft = moves.departed.contains(pair.key)
            let (before, after) = (try pair.before?.row, try pair.after?.row)
            if let after, let movement = try movement(of: after, pair.key) {
                if let before, !hasLeft { pending = .removed(before) }
                return movement
            }
            switch (hasLeft ? nil : before, after) {
            case (let before?, let after?): return .changed(from: before, to: after)
            case (nil, let after?): return .added(after)
            case (let before?, nil): return .removed(before)
            case (nil, nil): break
            }
        }
        return nil
    }

    /// How a row came to its key; nil when it did not move.
    private mutating func movement(
        of row: TableRow, _ key: [UInt8]
    ) throws(ObjectError) -> RowChange? {
        guard let origin = moves.origins[key], let before = try origins.row(for: origin) else {
            return nil
        }
        return .moved(from: before, to: row)
    }
}

/// Finds rows of a table by their keys; a leaf is read once for neighbours that are asked for one after another.
public struct RowFinder<Source: ObjectSource>: Sendable {
    private let table: Table
    private let source: Source
    private var leaf: TableLeaf?

    /// Looks into a table; reads nothing yet.
    public init(_ table: Table, in source: Source) {
        self.table = table
        self.source = source
    }

    /// The row with this key, or nil.
    public mutating func row(for key: [UInt8]) throws(ObjectError) -> TableRow? {
        guard let (leaf, index) = try place(notBelow: key),
            leaf.bytes[leaf.keyRange(index)] == key[...]
        else { return nil }
        return try leaf.row(at: index)
    }

    /// Whether the key of any row begins so.
    public mutating func hasRow(beginning prefix: [UInt8]) throws(ObjectError) -> Bool {
        guard let (leaf, index) = try place(notBelow: prefix) else { return false }
        return leaf.bytes[leaf.keyRange(index)].starts(with: prefix)
    }

    /// The first row whose key is not below another; nil at the end.
    private mutating func place(
        notBelow key: [UInt8]
    ) throws(ObjectError) -> (leaf: TableLeaf, index: Int)? {
        if let leaf {
            let index = leaf.firstIndex(notBelow: key.span)
            // Before the first row of a leaf there may be others, of the leaf before it.
            if index < leaf.count,
                index > 0 || leaf.bytes[leaf.keyRange(0)] == key[...]
            {
                return (leaf, index)
            }
        }
        var cursor = TableCursor(table, from: String(decoding: key, as: UTF8.self), in: source)
        leaf = try cursor.nextLeaf()
        guard let leaf else { return nil }
        let index = leaf.firstIndex(notBelow: key.span)
        return index < leaf.count ? (leaf, index) : nil
    }
}

/// What happened to one row between two tables, where a row that has only moved is told from others.
public enum RowChange: Sendable, Equatable {
    /// Only the second table has it.
    case added(TableRow)
    /// Only the first table has it.
    case removed(TableRow)
    /// Both have it under one key, with other attributes or another vector.
    case changed(from: TableRow, to: TableRow)
    /// Both have what it says, under different keys.
    case moved(from: TableRow, to: TableRow)

    /// The row of the second table; where it has none, that of the first.
    public var row: TableRow {
        switch self {
        case .added(let row), .removed(let row), .changed(_, let row), .moved(_, let row): row
        }
    }

    /// The key of the row; the new key of a row that moved.
    public var key: String { row.key }
}

/// How many rows differ between two tables, where those that only moved are told from others.
public struct RowChangeCounts: Hashable, Sendable {
    /// Rows whose content is new.
    public var added = 0
    /// Rows whose content is gone.
    public var removed = 0
    /// Rows that both tables have, with other content.
    public var changed = 0
    /// Rows whose content both tables have, under different keys.
    public var moved = 0
    /// Rows that are the same in both.
    public var unchanged = 0

    /// Gives the counts.
    public init(
        added: Int = 0, removed: Int = 0, changed: Int = 0, moved: Int = 0, unchanged: Int = 0
    ) {
        self.added = added
        self.removed = removed
        self.changed = changed
        self.moved = moved
        self.unchanged = unchanged
    }
}
