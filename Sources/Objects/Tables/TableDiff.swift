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
        let before = TableReader(first, in: source)
        let after = TableReader(second, in: source)
        let leaves = try DifferingLeaves(
            from: first, before, to: second, after, threads: Threads.available)
        self.before = TableRowRun(before, leaves.before)
        self.after = TableRowRun(after, leaves.after)
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
        return left.hasSameRow(at: before.index, as: right, at: after.index)
            ? .unchanged : .changed
    }
}

/// The rows of some leaves of a table, one at a time.
private struct TableRowRun<Source: ObjectSource>: Sendable {
    private let reader: TableReader<Source>
    private let places: [TablePlace]
    private var visited = 0
    private var leaf: TableLeaf?
    private(set) var index = 0

    init(_ reader: TableReader<Source>, _ places: [TablePlace]) {
        self.reader = reader
        self.places = places
    }

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
