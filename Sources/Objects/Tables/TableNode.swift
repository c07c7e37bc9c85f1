/// A node of a table: a leaf, or a node above leaves.
public enum TableNode: Sendable {
    /// Rows.
    case leaf(TableLeaf)
    /// Children.
    case inner(Children)

    /// What an inner node refers to.
    public struct Children: Sendable {
        let node: TableInnerNode

        /// 1 when the children are leaves, which refer to nothing themselves; above, 2 and so on.
        public var level: Int { node.level }
        /// The children in key order.
        public var links: [ObjectID] { node.entries.map(\.id) }
    }

    /// Reads a node of either kind; anything but a canonical encoding is refused.
    ///
    /// - Throws: `malformed`, with `id` in it.
    public init(decoding bytes: [UInt8], id: ObjectID? = nil) throws(ObjectError) {
        self =
            bytes.starts(with: TableInnerNode.magic)
            ? .inner(Children(node: try TableInnerNode(decoding: bytes, id: id)))
            : .leaf(try TableLeaf(decoding: bytes, id: id))
    }

    /// Same, without the attributes of rows: see ``TableLeaf/init(_:id:)``.
    package init(_ bytes: [UInt8], id: ObjectID?) throws(ObjectError) {
        self =
            bytes.starts(with: TableInnerNode.magic)
            ? .inner(Children(node: try TableInnerNode(decoding: bytes, id: id)))
            : .leaf(try TableLeaf(bytes, id: id))
    }

    /// The rows in this node or below it.
    public var rows: Int {
        switch self {
        case .leaf(let leaf): leaf.count
        case .inner(let children): children.node.rows
        }
    }

    /// The length of every row's vector.
    public var dimension: Int {
        switch self {
        case .leaf(let leaf): leaf.dimension
        case .inner(let children): children.node.dimension
        }
    }

    /// 0 for a leaf.
    public var level: Int {
        switch self {
        case .leaf: 0
        case .inner(let children): children.level
        }
    }

    /// Every object that a node's bytes refer to, in key order: none for a leaf. All of them are table
    /// nodes.
    ///
    /// - Throws: `malformed` when the bytes are no node.
    public static func links(
        of bytes: [UInt8], id: ObjectID? = nil
    ) throws(ObjectError) -> [ObjectID] {
        guard case .inner(let children) = try TableNode(bytes, id: id) else { return [] }
        return children.links
    }

    var endsAtBoundary: Bool {
        switch self {
        case .leaf(let leaf): leaf.endsAtBoundary
        case .inner(let children): children.node.endsAtBoundary
        }
    }
}
