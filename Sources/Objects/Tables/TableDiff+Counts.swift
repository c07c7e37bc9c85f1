extension TableDiff {
    /// The number of rows that differ between two tables, by several threads; decodes no attributes.
    ///
    /// Hands out none of the bytes that it reads, so it relies on the checksums of packs where there are any and
    /// recomputes no identities: a count is wrong only where somebody forged a pack.
    public static func counts(
        from first: Table, to second: Table, in source: Source
    ) throws(ObjectError) -> TableDiffCounts {
        let threads = Threads.available
        let before = TableReader(first, in: source, trustsChecksums: true)
        let after = TableReader(second, in: source, trustsChecksums: true)
        let leaves = try DifferingLeaves(
            from: first, before, to: second, after, threads: threads)
        let parts = try Threads.map(leaves.parts, threads: threads) {
            (part) throws(ObjectError) -> TableDiffCounts in
            var count = TableDiffCount(
                before: leaves.before[part.before], after: leaves.after[part.after])
            return try count.run(before, after)
        }
        var counts = TableDiffCounts()
        for part in parts {
            counts.added += part.added
            counts.removed += part.removed
            counts.changed += part.changed
        }
        counts.unchanged = first.rows - counts.removed - counts.changed
        return counts
    }
}

/// Counts what differs between some leaves of two tables.
private struct TableDiffCount {
    private var before: ArraySlice<TablePlace>
    private var after: ArraySlice<TablePlace>
    private var counts = TableDiffCounts()

    init(before: ArraySlice<TablePlace>, after: ArraySlice<TablePlace>) {
        self.before = before
        self.after = after
    }

    mutating func run<Source: ObjectSource>(
        _ left: TableReader<Source>, _ right: TableReader<Source>
    ) throws(ObjectError) -> TableDiffCounts {
        var (first, i): (TableLeaf?, Int) = (nil, 0)
        var (second, j): (TableLeaf?, Int) = (nil, 0)
        while true {
            if first == nil, let place = before.popFirst() {
                (first, i) = (try left.leaf(at: place), 0)
            }
            if second == nil, let place = after.popFirst() {
                (second, j) = (try right.leaf(at: place), 0)
            }
            switch (first, second) {
            case (let old?, let new?):
                count(old, &i, new, &j)
                if i == old.count { first = nil }
                if j == new.count { second = nil }
            case (let old?, nil):
                counts.removed += old.count - i
                first = nil
            case (nil, let new?):
                counts.added += new.count - j
                second = nil
            case (nil, nil): return counts
            }
        }
    }

    /// Merges two leaves until one of them ends.
    private mutating func count(
        _ old: TableLeaf, _ i: inout Int, _ new: TableLeaf, _ j: inout Int
    ) {
        let left = old.bytes.span
        let right = new.bytes.span
        while i < old.count, j < new.count {
            let order = TableBytes.compare(
                left.extracting(old.keyRange(i)), right.extracting(new.keyRange(j)))
            if order < 0 {
                counts.removed += 1
                i += 1
            } else if order > 0 {
                counts.added += 1
                j += 1
            } else {
                if !old.hasSameRow(at: i, as: new, at: j) { counts.changed += 1 }
                i += 1
                j += 1
            }
        }
    }
}
