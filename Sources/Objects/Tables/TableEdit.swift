/// One change to a table.
public enum TableEdit: Sendable, Equatable {
    /// Adds the row, or replaces the row with its key.
    case put(TableRow)
    /// Removes the row with this key, if there is one.
    case remove(String)
}

extension TableEdit {
    /// The key of the row that changes.
    public var key: String {
        switch self {
        case .put(let row): row.key
        case .remove(let key): key
        }
    }
}

/// An edit with its key as bytes; an edit without a row removes the row with the key.
struct EncodedTableEdit: Sendable {
    let key: [UInt8]
    let row: EncodedTableRow?

    /// Checks and encodes edits and sorts them by key. The last of several edits to one key wins.
    static func ordered(
        _ edits: some Sequence<TableEdit>, dimension: Int
    ) throws(ObjectError) -> [EncodedTableEdit] {
        var encoded: [EncodedTableEdit] = []
        for edit in edits {
            switch edit {
            case .put(let row):
                let row = try EncodedTableRow(row, dimension: dimension)
                encoded.append(EncodedTableEdit(key: row.key, row: row))
            case .remove(let key):
                encoded.append(
                    EncodedTableEdit(key: try EncodedTableRow.checkedKey(key), row: nil))
            }
        }
        let order = encoded.indices.sorted { left, right in
            let order = encoded[left].compare(to: encoded[right])
            return order == 0 ? left < right : order < 0
        }
        var result: [EncodedTableEdit] = []
        result.reserveCapacity(encoded.count)
        for index in order {
            if let last = result.last, last.key == encoded[index].key { result.removeLast() }
            result.append(encoded[index])
        }
        return result
    }

    private func compare(to other: EncodedTableEdit) -> Int {
        TableBytes.compare(key.span, other.key.span)
    }
}

extension Table {
    /// Returns the table after these edits. The last of several edits to one key wins.
    ///
    /// The result is the same table as one built from the changed rows. Only three kinds of nodes are read and
    /// rewritten: leaves with edits, the leaves after them until an old boundary recurs, and the nodes above these. The
    /// predecessor of a rewritten node is the old node that contributes most of its content.
    ///
    /// - Throws: `invalid` for a row that does not fit; see ``TableBuilder/append(_:)``.
    public func applying(
        _ edits: some Sequence<TableEdit>, in store: some ObjectStore
    ) throws(ObjectError) -> Table {
        let ordered = try EncodedTableEdit.ordered(edits, dimension: dimension)
        guard !ordered.isEmpty else { return self }
        var splice = TableSplice(self, edits: ordered, in: store)
        return try splice.run()
    }
}

/// Walks an old table and its edits together. Passes rows to the assembler where something changed, and whole nodes
/// everywhere else.
private struct TableSplice<Store: ObjectStore> {
    private let table: Table
    private let reader: TableReader<Store>
    private var assembler: TableAssembler<Store>
    private let edits: [EncodedTableEdit]
    private var next = 0
    private var rows: Int

    init(_ table: Table, edits: [EncodedTableEdit], in store: Store) {
        self.table = table
        self.edits = edits
        reader = TableReader(table, in: store)
        assembler = TableAssembler(dimension: table.dimension, in: store)
        rows = table.rows
    }

    mutating func run() throws(ObjectError) -> Table {
        let place = TablePlace.root(of: table)
        try visit(try reader.node(at: place), at: place)
        let top = try assembler.finish()
        var root = top.entry.id
        if top.isWhole {
            // If the top is the last node of the old table, it may have a single child.
            while case .inner(let inner) = try TableNode(
                try reader.source.read(root, limit: TableLimits.nodeBytes), id: root),
                inner.entries.count == 1
            { root = inner.entries[0].id }
        }
        return Table(root: root, rows: rows, dimension: table.dimension)
    }

    private mutating func visit(_ node: TableNode, at place: TablePlace) throws(ObjectError) {
        assembler.setOrigin(place.id, level: node.level)
        switch node {
        case .leaf(let leaf): try merge(leaf, isLast: place.isLast)
        case .inner(let inner):
            let level = node.level - 1
            let children = place.children(of: inner)
            var read = level == 0 ? try changed(children) : [:]
            for child in children {
                if !isChanged(child, by: next), try assembler.isClean(through: level),
                    let lastKey = child.lastKey
                {
                    try assembler.append(
                        TableEntry(id: child.id, rows: child.rows, lastKey: lastKey), level: level)
                } else if let node = read.removeValue(forKey: child.id) {
                    try visit(node, at: child)
                } else {
                    try visit(try reader.node(at: child), at: child)
                }
            }
        }
    }

    /// Reads the leaves that have edits with several threads; reads none if only one leaf has edits.
    private func changed(_ leaves: [TablePlace]) throws(ObjectError) -> [ObjectID: TableNode] {
        var places: [TablePlace] = []
        var edit = next
        for place in leaves {
            let first = edit
            while isChanged(place, by: edit) { edit += 1 }
            if edit > first { places.append(place) }
        }
        guard places.count > 1 else { return [:] }
        let reader = reader
        let wanted = places
        let nodes = try Threads.mapAll(wanted.count) { (index) throws(ObjectError) in
            try reader.node(at: wanted[index])
        }
        return Dictionary(zip(wanted.map(\.id), nodes)) { $1 }
    }

    /// Whether the edit at an index falls into a place, given that all edits before the place were applied.
    private func isChanged(_ place: TablePlace, by edit: Int) -> Bool {
        guard edit < edits.count else { return false }
        let edit = edits[edit]
        return place.isLast || place.reaches(edit.key.span)
    }

    private mutating func merge(_ leaf: TableLeaf, isLast: Bool) throws(ObjectError) {
        for index in 0..<leaf.count {
            let key = leaf.bytes.span.extracting(leaf.keyRange(index))
            var isReplaced = false
            while next < edits.count {
                let edit = edits[next]
                let order = TableBytes.compare(edit.key.span, key)
                guard order <= 0 else { break }
                isReplaced = order == 0
                if isReplaced { rows -= 1 }
                try apply()
            }
            if !isReplaced {
                try assembler.append(
                    key: key, attributes: leaf.bytes.span.extracting(leaf.attributeRange(index)),
                    vector: leaf.bytes.span.extracting(leaf.vectorRange(index)))
            }
        }
        while isLast, next < edits.count { try apply() }
    }

    private mutating func apply() throws(ObjectError) {
        if let row = edits[next].row {
            rows += 1
            try assembler.append(
                key: row.key.span, attributes: row.attributes.span, vector: row.vector.span)
        }
        next += 1
    }
}
