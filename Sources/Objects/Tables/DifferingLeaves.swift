/// The leaves that one of two tables has and the other has not, in key order.
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

    /// The root's children, or the root when it is a leaf, and their level.
    private static func open<Source: ObjectSource>(
        _ table: Table, _ reader: TableReader<Source>
    ) throws(ObjectError) -> (level: Int, places: [TablePlace]) {
        let root = TablePlace.root(of: table)
        switch try reader.node(at: root) {
        case .leaf: return (0, [root])
        case .inner(let inner): return (inner.level - 1, root.children(of: inner.node))
        }
    }

    /// Takes out the nodes that both have. Equal nodes end with equal keys, so merging by last keys meets
    /// every pair of them.
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

    /// A part of both lists, so that no key is in two parts.
    struct Part: Sendable {
        let before: Range<Int>
        let after: Range<Int>
    }

    /// The parts between which the leaves of both tables end with the same key.
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
    /// Below zero, zero or above zero, as this place ends before the other, with it or after it. A root
    /// ends after everything.
    fileprivate func compareLastKey(with other: TablePlace) -> Int {
        switch (lastKey, other.lastKey) {
        case (let left?, let right?): TableBytes.compare(left.span, right.span)
        case (nil, nil): 0
        case (nil, _): 1
        case (_, nil): -1
        }
    }
}
