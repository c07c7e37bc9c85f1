/// Iterates over the rows that differ between two tables, in key order.
///
/// The diff descends level by level and skips the nodes that both tables contain without reading them: equal identities
/// mean equal rows. It reads and merges the remaining leaves on demand. So the time is proportional to the change, and
/// memory is one entry for each differing leaf.
public struct TableDiff<Source: ObjectSource>: Sendable {
    private var before: RowSpan<Source>
    private var after: RowSpan<Source>

    /// Compares the nodes above the leaves of two tables.
    public init(
        from first: Table, to second: Table, in source: Source
    ) throws(ObjectError) {
        let before = TableReader(first, in: source)
        let after = TableReader(second, in: source)
        let leaves = try DifferingLeaves(
            from: first, before, to: second, after, threads: Threads.available)
        self.init(
            before: RowSpan(before, leaves.before[...]), after: RowSpan(after, leaves.after[...]))
    }

    private init(before: RowSpan<Source>, after: RowSpan<Source>) {
        self.before = before
        self.after = after
    }

    /// Returns the next row that differs, or nil at the end.
    public mutating func next() throws(ObjectError) -> RowChange? {
        guard let pair = try nextPair() else { return nil }
        switch (try pair.before?.row, try pair.after?.row) {
        case (let before?, nil): return .removed(before)
        case (let before?, let after?): return .changed(from: before, to: after)
        case (nil, let after?): return .added(after)
        case (nil, nil): return nil
        }
    }

    /// Returns the next row that differs, undecoded, from one table or both; nil at the end.
    package mutating func nextPair() throws(ObjectError) -> TableRowPair? {
        while let step = try step() {
            switch step {
            case .removed: return TableRowPair(before: try before.take(), after: nil)
            case .added: return TableRowPair(before: nil, after: try after.take())
            case .changed:
                return TableRowPair(before: try before.take(), after: try after.take())
            case .unchanged:
                before.skip()
                after.skip()
            }
        }
        return nil
    }

    private enum Step { case removed, added, changed, unchanged }

    /// Compares the current rows without advancing past them.
    private mutating func step() throws(ObjectError) -> Step? {
        let left = try before.current()
        let right = try after.current()
        guard let left else { return right == nil ? nil : .added }
        guard let right else { return .removed }
        let order = TableBytes.compare(
            left.bytes.span.extracting(left.keyRange(before.index)),
            right.bytes.span.extracting(right.keyRange(after.index)))
        guard order == 0 else { return order < 0 ? .removed : .added }
        return left.hasSameRow(at: before.index, as: right, at: after.index)
            ? .unchanged : .changed
    }
}

/// A cursor over the rows of some leaves of a table.
private struct RowSpan<Source: ObjectSource>: Sendable {
    private let reader: TableReader<Source>
    private var places: ArraySlice<TablePlace>
    private var leaf: TableLeaf?
    private(set) var index = 0

    init(_ reader: TableReader<Source>, _ places: ArraySlice<TablePlace>) {
        self.reader = reader
        self.places = places
    }

    /// The leaf with the current row, which is at ``index``; nil at the end.
    mutating func current() throws(ObjectError) -> TableLeaf? {
        while true {
            if let leaf, index < leaf.count { return leaf }
            guard let place = places.popFirst() else { return nil }
            leaf = try reader.leaf(at: place)
            index = 0
        }
    }

    mutating func skip() { index += 1 }

    mutating func take() throws(ObjectError) -> TableRowPlace {
        guard let leaf = try current() else {
            preconditionFailure("a row is taken where there is one")
        }
        defer { index += 1 }
        return TableRowPlace(leaf: leaf, index: index)
    }
}

/// A row that has not been decoded.
package struct TableRowPlace {
    package let leaf: TableLeaf
    package let index: Int

    var key: [UInt8] { Array(leaf.bytes[leaf.keyRange(index)]) }

    package var row: TableRow {
        get throws(ObjectError) { try leaf.row(at: index) }
    }
}

/// The rows of two tables under one key. At least one is present.
package struct TableRowPair {
    package let before: TableRowPlace?
    package let after: TableRowPlace?

    package var key: [UInt8] { after?.key ?? before?.key ?? [] }
}

extension TableLeaf {
    /// Whether two rows with the same key have the same attributes and vector.
    func hasSameRow(at index: Int, as other: TableLeaf, at position: Int) -> Bool {
        TableBytes.areEqual(
            bytes.span.extracting(attributeRange(index)),
            other.bytes.span.extracting(other.attributeRange(position)))
            && TableBytes.areEqual(
                bytes.span.extracting(vectorRange(index)),
                other.bytes.span.extracting(other.vectorRange(position)))
    }
}

extension TableDiff {
    /// Counts the rows that differ between two tables, with several threads. Decodes no attributes, and counts no row
    /// as moved.
    ///
    /// This function returns none of the bytes that it reads, so it trusts the checksums of packs and recomputes no
    /// identities. A count can be wrong only where somebody forged a pack.
    public static func counts(
        from first: Table, to second: Table, in source: Source
    ) throws(ObjectError) -> RowChangeCounts {
        var counts = RowChangeCounts()
        for part in try parts(
            from: first, to: second, in: source, trustsChecksums: true,
            { (diff) throws(ObjectError) in try diff.countRest() })
        {
            counts.added += part.added
            counts.removed += part.removed
            counts.changed += part.changed
        }
        counts.unchanged = first.rows - counts.removed - counts.changed
        return counts
    }

    /// Compares two tables part by part with several threads; no key is in two parts.
    ///
    /// - Returns: The results of `body`, in key order of the parts.
    package static func parts<Result: Sendable>(
        from first: Table, to second: Table, in source: Source, trustsChecksums: Bool = false,
        _ body: @Sendable (inout TableDiff) throws(ObjectError) -> Result
    ) throws(ObjectError) -> [Result] {
        let before = TableReader(first, in: source, trustsChecksums: trustsChecksums)
        let after = TableReader(second, in: source, trustsChecksums: trustsChecksums)
        let threads = Threads.available
        let leaves = try DifferingLeaves(from: first, before, to: second, after, threads: threads)
        return try Threads.map(leaves.parts, threads: threads) { (part) throws(ObjectError) in
            var diff = TableDiff(
                before: RowSpan(before, leaves.before[part.before]),
                after: RowSpan(after, leaves.after[part.after]))
            return try body(&diff)
        }
    }

    /// Counts the remaining rows that differ.
    private mutating func countRest() throws(ObjectError) -> RowChangeCounts {
        var counts = RowChangeCounts()
        while let step = try step() {
            switch step {
            case .removed: counts.removed += 1
            case .added: counts.added += 1
            case .changed: counts.changed += 1
            case .unchanged: break
            }
            if step != .added { before.skip() }
            if step != .removed { after.skip() }
        }
        return counts
    }
}

/// The leaves that are in only one of two tables, in key order.
struct DifferingLeaves: Sendable {
    private(set) var before: [TablePlace] = []
    private(set) var after: [TablePlace] = []

    /// Compares the nodes above the leaves of two tables.
    init<Source: ObjectSource>(
        from first: Table, _ left: TableReader<Source>, to second: Table,
        _ right: TableReader<Source>, threads: Int
    ) throws(ObjectError) {
        guard first != second else { return }
        var (level, other) = (0, 0)
        (level, before) = try Self.open(first, left)
        (other, after) = try Self.open(second, right)
        while true {
            if level > other {
                before = try left.expand(before, threads: threads)
                level -= 1
            } else if level < other {
                after = try right.expand(after, threads: threads)
                other -= 1
            } else {
                dropCommon()
                guard level > 0 else { return }
                before = try left.expand(before, threads: threads)
                after = try right.expand(after, threads: threads)
                level -= 1
                other -= 1
            }
        }
    }

    /// The root's children and their level; the root itself when it is a leaf.
    private static func open<Source: ObjectSource>(
        _ table: Table, _ reader: TableReader<Source>
    ) throws(ObjectError) -> (level: Int, places: [TablePlace]) {
        let root = TablePlace.root(of: table)
        switch try reader.node(at: root) {
        case .leaf: return (0, [root])
        case .inner(let inner): return (inner.level - 1, root.children(of: inner))
        }
    }

    /// Removes the nodes that both tables contain. Equal nodes end with equal keys, so a merge by last keys meets
    /// every pair.
    private mutating func dropCommon() {
        var left: [TablePlace] = []
        var right: [TablePlace] = []
        var (i, j) = (0, 0)
        while i < before.count, j < after.count {
            if before[i].id == after[j].id {
                i += 1
                j += 1
                continue
            }
            let order = before[i].compareLastKey(with: after[j])
            if order <= 0 {
                left.append(before[i])
                i += 1
            }
            if order >= 0 {
                right.append(after[j])
                j += 1
            }
        }
        left += before[i...]
        right += after[j...]
        before = left
        after = right
    }

    /// A part of both lists that shares no key with another part.
    struct Part: Sendable {
        let before: Range<Int>
        let after: Range<Int>
    }

    /// The parts, cut where leaves of both tables end with the same key.
    var parts: [Part] {
        var parts: [Part] = []
        var (i, j) = (0, 0)
        var start = (before: 0, after: 0)
        while i < before.count, j < after.count {
            let order = before[i].compareLastKey(with: after[j])
            if order <= 0 { i += 1 }
            if order >= 0 { j += 1 }
            if order == 0 {
                parts.append(Part(before: start.before..<i, after: start.after..<j))
                start = (i, j)
            }
        }
        if start.before < before.count || start.after < after.count {
            parts.append(
                Part(before: start.before..<before.count, after: start.after..<after.count))
        }
        return parts
    }
}

extension TablePlace {
    /// Compares the last keys of two places; returns a number below zero, zero or above zero. A root ends after
    /// everything.
    fileprivate func compareLastKey(with other: TablePlace) -> Int {
        switch (lastKey, other.lastKey) {
        case (let left?, let right?): TableBytes.compare(left.span, right.span)
        case (nil, nil): 0
        case (nil, _): 1
        case (_, nil): -1
        }
    }
}

/// A change to one row between two tables.
public enum RowChange: Sendable, Equatable {
    /// Only the second table has the row.
    case added(TableRow)
    /// Only the first table has the row.
    case removed(TableRow)
    /// Both tables have the key, with other attributes or another vector.
    case changed(from: TableRow, to: TableRow)
    /// Both tables have the content, under different keys.
    case moved(from: TableRow, to: TableRow)

    /// The row in the second table; for a removed row, the one in the first.
    public var row: TableRow {
        switch self {
        case .added(let row), .removed(let row), .changed(_, let row), .moved(_, let row): row
        }
    }

    /// The key of the row; for a moved row, its new key.
    public var key: String { row.key }
}

/// The number of rows that differ between two tables, by kind of change.
public struct RowChangeCounts: Hashable, Sendable {
    /// Rows with new content.
    public var added = 0
    /// Rows whose content is gone.
    public var removed = 0
    /// Rows whose keys both tables have, with different content.
    public var changed = 0
    /// Rows whose content both tables have, under different keys.
    public var moved = 0
    /// Rows that are equal in both tables.
    public var unchanged = 0

    /// Creates counts; omitted ones are 0.
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
