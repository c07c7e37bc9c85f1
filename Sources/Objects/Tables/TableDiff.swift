/// The rows in which two tables differ, in key order.
///
/// Level by level, nodes that both tables have are set aside unread: an identity is a key range and its
/// rows. The leaves that are left are merged as they are asked for. So what is read follows the change,
/// and memory is an entry for each differing leaf.
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
        self.before = RowSpan(before, leaves.before)
        self.after = RowSpan(after, leaves.after)
    }

    /// Compares some leaves of two tables, such that all rows between their first keys and their last are in them.
    init(
        _ left: TableReader<Source>, _ before: ArraySlice<TablePlace>,
        _ right: TableReader<Source>, _ after: ArraySlice<TablePlace>
    ) {
        self.before = RowSpan(left, Array(before))
        self.after = RowSpan(right, Array(after))
    }

    /// The next row that differs, or nil at the end.
    public mutating func next() throws(ObjectError) -> TableChange? {
        guard let pair = try nextPair() else { return nil }
        switch (try pair.before?.row, try pair.after?.row) {
        case (let before?, nil): return .removed(before)
        case (let before?, let after?): return .changed(from: before, to: after)
        case (nil, let after?): return .added(after)
        case (nil, nil): return nil
        }
    }

    /// The next row that differs, as it lies in the leaves of one table or both; nil at the end.
    mutating func nextPair() throws(ObjectError) -> TableRowPair? {
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
private struct RowSpan<Source: ObjectSource>: Sendable {
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

    mutating func take() throws(ObjectError) -> TableRowPlace {
        guard let leaf = try current() else {
            preconditionFailure("a row is taken where there is one")
        }
        defer { index += 1 }
        return TableRowPlace(leaf: leaf, index: index)
    }
}

/// A row that was not decoded yet.
struct TableRowPlace {
    let leaf: TableLeaf
    let index: Int

    var key: [UInt8] { Array(leaf.bytes[leaf.keyRange(index)]) }

    var row: TableRow {
        get throws(ObjectError) { try leaf.row(at: index) }
    }

    /// What the row says; nil when it is no chunk of a document.
    var identity: ChunkIdentity? { ChunkIdentity(leaf, index) }
}

/// The rows of two tables under one key; one of them is there.
struct TableRowPair {
    let before: TableRowPlace?
    let after: TableRowPlace?

    var key: [UInt8] { after?.key ?? before?.key ?? [] }
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
