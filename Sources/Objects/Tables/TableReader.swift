/// Where a node stands in its table, and so what it must be.
struct TablePlace: Sendable {
    let id: ObjectID
    let rows: Int
    /// 0 for a leaf; nil for a root that was not read yet.
    let level: Int?
    /// The key of its last row; nil for a root.
    let lastKey: [UInt8]?
    /// The last key before its first; nil when it begins the table.
    let after: [UInt8]?
    /// Whether it is the last node of its level.
    let isLast: Bool
}

extension TablePlace {
    /// The place of a table's root.
    static func root(of table: Table) -> TablePlace {
        TablePlace(
            id: table.root, rows: table.rows, level: nil, lastKey: nil, after: nil, isLast: true)
    }

    /// The places of the children of the node that is here.
    func children(of node: TableInnerNode) -> [TablePlace] {
        var after = after
        var places: [TablePlace] = []
        places.reserveCapacity(node.entries.count)
        for (index, entry) in node.entries.enumerated() {
            places.append(
                TablePlace(
                    id: entry.id, rows: entry.rows, level: node.level - 1, lastKey: entry.lastKey,
                    after: after, isLast: isLast && index == node.entries.count - 1))
            after = entry.lastKey
        }
        return places
    }

    /// Whether a row with this key, above all rows before this place, would be here.
    func reaches(_ key: Span<UInt8>) -> Bool {
        lastKey.map { TableBytes.compare($0.span, key) >= 0 } ?? true
    }
}

/// Reads the nodes of one table, and checks each against what its parent says of it.
struct TableReader<Source: ObjectSource>: Sendable {
    let source: Source
    let dimension: Int

    private let checksummed: (any ChecksummedSource)?

    /// - Parameter trustsChecksums: Whether the checksums of packs are enough, for whoever hands out none of
    ///   the bytes.
    init(_ table: Table, in source: Source, trustsChecksums: Bool = false) {
        self.source = source
        dimension = table.dimension
        checksummed = trustsChecksums ? source as? any ChecksummedSource : nil
    }

    /// Reads the node at a place.
    func node(at place: TablePlace) throws(ObjectError) -> TableNode {
        let bytes =
            if let checksummed {
                try checksummed.readChecksummed(place.id, limit: TableLimits.nodeBytes)
            } else {
                try source.read(place.id, limit: TableLimits.nodeBytes)
            }
        let node = try TableNode(bytes, id: place.id)
        if let reason = disagreement(node, place) {
            throw .malformed(
                place.id, as: node.level == 0 ? "table leaf" : "table node", reason: reason,
                offset: nil)
        }
        return node
    }

    /// Reads the leaf at a place of level 0.
    func leaf(at place: TablePlace) throws(ObjectError) -> TableLeaf {
        guard case .leaf(let leaf) = try node(at: place) else {
            throw .malformed(
                place.id, as: "table leaf", reason: "it is an inner node", offset: nil)
        }
        return leaf
    }

    /// Reads the node at each of these places, above the leaves, and gives their children's places.
    func expand(
        _ places: [TablePlace], threads: Int = Threads.available
    ) throws(ObjectError) -> [TablePlace] {
        let children = try Threads.map(places, threads: threads) {
            (place) throws(ObjectError) -> [TablePlace] in
            guard case .inner(let inner) = try node(at: place) else { return [] }
            return place.children(of: inner)
        }
        return Array(children.joined())
    }

    private func disagreement(_ node: TableNode, _ place: TablePlace) -> String? {
        if node.rows != place.rows {
            return "it has \(node.rows) rows and not \(place.rows) as is said of it"
        }
        if node.dimension != dimension {
            return "its vectors have \(node.dimension) numbers, the table's have \(dimension)"
        }
        if let level = place.level, node.level != level {
            return "it is of level \(node.level) and its parent says \(level)"
        }
        switch node {
        case .leaf(let leaf):
            if place.level != nil, leaf.count == 0 { return "it is empty below a parent" }
            guard leaf.count > 0 else { break }
            if let lastKey = place.lastKey,
                leaf.bytes[leaf.keyRange(leaf.count - 1)] != lastKey[...]
            {
                return "its last key is not the one that its parent says"
            }
            if let after = place.after,
                TableBytes.compare(after.span, leaf.bytes.span.extracting(leaf.keyRange(0))) >= 0
            {
                return "its first key is not above the leaf before it"
            }
        case .inner(let inner):
            if place.level == nil, inner.entries.count == 1 {
                return "it is a root with a single child"
            }
            if let lastKey = place.lastKey, inner.entries.last?.lastKey != lastKey {
                return "its last key is not the one that its parent says"
            }
        }
        return place.isLast || node.endsAtBoundary ? nil : "it ends where no node may end"
    }
}

/// Reads a table's rows in key order, leaf by leaf; memory is one node a level.
public struct TableCursor<Source: ObjectSource>: Sendable {
    private let reader: TableReader<Source>
    /// The places still to visit, the nearest last.
    private var ahead: [TablePlace]
    private let start: [UInt8]
    private var leaf: TableLeaf?
    private var index = 0

    /// Begins at the first row whose key is not below `key`.
    public init(_ table: Table, from key: String = "", in source: Source) {
        reader = TableReader(table, in: source)
        ahead = [.root(of: table)]
        start = Array(key.utf8)
    }

    /// The next row, or nil at the end.
    public mutating func next() throws(ObjectError) -> TableRow? {
        while true {
            if let leaf, index < leaf.count {
                defer { index += 1 }
                return try leaf.row(at: index)
            }
            leaf = try nextLeaf()
            guard let leaf else { return nil }
            index = leaf.firstIndex(notBelow: start.span)
        }
    }

    /// The next leaf of which ``next()`` gave no row yet, or nil at the end; the fast way to read keys
    /// and vectors.
    ///
    /// The first leaf holds the start key's place, so it may begin with rows below it.
    public mutating func nextLeaf() throws(ObjectError) -> TableLeaf? {
        leaf = nil
        while let place = ahead.popLast() {
            switch try reader.node(at: place) {
            case .leaf(let leaf): return leaf
            case .inner(let inner):
                ahead += place.children(of: inner).filter { $0.reaches(start.span) }.reversed()
            }
        }
        return nil
    }
}

/// A leaf of a table that need not be read yet.
public struct LeafReference: Hashable, Sendable {
    /// The leaf.
    public let id: ObjectID
    /// The number of its rows.
    public let rows: Int
    /// The key of its last row as UTF-8; nil where the leaf is the whole table.
    public let lastKey: [UInt8]?

    /// Reads the leaf.
    ///
    /// - Throws: What reading an object throws; `malformed` when it is no leaf of so many rows.
    public func read(in source: some ObjectSource) throws(ObjectError) -> TableLeaf {
        let leaf = try TableLeaf(try source.read(id, limit: TableLimits.nodeBytes), id: id)
        guard leaf.count == rows else {
            throw .malformed(
                id, as: "table leaf", reason: "it has \(leaf.count) rows and not \(rows)",
                offset: nil)
        }
        return leaf
    }
}

extension Table {
    /// The leaves in key order; reads the nodes above them.
    ///
    /// - Throws: What reading nodes throws.
    public func leaves(
        in source: some ObjectSource, threads: Int = Threads.available
    ) throws(ObjectError) -> [LeafReference] {
        try TableReader(self, in: source).leafPlaces(of: self, threads: threads)
            .map { LeafReference(id: $0.id, rows: $0.rows, lastKey: $0.lastKey) }
    }
}
