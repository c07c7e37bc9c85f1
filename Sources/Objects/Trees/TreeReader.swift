public import Storage

/// Reads trees and finds entries in them by their paths.
public struct TreeReader: Sendable {
    private let source: any ObjectSource

    /// Reads trees from a source.
    public init(_ source: any ObjectSource) { self.source = source }

    /// Reads one tree.
    ///
    /// - Parameter size: The size that whoever refers to it gives, which must be true.
    /// - Throws: `missing`; `malformed` when the object is not a tree or not of that size.
    public func tree(_ id: ObjectID, size: Int? = nil) throws(ObjectError) -> Tree {
        let bytes = try source.read(id, limit: structuredObjectLimit)
        guard size == nil || size == bytes.count else {
            throw .malformed(
                id, as: "tree",
                reason: "it has \(bytes.count) bytes, where its directory says \(size ?? 0)",
                offset: nil)
        }
        return try Tree(decoding: bytes, id: id)
    }

    /// Reads the tree of a directory.
    public func tree(of entry: TreeEntry) throws(ObjectError) -> Tree {
        try tree(entry.id, size: entry.size)
    }

    /// The entry at a path below a root, or nil when there is none; the root itself has no entry.
    public func entry(at path: RelativePath, in root: ObjectID) throws(ObjectError) -> TreeEntry? {
        var tree = try tree(root)
        for name in path.names.dropLast() {
            guard let entry = tree[name], entry.mode == .directory else { return nil }
            tree = try self.tree(of: entry)
        }
        return path.names.last.flatMap { tree[$0] }
    }
}
