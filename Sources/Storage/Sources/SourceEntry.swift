internal import Glibc

/// A file or an empty directory that is to be stored.
public struct SourceEntry: Sendable {
    /// Where it goes in the tree.
    public let path: RelativePath
    /// The state of the file when it was listed; nil for an empty directory.
    public let version: FileVersion?
    private let root: SourceRoot

    init(_ path: RelativePath, version: FileVersion?, below root: SourceRoot) {
        self.path = path
        self.version = version
        self.root = root
    }

    /// Whether it is an empty directory; a file otherwise.
    public var isDirectory: Bool { version == nil }

    /// The size in bytes when it was listed; 0 for a directory.
    public var size: Int { version?.size ?? 0 }

    /// Where it was found, for messages.
    public var location: String { root.location(of: path) }

    /// The bytes of the absolute path where it was found, without symbolic links.
    public var absolutePath: [UInt8] {
        var bytes = root.absolutePath
        for name in path.names.dropFirst(root.depth) {
            bytes.append(UInt8(ascii: "/"))
            bytes.append(contentsOf: name.bytes)
        }
        return bytes
    }

    /// Opens the file.
    ///
    /// - Throws: `unusable` when it is not a file any more.
    public func open() throws(StorageError) -> SourceFile {
        guard let top = root.directory else {
            return try SourceFile(opening: root.path, followLink: root.followLink)
        }
        let names = path.names.dropFirst(root.depth)
        guard let name = names.last else {
            throw .unusable(path: location, reason: "it is a directory, not a file")
        }
        if names.count > 1, let file = SourceFile(opening: names, below: top) { return file }
        return try SourceFile(
            opening: name.bytes, in: try root.openDirectory(path.names.dropLast()))
    }
}

/// A path that was named to be stored.
final class SourceRoot: Sendable {
    /// The path as it was named.
    let path: String
    /// The same from the root of the file system, without symbolic links.
    let absolutePath: [UInt8]
    /// The directory; nil for a file.
    let directory: Directory?
    /// Whether the path itself may be a symbolic link.
    let followLink: Bool
    /// How many names a path in the tree has before those below this root.
    let depth: Int

    init(_ path: String, directory: Directory?, followLink: Bool, depth: Int) {
        self.path = path
        self.directory = directory
        self.followLink = followLink
        self.depth = depth
        if let resolved = realpath(path, nil) {
            absolutePath = Array(String(cString: resolved).utf8)
            free(resolved)
        } else {
            absolutePath = Array(path.utf8)
        }
    }

    /// Where an entry of the tree was found, for messages.
    func location(of entry: RelativePath) -> String {
        var location = path
        for name in entry.names.dropFirst(depth) {
            if location.utf8.last != UInt8(ascii: "/") { location += "/" }
            location += name.description
        }
        return location
    }

    /// Opens a directory of the tree, name by name, so that no link is followed.
    func openDirectory(_ names: ArraySlice<FileName>) throws(StorageError) -> Directory {
        guard var directory else { throw .unusable(path: path, reason: "it is not a directory") }
        for name in names.dropFirst(depth) { directory = try directory.directory(name.bytes) }
        return directory
    }
}
