/// What a table may hold.
public enum TableLimits {
    /// The most bytes of a key: a key stands in every node above its row, and an inner node must hold
    /// at least two before its minimum size.
    public static let keyBytes = 1024

    /// The most bytes of a row's attributes as canonical JSON: a document fits, a file belongs in a tree.
    public static let attributeBytes = 16 << 20

    /// The most numbers of a vector; the widest embeddings in use have a few thousand.
    public static let dimension = 65_536

    /// The most levels, leaves included; two children a node reach 2^63 rows within it.
    public static let height = 64

    /// The most bytes of one node: a leaf one byte short of a forced cut, and then the largest row.
    package static let nodeBytes =
        4 * TableBoundary.leafTarget + keyBytes + attributeBytes + 4 * dimension + 1024
}
