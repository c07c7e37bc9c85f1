/// A file or an empty directory that is to be stored.
public struct InputEntry: Sendable {
    /// Where it goes in the tree.
    public let path: RelativePath
    /// The state of the file when it was listed; nil for an empty directory.
    public let version: FileVersion?
    private let root: InputRoot
    /// The names below the root where they are others than in the tree.
    private let found: [[UInt8]]?

    init(
        _ path: RelativePath, version: FileVersion?, below root: InputRoot,
        found: [[UInt8]]? = nil
    ) {
        self.path = path
        self.version = version
        self.root = root
        self.found = found
    }

    /// Whether it is an empty directory; a file otherwise.
    public var isDirectory: Bool { version == nil }

    /// The size in bytes when it was listed; 0 for a directory, and for what does not know its size.
    public var size: Int { version?.size ?? 0 }

    private var names: [[UInt8]] { found ?? path.names.dropFirst(root.depth).map(\.bytes) }

    /// Where it was found, for messages.
    public var location: String { root.location(of: names) }

    /// The bytes of the absolute path where it was found, without symbolic links.
    public var absolutePath: [UInt8] {
        Array(([root.absolutePath] + names).joined(separator: [0x2F]))
    }

    /// Opens the file.
    ///
    /// - Throws: `unusable` when it is not a file any more; `changed` when a link leads to another one.
    public func open() throws(StorageError) -> InputFile {
        guard let top = root.directory else {
            let file = try InputFile(
                opening: root.path, followLink: root.followLink, mayBePipe: root.isDescriptor)
            if root.isLinked, let version,
                file.version.inode != version.inode || file.version.device != version.device
            {
                throw .changed(path: location)
            }
            return file
        }
        let names = self.names
        guard let name = names.last else {
            throw .unusable(path: location, reason: "it is a directory, not a file")
        }
        if names.count > 1, let file = InputFile(opening: names, below: top) { return file }
        return try InputFile(opening: name, in: try root.openDirectory(names.dropLast()))
    }
}

/// A path that was named to be stored, or that a link in one leads to.
final class InputRoot: Sendable {
    /// The path as it was named.
    let path: String
    /// The same from the root of the file system, without symbolic links.
    let absolutePath: [UInt8]
    /// The directory; nil for a file.
    let directory: Directory?
    /// Whether the path itself may be a symbolic link.
    let followLink: Bool
    /// Whether a link in a directory leads here.
    let isLinked: Bool
    /// How many names a path in the tree has before those below this root.
    let depth: Int

    init(
        _ path: String, directory: Directory?, followLink: Bool, depth: Int, isLinked: Bool = false
    ) {
        self.path = path
        self.directory = directory
        self.followLink = followLink
        self.depth = depth
        self.isLinked = isLinked
        absolutePath = LinkScope.resolve(Array(path.utf8)).path ?? Array(path.utf8)
    }

    /// Whether the path stands for something that the process has open, such as what a shell makes of `<(command)`.
    var isDescriptor: Bool { Self.isDescriptor(path) }

    /// Whether a path stands for something that the process has open.
    static func isDescriptor(_ path: String) -> Bool {
        path.utf8.elementsEqual("/dev/stdin".utf8)
            || ["/dev/fd/", "/proc/self/fd/"].contains { path.utf8.starts(with: $0.utf8) }
    }

    /// Where something below was found, for messages.
    func location(of names: [[UInt8]]) -> String {
        var location = path
        for name in names {
            if location.utf8.last != UInt8(ascii: "/") { location += "/" }
            location += String(decoding: name, as: UTF8.self)
        }
        return location
    }

    /// Opens a directory below, name by name, so that no link is followed.
    func openDirectory(_ names: ArraySlice<[UInt8]>) throws(StorageError) -> Directory {
        guard var directory else { throw .unusable(path: path, reason: "it is not a directory") }
        for name in names { directory = try directory.directory(name) }
        return directory
    }
}
