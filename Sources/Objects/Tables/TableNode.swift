/// A node of a table: a leaf, or a node above leaves.
public enum TableNode: Sendable {
    /// Rows.
    case leaf(TableLeaf)
    /// Children.
    case inner(TableInnerNode)

    /// Decodes a leaf or an inner node. Refuses every encoding but the canonical one.
    ///
    /// - Throws: `malformed` with `id`.
    public init(decoding bytes: [UInt8], id: ObjectID? = nil) throws(ObjectError) {
        self =
            bytes.starts(with: TableInnerNode.magic)
            ? .inner(try TableInnerNode(decoding: bytes, id: id))
            : .leaf(try TableLeaf(decoding: bytes, id: id))
    }

    /// Decodes a node without checking the attributes of its rows; see ``TableLeaf/init(_:id:)``.
    package init(_ bytes: [UInt8], id: ObjectID?) throws(ObjectError) {
        self =
            bytes.starts(with: TableInnerNode.magic)
            ? .inner(try TableInnerNode(decoding: bytes, id: id))
            : .leaf(try TableLeaf(bytes, id: id))
    }

    /// The number of rows in this node or below it.
    public var rows: Int {
        switch self {
        case .leaf(let leaf): leaf.count
        case .inner(let children): children.rows
        }
    }

    /// The length of every row's vector.
    public var dimension: Int {
        switch self {
        case .leaf(let leaf): leaf.dimension
        case .inner(let children): children.dimension
        }
    }

    /// The height above the leaves; 0 for a leaf.
    public var level: Int {
        switch self {
        case .leaf: 0
        case .inner(let children): children.level
        }
    }

    /// The objects that a node refers to, in key order. They are all table nodes; a leaf refers to none.
    ///
    /// - Throws: `malformed` when the bytes are not a node.
    public static func links(
        of bytes: [UInt8], id: ObjectID? = nil
    ) throws(ObjectError) -> [ObjectID] {
        guard case .inner(let children) = try TableNode(bytes, id: id) else { return [] }
        return children.links
    }

    var endsAtBoundary: Bool {
        switch self {
        case .leaf(let leaf): leaf.endsAtBoundary
        case .inner(let children): children.endsAtBoundary
        }
    }
}

/// One child of an inner node.
package struct TableEntry: Sendable, Equatable {
    /// The identity of the child.
    package let id: ObjectID
    /// The number of rows below the child; at least one.
    package let rows: Int
    /// The key of the last of these rows.
    package let lastKey: [UInt8]

    /// The bytes that the entry adds to the node: identity, row count, key offset, key.
    var weight: Int { 44 + lastKey.count }
}

/// A node above the leaves of a table.
///
/// Encoded, little-endian: `ftinode1` / level u32 (1 = above the leaves) / count u32 / dimension u32 / key bytes u32
/// / child ids, 32 bytes each / row counts u64[count] / last-key end offsets u32[count] / last keys.
public struct TableInnerNode: Sendable {
    package static let magic = Array("ftinode1".utf8)
    static let headerBytes = 24
    private static let kind = "table node"

    /// The height above the leaves: 1 when the children are leaves.
    public let level: Int
    package let dimension: Int
    package let entries: [TableEntry]
    /// The number of rows below.
    package let rows: Int
    /// The identities of the children, in key order.
    public var links: [ObjectID] { entries.map(\.id) }
    /// Whether the boundary rule ends the node after its last entry.
    package let endsAtBoundary: Bool

    /// Decodes an inner node. Refuses every encoding but the canonical one.
    package init(decoding bytes: [UInt8], id: ObjectID?) throws(ObjectError) {
        func malformed(_ reason: String, _ offset: Int) -> ObjectError {
            .malformed(id, as: Self.kind, reason: reason, offset: offset)
        }
        let span = bytes.span
        guard bytes.count >= Self.headerBytes, bytes.starts(with: Self.magic) else {
            throw malformed("the header is not ftinode1 and four counts", 0)
        }
        level = TableBytes.count(span, at: 8)
        let count = TableBytes.count(span, at: 12)
        dimension = TableBytes.count(span, at: 16)
        let keyBytes = TableBytes.count(span, at: 20)
        guard level >= 1, level < TableLimits.height else {
            throw malformed("level \(level) is not from 1 to \(TableLimits.height - 1)", 8)
        }
        guard dimension <= TableLimits.dimension else {
            throw malformed("its vectors have \(dimension) numbers, too many for a table", 16)
        }
        guard count >= 1 else { throw malformed("it has no children", 12) }
        let rowsAt = Self.headerBytes + 32 * count
        let endsAt = rowsAt + 8 * count
        let keysAt = endsAt + 4 * count
        guard keysAt + keyBytes == bytes.count else {
            throw malformed("its counts do not match its \(bytes.count) bytes", 12)
        }
        var entries: [TableEntry] = []
        entries.reserveCapacity(count)
        var boundary = TableBoundary(level: level)
        var total = 0
        var start = 0
        var cuts = false
        for index in 0..<count {
            let end = TableBytes.count(span, at: endsAt + 4 * index)
            guard (1...TableLimits.keyBytes).contains(end - start), end <= keyBytes else {
                throw malformed("the end offset of a key is out of range", endsAt + 4 * index)
            }
            let range = keysAt + start..<keysAt + end
            let key = span.extracting(range)
            if let reason = TableKeyCheck.problem(key, in: bytes, range) {
                throw malformed("a key \(reason)", range.lowerBound)
            }
            if let last = entries.last, TableBytes.compare(last.lastKey.span, key) >= 0 {
                throw malformed("its keys do not ascend", range.lowerBound)
            }
            let rowsOffset = rowsAt + 8 * index
            guard let rows = Int(exactly: LittleEndian.uint64(span, at: rowsOffset)), rows >= 1,
                case let (sum, overflow) = total.addingReportingOverflow(rows), !overflow
            else { throw malformed("a row count is out of range", rowsOffset) }
            if cuts {
                throw malformed(
                    "the boundary rule ends it after an earlier entry", range.lowerBound)
            }
            total = sum
            start = end
            let entry = TableEntry(
                id: ObjectID(bytes: span, at: Self.headerBytes + 32 * index), rows: rows,
                lastKey: Array(bytes[range]))
            cuts = boundary.cuts(after: key, weight: entry.weight)
            entries.append(entry)
        }
        guard start == keyBytes else {
            throw malformed("bytes follow the last key", keysAt + start)
        }
        self.entries = entries
        rows = total
        endsAtBoundary = cuts
    }

    /// Encodes a node with these entries.
    static func encode(_ entries: [TableEntry], level: Int, dimension: Int) -> [UInt8] {
        let keyBytes = entries.reduce(0) { $0 + $1.lastKey.count }
        var bytes = magic
        bytes.reserveCapacity(headerBytes + 44 * entries.count + keyBytes)
        for number in [level, entries.count, dimension, keyBytes] {
            LittleEndian.append(UInt32(number), to: &bytes)
        }
        for entry in entries { entry.id.append(to: &bytes) }
        for entry in entries { LittleEndian.append(UInt64(entry.rows), to: &bytes) }
        var end = 0
        for entry in entries {
            end += entry.lastKey.count
            LittleEndian.append(UInt32(end), to: &bytes)
        }
        for entry in entries { bytes.append(contentsOf: entry.lastKey) }
        return bytes
    }
}
