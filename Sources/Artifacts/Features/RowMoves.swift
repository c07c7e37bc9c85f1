public import Objects

/// The chunks that moved between two tables: the same content under another key.
///
/// When a paragraph is inserted, the ordinals of all later chunks of the section shift: all their keys change, but
/// only one chunk is new. Rows that are not chunks never move. Memory grows only with the number of differing rows.
public struct RowMoves: Sendable {
    /// The old key, by the new key.
    private(set) var origins: [[UInt8]: [UInt8]] = [:]
    /// The old keys of all rows that moved.
    private(set) var departed: Set<[UInt8]> = []
    /// How many rows differ, by kind of change.
    public private(set) var counts = RowChangeCounts()

    /// Finds the rows that moved.
    ///
    /// Reads the differing leaves once to count the rows, and again if both tables hold chunks.
    public init(
        from first: Table, to second: Table, in source: some ObjectSource
    ) throws(ObjectError) {
        counts = try TableDiff.counts(from: first, to: second, in: source)
        // A move leaves one key and arrives at another, so it takes two differing keys.
        guard counts.added + counts.changed > 0, counts.removed + counts.changed > 0,
            counts.added + counts.removed + counts.changed > 1,
            try Self.holdsChunks(first, in: source), try Self.holdsChunks(second, in: source)
        else { return }
        match(try Self.differingRows(from: first, to: second, in: source))
    }

    /// Finds the rows that an edit would move, without writing the edited table.
    ///
    /// - Parameter edits: Changes to the table, at most one for each key. A row whose vector is still missing does
    ///   not count as moved.
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

    /// Whether the first row of a table is a chunk. Tables of chunks contain nothing else.
    private static func holdsChunks(
        _ table: Table, in source: some ObjectSource
    ) throws(ObjectError) -> Bool {
        var cursor = TableCursor(table, in: source)
        guard let leaf = try cursor.nextLeaf(), leaf.count > 0 else { return false }
        return ChunkIdentity(leaf, 0) != nil
    }

    /// A key whose rows differ, with the chunks that left it and arrived at it.
    private struct Row: Sendable {
        let key: [UInt8]
        let before: ChunkIdentity?
        let after: ChunkIdentity?
        let isInBoth: Bool

        init(key: [UInt8], before: ChunkIdentity?, after: ChunkIdentity?, isInBoth: Bool) {
            // A chunk with the same content and the same key has changed in place.
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
                        key: pair.key,
                        before: pair.before.flatMap { ChunkIdentity($0.leaf, $0.index) },
                        after: pair.after.flatMap { ChunkIdentity($0.leaf, $0.index) },
                        isInBoth: pair.before != nil && pair.after != nil))
            }
            return rows
        }
        return Array(parts.joined())
    }

    /// What a match compares: the content, either within one document or across all.
    private struct Wanted: Hashable {
        let content: ObjectID
        let document: [UInt8]?
    }

    /// Pairs rows that left a key with rows that arrived at one: first within a document, then across documents, in
    /// key order.
    private mutating func match(_ rows: [Row]) {
        var arrivals = Array(rows.indices.filter { rows[$0].after != nil })
        for isWithinDocument in [true, false] {
            func wanted(_ chunk: ChunkIdentity) -> Wanted {
                Wanted(
                    content: chunk.content, document: isWithinDocument ? chunk.document : nil)
            }
            var departures: [Wanted: [Int]] = [:]
            // In reverse, so that `popLast` takes the first in key order.
            for index in rows.indices.reversed() {
                guard let before = rows[index].before, !departed.contains(rows[index].key) else {
                    continue
                }
                departures[wanted(before), default: []].append(index)
            }
            arrivals = arrivals.filter { index in
                guard let after = rows[index].after,
                    let origin = departures[wanted(after)]?.popLast()
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
            let (hasArrived, hasDeparted) = (origins[row.key] != nil, departed.contains(row.key))
            guard hasArrived || hasDeparted else { continue }
            if row.isInBoth {
                counts.changed -= 1
                if !hasArrived { counts.added += 1 }
                if !hasDeparted { counts.removed += 1 }
            } else if hasArrived {
                counts.added -= 1
            } else {
                counts.removed -= 1
            }
        }
        counts.moved = origins.count
    }
}

/// Iterates over the rows that differ between two tables, in key order, and tells moved rows from others.
public struct RowDiff<Source: ObjectSource>: Sendable {
    private let moves: RowMoves
    private var diff: TableDiff<Source>
    private var origins: RowFinder<Source>
    /// The second of two changes at one key.
    private var pending: RowChange?

    /// Compares two tables.
    ///
    /// - Parameter moves: The rows that moved between them.
    public init(
        from first: Table, to second: Table, moves: RowMoves, in source: Source
    ) throws(ObjectError) {
        self.moves = moves
        diff = try TableDiff(from: first, to: second, in: source)
        origins = RowFinder(first, in: source)
    }

    /// Returns the next row that differs, or nil at the end. A moved row comes under its new key.
    public mutating func next() throws(ObjectError) -> RowChange? {
        if let change = pending {
            pending = nil
            return change
        }
        while let pair = try diff.nextPair() {
            let hasDeparted = moves.departed.contains(pair.key)
            let (before, after) = (try pair.before?.row, try pair.after?.row)
            if let after, let movement = try movement(of: after, pair.key) {
                if let before, !hasDeparted { pending = .removed(before) }
                return movement
            }
            switch (hasDeparted ? nil : before, after) {
            case (let before?, let after?): return .changed(from: before, to: after)
            case (nil, let after?): return .added(after)
            case (let before?, nil): return .removed(before)
            case (nil, nil): break
            }
        }
        return nil
    }

    /// The move that brought a row to its key; nil when the row did not move.
    private mutating func movement(
        of row: TableRow, _ key: [UInt8]
    ) throws(ObjectError) -> RowChange? {
        guard let origin = moves.origins[key], let before = try origins.row(for: origin) else {
            return nil
        }
        return .moved(from: before, to: row)
    }
}

/// The content of a row that is a chunk of a document, without its position.
///
/// A row is a chunk when it has the attributes `document`, `section`, `ordinal` and `text`. Two chunks have the same
/// content when `headings`, `text` and the vector are equal: the same text was embedded, so one may be the other
/// after a move.
struct ChunkIdentity: Sendable {
    /// The hash of the content.
    let content: ObjectID
    /// The `document` attribute, as canonical JSON.
    let document: [UInt8]

    /// The identity of a row of a leaf; nil when the row is not a chunk.
    init?(_ leaf: TableLeaf, _ index: Int) {
        self.init(
            attributes: leaf.bytes.span.extracting(leaf.attributeRange(index)),
            vector: leaf.bytes.span.extracting(leaf.vectorRange(index)))
    }

    /// The identity of a row; nil when the row is not a chunk.
    init?(_ row: TableRow) {
        var attributes: [UInt8] = []
        JSON.object(row.attributes).appendCanonical(to: &attributes)
        var vector: [UInt8] = []
        TableBytes.append(row.vector, to: &vector)
        self.init(attributes: attributes.span, vector: vector.span)
    }

    /// The identity of a row with these encoded attributes; nil when it is not a chunk.
    private init?(attributes text: Span<UInt8>, vector: Span<UInt8>) {
        var hasher = ObjectHasher()
        var document: Range<Int>?
        var (hasSection, hasOrdinal, hasText) = (false, false, false)
        var members = CanonicalMembers()
        while members.advance(in: text) {
            if members.isNamed("document", in: text) {
                document = members.value
            } else if members.isNamed("section", in: text) {
                hasSection = true
            } else if members.isNamed("ordinal", in: text) {
                hasOrdinal = true
            } else if members.isNamed("headings", in: text) {
                hasher.update(text.extracting(members.value))
            } else if members.isNamed("text", in: text) {
                hasText = true
                hasher.update(text.extracting(members.value))
            }
        }
        guard let document, hasSection, hasOrdinal, hasText else { return nil }
        hasher.update(vector)
        content = hasher.finalize()
        self.document = document.map { text[$0] }
    }
}
