/// A file or an empty directory that is to be stored.
public struct SourceEntry: Sendable {
    /// Where it goes in the tree.
    public let path: RelativePath
    /// Where it was found, for messages.
    public let location: String
    /// Whether it is an empty directory; a file otherwise.
    public let isDirectory: Bool
    /// The size in bytes when it was listed; 0 for a directory.
    public let size: Int

    // A directory that was named, and the names below it; or the file that was named.
    let root: Directory?
    let names: [FileName]
    let followLink: Bool

    /// Opens the file.
    ///
    /// - Throws: `unusable` when it is not a file any more.
    public func open() throws(StorageError) -> SourceFile {
        guard var directory = root, let name = names.last else {
            return try SourceFile(opening: location, followLink: followLink)
        }
        for name in names.dropLast() { directory = try directory.directory(name.bytes) }
        return try SourceFile(opening: name.bytes, in: directory)
    }
}
