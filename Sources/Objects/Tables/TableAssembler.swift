/// Puts a table together from left to right, out of rows and of whole nodes of an older table.
///
/// Level 0 collects rows; level n collects the entries of the nodes of level n - 1. Every level ends its
/// node where ``TableBoundary`` says and passes an entry up, so memory is one node a level.
struct TableAssembler<Sink: ObjectSink> {
    private let sink: Sink
    private let dimension: Int
    private var leaf: TableLeafWriter
    /// The open node of level n is at n - 1.
    private var inner: [OpenNode] = []
    /// Nodes of each level that exist for certain: those inside a whole node count as one.
    private var nodes = [0]
    /// Leaves that are not stored yet, and whole ones that follow them.
    private var waiting: [Waiting] = []
    private var waitingLeaves = 0
    /// What rows and entries that are added now are taken from, by level.
    private var origins = [ObjectID?](repeating: nil, count: TableLimits.height + 1)

    private struct OpenNode {
        var boundary: TableBoundary
        var entries: [TableEntry] = []
        var predecessor = TablePredecessor()
    }

    /// A leaf that waits to be stored, or a whole one, with what it was taken from.
    private struct Waiting {
        let leaf: TableLeafWriter.Finished?
        let entry: TableEntry?
        let origins: [ObjectID?]
    }

    /// Leaves are stored by several threads, this many at once; that is a few megabytes.
    private static var leavesAtOnce: Int { 64 }

    /// The top of a finished table.
    struct Top {
        let entry: TableEntry
        /// Whether it is a node of the older table, which may have single children below it.
        let isWhole: Bool
    }

    init(dimension: Int, in sink: Sink) {
        self.sink = sink
        self.dimension = dimension
        leaf = TableLeafWriter(dimension: dimension)
    }

    /// Says which node of an older table the next rows (level 0) or entries come from.
    mutating func setOrigin(_ id: ObjectID, level: Int) { origins[level] = id }

    /// Whether a whole node of this level can follow: no node is open at it or below.
    mutating func isClean(through level: Int) throws(ObjectError) -> Bool {
        guard leaf.count == 0 else { return false }
        if level > 0 { try settle() }
        for index in 0..<min(level, inner.count) where !inner[index].entries.isEmpty {
            return false
        }
        return true
    }

    /// Adds a row, which must be checked and follow the last one.
    mutating func append(
        key: Span<UInt8>, attributes: Span<UInt8>, vector: Span<UInt8>
    ) throws(ObjectError) {
        let cuts = leaf.append(key: key, attributes: attributes, vector: vector, from: origins[0])
        if cuts { try endLeaf() }
    }

    /// Adds a checked row.
    mutating func append(_ row: EncodedTableRow) throws(ObjectError) {
        try append(key: row.key.span, attributes: row.attributes.span, vector: row.vector.span)
    }

    /// Adds a whole node of an older table; ``isClean(through:)`` must hold for its level, and unless it
    /// ends at a boundary nothing may follow.
    mutating func append(_ entry: TableEntry, level: Int) throws(ObjectError) {
        if level == 0, !waiting.isEmpty {
            waiting.append(Waiting(leaf: nil, entry: entry, origins: origins))
            return
        }
        try settle()
        for below in 0..<level { countNode(below) }
        try add(entry, level: level)
    }

    /// Ends all open nodes.
    mutating func finish() throws(ObjectError) -> Top {
        try settle()
        if leaf.count > 0 || nodes[0] == 0 { try endLeaf() }
        try settle()
        var level = 0
        while nodes[level] > 1 {
            level += 1
            if let open = openNode(level), !open.entries.isEmpty { try endInner(level) }
        }
        // The single node of this level waits, alone, in the open node above it; or above that, when it
        // came whole, in which case nothing else did.
        for (index, open) in inner[level...].enumerated() {
            if let entry = open.entries.first { return Top(entry: entry, isWhole: index > 0) }
        }
        preconditionFailure("a level with one node has an open node above it")
    }

    private func openNode(_ level: Int) -> OpenNode? {
        level <= inner.count ? inner[level - 1] : nil
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
        let origin = origins[level + 1]
        inner[level].predecessor.count(origin, weight: entry.weight)
        inner[level].entries.append(entry)
        let cuts = inner[level].boundary.cuts(after: entry.lastKey.span, weight: entry.weight)
        if cuts { try endInner(level + 1) }
    }

    private mutating func endLeaf() throws(ObjectError) {
        waiting.append(Waiting(leaf: leaf.take(), entry: nil, origins: origins))
        waitingLeaves += 1
        if waitingLeaves >= Self.leavesAtOnce { try settle() }
    }

    /// Stores the leaves that wait and adds the entries of all that waits, in order.
    private mutating func settle() throws(ObjectError) {
        guard !waiting.isEmpty else { return }
        let items = waiting
        waiting.removeAll()
        waitingLeaves = 0
        let leaves = items.compactMap(\.leaf)
        let sink = sink
        let results = Threads.map(leaves.count) { index in
            let leaf = leaves[index]
            return Result { () throws(ObjectError) in
                try sink.write(leaf.bytes, hint: leaf.hint, predecessor: leaf.predecessor)
            }
        }
        var next = 0
        let current = origins
        defer { origins = current }
        for item in items {
            origins = item.origins
            if let entry = item.entry { try add(entry, level: 0) }
            guard let leaf = item.leaf else { continue }
            let id = try results[next].get()
            next += 1
            try add(TableEntry(id: id, rows: leaf.rows, lastKey: leaf.lastKey), level: 0)
        }
    }

    private mutating func endInner(_ level: Int) throws(ObjectError) {
        guard level < TableLimits.height else {
            throw .invalid(what: "table", reason: "it would need more than \(level) levels")
        }
        let open = inner[level - 1]
        inner[level - 1] = OpenNode(boundary: TableBoundary(level: level))
        let bytes = TableInnerNode.encode(open.entries, level: level, dimension: dimension)
        let id = try sink.write(bytes, hint: .structured, predecessor: open.predecessor.id)
        try add(
            TableEntry(
                id: id, rows: open.entries.reduce(0) { $0 + $1.rows },
                lastKey: open.entries.last?.lastKey ?? []),
            level: level)
    }
}

/// Finds the older node from which most of a new node came.
struct TablePredecessor {
    /// That node; nil when most is new.
    private(set) var id: ObjectID?
    private var weight = 0
    private var current: ObjectID?
    private var currentWeight = 0

    /// Notes that an item of this weight came from a node; calls for one node follow each other.
    mutating func count(_ origin: ObjectID?, weight: Int) {
        guard let origin else { return }
        if origin != current {
            current = origin
            currentWeight = 0
        }
        currentWeight += weight
        if currentWeight > self.weight {
            id = origin
            self.weight = currentWeight
        }
    }
}
