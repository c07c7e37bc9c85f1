/// Builds a table from left to right, from rows and from whole nodes of an older table.
///
/// Level 0 collects rows; level n collects the entries of the nodes of level n - 1. ``TableBoundary`` decides where
/// each level ends a node, and the node's entry goes up one level. Memory is one open node per level plus one round of
/// leaves.
struct TableAssembler<Sink: ObjectSink> {
    private let sink: Sink
    private let dimension: Int
    /// The rows of the open leaf.
    private var rows = RowBlock()
    private var boundary = TableBoundary(level: 0)
    private var predecessor = PredecessorVote()
    /// The open node of level n is at index n - 1.
    private var inner: [OpenNode] = []
    /// The number of nodes of each level. A whole node counts as one on each level below it.
    private var nodes = [0]
    /// Leaves that are not stored yet, and the whole leaves between them.
    private var waiting: [Waiting] = []
    private var waitingLeaves = 0
    /// For each level, the older node that the next rows or entries come from.
    private var origins = [ObjectID?](repeating: nil, count: TableLimits.height + 1)

    private struct OpenNode {
        var boundary: TableBoundary
        var entries: [TableEntry] = []
        var predecessor = PredecessorVote()
    }

    private struct Waiting {
        let item: Item
        let origins: [ObjectID?]

        enum Item {
            case planned(PlannedLeaf)
            case whole(TableEntry)
        }
    }

    /// The number of leaves that threads store in one round: a few megabytes together.
    private static var leavesPerRound: Int { 64 }

    /// The top of a finished table.
    struct Top {
        let entry: TableEntry
        /// Whether the top is a node of the older table; such a node may have a single child, which a root must not
        /// have.
        let isWhole: Bool
    }

    init(dimension: Int, in sink: Sink) {
        self.sink = sink
        self.dimension = dimension
    }

    /// Sets the older node that the next rows (level 0) or entries come from.
    mutating func setOrigin(_ id: ObjectID, level: Int) { origins[level] = id }

    /// Whether a whole node of this level may follow, because no node is open at the level or below.
    mutating func isClean(through level: Int) throws(ObjectError) -> Bool {
        guard rows.isEmpty else { return false }
        if level > 0 { try settle() }
        return inner.prefix(level).allSatisfy(\.entries.isEmpty)
    }

    /// Adds a valid row whose key is above the last one.
    mutating func append(
        key: Span<UInt8>, attributes: Span<UInt8>, vector: Span<UInt8>
    ) throws(ObjectError) {
        rows.append(key: key, attributes: attributes, vector: vector, line: 0)
        let row = rows.rows[rows.rows.count - 1]
        predecessor.add(origins[0], weight: row.weight)
        if boundary.cuts(afterKeyWithHash: row.hash, weight: row.weight) { try endLeaf() }
    }

    /// Adds a whole node of an older table. ``isClean(through:)`` must hold for its level, and nothing may follow a
    /// node that does not end at a boundary.
    mutating func append(_ entry: TableEntry, level: Int) throws(ObjectError) {
        if level == 0, !waiting.isEmpty {
            waiting.append(Waiting(item: .whole(entry), origins: origins))
            return
        }
        try settle()
        for below in 0..<level { countNode(below) }
        try add(entry, level: level)
    }

    /// Ends all open nodes.
    mutating func finish() throws(ObjectError) -> Top {
        try settle()
        if !rows.isEmpty || nodes[0] == 0 { try endLeaf() }
        try settle()
        var level = 0
        while nodes[level] > 1 {
            level += 1
            if level <= inner.count, !inner[level - 1].entries.isEmpty { try endInner(level) }
        }
        // The only node of this level waits alone in the open node above it, or higher if it came whole.
        for (index, open) in inner[level...].enumerated() {
            if let entry = open.entries.first { return Top(entry: entry, isWhole: index > 0) }
        }
        preconditionFailure("a level with one node has an open node above it")
    }

    private mutating func countNode(_ level: Int) {
        while nodes.count <= level { nodes.append(0) }
        nodes[level] += 1
    }

    private mutating func add(_ entry: TableEntry, level: Int) throws(ObjectError) {
        countNode(level)
        while inner.count <= level {
            inner.append(OpenNode(boundary: TableBoundary(level: inner.count + 1)))
        }
        inner[level].predecessor.add(origins[level + 1], weight: entry.weight)
        inner[level].entries.append(entry)
        let cuts = inner[level].boundary.cuts(after: entry.lastKey.span, weight: entry.weight)
        if cuts { try endInner(level + 1) }
    }

    private mutating func endLeaf() throws(ObjectError) {
        let order = RowOrder(rows)
        let leaf = PlannedLeaf(
            order: order, range: order.places.indices, dimension: dimension,
            predecessor: predecessor.winner)
        (rows, boundary, predecessor) = (RowBlock(), TableBoundary(level: 0), PredecessorVote())
        waiting.append(Waiting(item: .planned(leaf), origins: origins))
        waitingLeaves += 1
        if waitingLeaves >= Self.leavesPerRound { try settle() }
    }

    /// Stores the waiting leaves, and adds the entries of everything that waits, in order.
    private mutating func settle() throws(ObjectError) {
        guard !waiting.isEmpty else { return }
        let items = waiting
        waiting.removeAll()
        waitingLeaves = 0
        let leaves = items.compactMap { waiting in
            if case .planned(let leaf) = waiting.item { leaf } else { nil }
        }
        var stored = try PlannedLeaf.write(leaves, to: sink)[...]
        let current = origins
        defer { origins = current }
        for waiting in items {
            origins = waiting.origins
            switch waiting.item {
            case .whole(let entry): try add(entry, level: 0)
            case .planned(let leaf): try add(leaf.entry(stored.removeFirst()), level: 0)
            }
        }
    }

    private mutating func endInner(_ level: Int) throws(ObjectError) {
        guard level < TableLimits.height else {
            throw .invalid(what: "table", reason: "it would need more than \(level) levels")
        }
        let open = inner[level - 1]
        inner[level - 1] = OpenNode(boundary: TableBoundary(level: level))
        let bytes = TableInnerNode.encode(open.entries, level: level, dimension: dimension)
        let id = try sink.write(bytes, hint: .structured, predecessor: open.predecessor.winner)
        try add(
            TableEntry(
                id: id, rows: open.entries.reduce(0) { $0 + $1.rows },
                lastKey: open.entries.last?.lastKey ?? []),
            level: level)
    }
}

/// The rows of one leaf that is not encoded yet.
struct PlannedLeaf: Sendable {
    let order: RowOrder
    /// The leaf's places in ``order``.
    let range: Range<Int>
    /// The length of the rows' vectors.
    let dimension: Int
    /// The older leaf that this one resembles most; nil when there is none.
    let predecessor: ObjectID?

    /// Encodes and stores the leaf.
    func write(to sink: some ObjectSink) throws(ObjectError) -> ObjectID {
        let (bytes, hint) = TableLeaf.encode(order, range, dimension: dimension)
        return try sink.write(bytes, hint: hint, predecessor: predecessor)
    }

    /// Stores leaves with several threads.
    ///
    /// - Returns: Their identities, in the order of the leaves.
    static func write(
        _ leaves: [PlannedLeaf], to sink: some ObjectSink, threads: Int = Threads.available
    ) throws(ObjectError) -> [ObjectID] {
        try Threads.mapAll(leaves.count, threads: threads) { (index) throws(ObjectError) in
            try leaves[index].write(to: sink)
        }
    }

    /// The entry of the leaf in the node above it.
    func entry(_ id: ObjectID) -> TableEntry {
        TableEntry(
            id: id, rows: range.count, lastKey: range.isEmpty ? [] : order.key(range.upperBound - 1)
        )
    }
}

/// Finds the older node that contributes the most weight to a new node.
struct PredecessorVote {
    /// The older node; nil when nothing comes from one.
    private(set) var winner: ObjectID?
    private var weight = 0
    private var current: ObjectID?
    private var currentWeight = 0

    /// Adds an item that comes from `origin`. All items of one origin must be added one after the other.
    mutating func add(_ origin: ObjectID?, weight: Int) {
        guard let origin else { return }
        if origin != current {
            current = origin
            currentWeight = 0
        }
        currentWeight += weight
        if currentWeight > self.weight {
            winner = origin
            self.weight = currentWeight
        }
    }
}
