/// The rows in which two tables differ, in key order.
///
/// Level by level, nodes that both tables have are set aside unread: an identity is a key range and its
/// rows. The leaves that are left are merged as they are asked for. So what is read follows the change,
/// and memory is an entry for each differing leaf.
public struct TableDiff<Source: ObjectSource>: Sendable {
    private var before: TableRowRun<Source>
    private var after: TableRowRun<Source>

    /// Compares the nodes above the leaves of two tables.
    public init(
        from first: Table, to second: Table, in source: Source
    ) throws(ObjectError) {
        before = TableRowRun(TableReader(first, in: source))
        after = TableRowRun(TableReader(second, in: source))
        guard first != second else { return }
        var (level, left) = try Self.open(first, before.reader)
        var (other, right) = try Self.open(second, after.reader)
        while true {
            if level > other {
                left = try before.reader.expand(left)
                level -= 1
            } else if level < other {
                right = try after.reader.expand(right)
                other -= 1
            } else {
                let common = Set(left.map(\.id)).intersection(right.map(\.id))
                left.removeAll { common.contains($0.id) }
                right.removeAll { common.contains($0.id) }
                guard level > 0 else { break }
                left = try before.reader.expand(left)
                right = try after.reader.expand(right)
                level -= 1
                other -= 1
            }
        }
        before.places = left
        after.places = right
    }

    /// The root's children, or the root when it is a leaf, and their level.
    private static func open(
        _ table: Table, _ reader: TableReader<Source>
    ) throws(ObjectError) -> (level: Int, places: [TablePlace]) {
        let root = TablePlace.root(of: table)
        switch try reader.node(at: root) {
        case .leaf: return (0, [root])
        case .inner(let inner): return (inner.level - 1, root.children(of: inner.node))
        }
    }

    /// The next row that differs, or nil at the end.
    public mutating func next() throws(ObjectError) -> TableChange? {
        while let step = try step() {
            switch step {
            case .removed: return .removed(try before.take())
            case .added: return .added(try after.take())
            case .changed: return .changed(from: try before.take(), to: try after.take())
            case .unchanged:
                before.skip()
                after.skip()
            }
        }
        return nil
    }

    /// The number of rows that differ between two tables; decodes no attributes.
    public static func counts(
        from first: Table, to second: Table, in source: Source
    ) throws(ObjectError) -> TableDiffCounts {
        var diff = try TableDiff(from: first, to: second, in: source)
        var counts = TableDiffCounts()
        while let step = try diff.step() {
            switch step {
            case .removed:
                counts.removed += 1
                diff.before.skip()
            case .added:
                counts.added += 1
                diff.after.skip()
            case .changed, .unchanged:
                if step == .changed { counts.changed += 1 }
                diff.before.skip()
                diff.after.skip()
            }
        }
        counts.unchanged = first.rows - counts.removed - counts.changed
        return counts
    }

    private enum Step { case removed, added, changed, unchanged }

    /// What the rows at hand are; takes neither.
    private mutating func step() throws(ObjectError) -> Step? {
        let left = try before.current()
        let right = try after.current()
        guard let left else { return right == nil ? nil : .added }
        guard let right else { return .removed }
        let order = TableBytes.compare(
            left.bytes.span.extracting(left.keyRange(before.index)),
            right.bytes.span.extracting(right.keyRange(after.index)))
        guard order == 0 else { return order < 0 ? .removed : .added }
        let isSame =
            TableBytes.areEqual(
                left.bytes.span.extracting(left.attributeRange(before.index)),
                right.bytes.span.extracting(right.attributeRange(after.index)))
            && TableBytes.areEqual(
                left.bytes.span.extracting(left.vectorRange(before.index)),
                right.bytes.span.extracting(right.vectorRange(after.index)))
        return isSame ? .unchanged : .changed
    }
}

/// The rows of some leaves of a table, one at a time.
private struct TableRowRun<Source: ObjectSource>: Sendable {
    let reader: TableReader<Source>
    var places: [TablePlace] = []
    private var visited = 0
    private var leaf: TableLeaf?
    private(set) var index = 0

    init(_ reader: TableReader<Source>) { self.reader = reader }

    /// The leaf with the row at hand, which is at ``index``; nil at the end.
    mutating func current() throws(ObjectError) -> TableLeaf? {
        while true {
            if let leaf, index < leaf.count { return leaf }
            guard visited < places.count else { return nil }
            leaf = try reader.leaf(at: places[visited])
            visited += 1
            index = 0
        }
    }

    mutating func skip() { index += 1 }

    mutating func take() throws(ObjectError) -> TableRow {
        guard let leaf = try current() else {
            preconditionFailure("a row is taken where there is one")
        }
        defer { index += 1 }
        return try leaf.row(at: index)
    }
}
