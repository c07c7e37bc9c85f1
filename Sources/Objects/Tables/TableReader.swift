/// The place of a node in its table, with the claims of the node above it.
struct TablePlace: Sendable {
    let id: ObjectID
    let rows: Int
    /// 0 for a leaf; nil for a root that has not been read yet.
    let level: Int?
    /// The key of the node's last row; nil for a root.
    let lastKey: [UInt8]?
    /// The last key before the node's first row; nil at the start of the table.
    let after: [UInt8]?
    /// Whether the node is the last of its level.
    let isLast: Bool
}

extension TablePlace {
    /// The place of a table's root.
    static func root(of table: Table) -> TablePlace {
        TablePlace(
            id: table.root, rows: table.rows, level: nil, lastKey: nil, after: nil, isLast: true)
    }

    /// The places of the node's children.
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

    /// Whether a row with this key would be in this node, provided that the key is above all keys before the node.
    func reaches(_ key: Span<UInt8>) -> Bool {
        lastKey.map { TableBytes.compare($0.span, key) >= 0 } ?? true
    }
}

/// Reads the nodes of one table, and checks each against what its parent claims.
struct TableReader<Source: ObjectSource>: Sendable {
    let source: Source
    let dimension: Int

    private let checksummed: (any ChecksummedSource)?

    /// Makes a reader; reads nothing yet.
    ///
    /// - Parameter trustsChecksums: Whether the checksums of packs are enough, as they are when the caller returns none
    ///   of the bytes.
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

    /// Reads the inner nodes at these places, and returns the places of their children.
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
            return "it has \(node.rows) rows; its parent says \(place.rows)"
        }
        if node.dimension != dimension {
            return "its vectors have \(node.dimension) numbers, the table's have \(dimension)"
        }
        if let level = place.level, node.level != level {
            return "it is on level \(node.level); its parent says \(level)"
        }
        switch node {
        case .leaf(let leaf):
            if place.level != nil, leaf.count == 0 { return "it has a parent but no rows" }
            guard leaf.count > 0 else { break }
            if let lastKey = place.lastKey,
                leaf.bytes[leaf.keyRange(leaf.count - 1)] != lastKey[...]
            {
                return "its last key differs from the one in its parent"
            }
            if let after = place.after,
                TableBytes.compare(after.span, leaf.bytes.span.extracting(leaf.keyRange(0))) >= 0
            {
                return "its first key is not above the last key before it"
            }
        case .inner(let inner):
            if place.level == nil, inner.entries.count == 1 {
                return "it is a root with only one child"
            }
            if let lastKey = place.lastKey, inner.entries.last?.lastKey != lastKey {
                return "its last key differs from the one in its parent"
            }
        }
        return place.isLast || node.endsAtBoundary
            ? nil : "the boundary rule does not end a node there"
    }
}

/// Reads a table's rows in key order, leaf by leaf; memory is one node per level.
public struct TableCursor<Source: ObjectSource>: Sendable {
    private let reader: TableReader<Source>
    /// The places still to visit; the next one is last.
    private var ahead: [TablePlace]
    private let start: [UInt8]
    private var leaf: TableLeaf?
    private var index = 0

    /// Starts at the first row whose key is not below `key`.
    public init(_ table: Table, from key: String = "", in source: Source) {
        self.init(table, from: Array(key.utf8), in: source)
    }

    fileprivate init(_ table: Table, from key: [UInt8], in source: Source) {
        reader = TableReader(table, in: source)
        ahead = [.root(of: table)]
        start = key
    }

    /// Returns the next row, or nil at the end.
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

    /// Returns the next leaf that ``next()`` has not begun, or nil at the end: the fast way to read keys and vectors.
    ///
    /// The first leaf contains the place of the start key, so it may begin with rows below that key.
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

/// A leaf of a table that has not been read yet.
public struct LeafReference: Hashable, Sendable {
    /// The identity of the leaf.
    public let id: ObjectID
    /// The number of rows.
    public let rows: Int
    /// The key of the last row as UTF-8; nil when the leaf is the whole table, or comes from ``TableVectors``.
    public let lastKey: [UInt8]?

    /// Reads the leaf.
    ///
    /// - Throws: `malformed` when the object is not a leaf with this number of rows, and the errors of reading an
    ///   object.
    public func read(in source: some ObjectSource) throws(ObjectError) -> TableLeaf {
        let leaf = try TableLeaf(try source.read(id, limit: TableLimits.nodeBytes), id: id)
        guard leaf.count == rows else {
            throw .malformed(
                id, as: "table leaf", reason: "it has \(leaf.count) rows, expected \(rows)",
                offset: nil)
        }
        return leaf
    }
}

extension Table {
    /// The leaves in key order. Reads the nodes above them.
    ///
    /// - Throws: The errors of reading nodes.
    public func leaves(
        in source: some ObjectSource, threads: Int = Threads.available
    ) throws(ObjectError) -> [LeafReference] {
        try TableReader(self, in: source).leafPlaces(of: self, threads: threads)
            .map { LeafReference(id: $0.id, rows: $0.rows, lastKey: $0.lastKey) }
    }
}

/// Finds rows by key. It keeps the last leaf, so that searches for neighbouring keys read a leaf once.
public struct RowFinder<Source: ObjectSource>: Sendable {
    private let table: Table
    private let source: Source
    private var leaf: TableLeaf?

    /// Creates a finder; reads nothing yet.
    public init(_ table: Table, in source: Source) {
        self.table = table
        self.source = source
    }

    /// Returns the row with this key, or nil.
    public mutating func row(for key: [UInt8]) throws(ObjectError) -> TableRow? {
        guard let (leaf, index) = try place(notBelow: key),
            leaf.bytes[leaf.keyRange(index)] == key[...]
        else { return nil }
        return try leaf.row(at: index)
    }

    /// Whether any key has this prefix.
    public mutating func hasRow(withPrefix prefix: [UInt8]) throws(ObjectError) -> Bool {
        guard let (leaf, index) = try place(notBelow: prefix) else { return false }
        return leaf.bytes[leaf.keyRange(index)].starts(with: prefix)
    }

    /// The first row whose key is not below `key`; nil at the end.
    private mutating func place(
        notBelow key: [UInt8]
    ) throws(ObjectError) -> (leaf: TableLeaf, index: Int)? {
        if let leaf {
            let index = leaf.firstIndex(notBelow: key.span)
            // If the first row of the leaf is above the key, the leaf before may hold the row.
            if index < leaf.count,
                index > 0 || leaf.bytes[leaf.keyRange(0)] == key[...]
            {
                return (leaf, index)
            }
        }
        var cursor = TableCursor(table, from: key, in: source)
        leaf = try cursor.nextLeaf()
        guard let leaf else { return nil }
        let index = leaf.firstIndex(notBelow: key.span)
        return index < leaf.count ? (leaf, index) : nil
    }
}
