internal import Glibc

/// A file of the user's, opened to be stored.
///
/// Reads of a regular file take an offset, so several threads may read at once.
public final class InputFile: Blob {
    private let descriptor: FileDescriptor
    private let opened: FileStatus

    /// Opens a file.
    ///
    /// - Parameters:
    ///   - followLink: Whether the last component of the path may be a symbolic link.
    ///   - mayBePipe: Whether to accept a pipe, too; opening it then blocks until it has a writer.
    /// - Throws: `unusable` for anything else, without blocking.
    public convenience init(
        opening path: String, followLink: Bool = false, mayBePipe: Bool = false
    ) throws(StorageError) {
        do throws(StorageError) {
            let flags = mayBePipe ? Self.flags & ~O_NONBLOCK : Self.flags
            try self.init(
                try FileDescriptor(opening: path, flags, followLink: followLink),
                mayBePipe: mayBePipe)
        } catch {
            throw Self.explain(error, path)
        }
    }

    /// Opens an input; only an open descriptor of the process, such as `/dev/stdin`, may be a pipe.
    ///
    /// - Throws: `unusable` for anything else.
    public convenience init(openingInput path: String, followLink: Bool) throws(StorageError) {
        let isDescriptor = InputRoot.isDescriptor(path)
        // Opening a pipe of another name could block forever.
        var isPipe = false
        if isDescriptor { isPipe = try FileStatus(of: path, followLink: true).kind == .pipe }
        try self.init(
            opening: path, followLink: followLink || isDescriptor, mayBePipe: isPipe)
    }

    /// Opens an entry of a directory.
    convenience init(opening name: [UInt8], in directory: Directory) throws(StorageError) {
        do throws(StorageError) {
            try self.init(try directory.open(name, Self.flags))
        } catch {
            throw Self.explain(error, directory.path(of: name))
        }
    }

    /// Opens a file several levels below a directory with one system call; nil when that fails for any reason, such as
    /// a symbolic link on the way.
    convenience init?(opening names: [[UInt8]], below directory: Directory) {
        guard let descriptor = directory.openBelow(names, Self.flags) else { return nil }
        try? self.init(descriptor)
    }

    private init(
        _ descriptor: consuming FileDescriptor, mayBePipe: Bool = false
    ) throws(StorageError) {
        self.descriptor = descriptor
        opened = try self.descriptor.status()
        guard opened.kind == .regular || mayBePipe && opened.kind == .pipe else {
            throw .unusable(
                path: self.descriptor.path, reason: "it is \(opened.kind), not a file")
        }
    }

    private static let flags = O_RDONLY | O_NONBLOCK | O_NOCTTY

    private static func explain(_ error: StorageError, _ path: String) -> StorageError {
        switch error {
        case .system(_, _, ELOOP): .unusable(path: path, reason: "it is a symbolic link")
        case .system(_, _, ENXIO): .unusable(path: path, reason: "it is a socket or a device")
        default: error
        }
    }

    /// The time of the last write before it was opened, in milliseconds since 1970.
    public var modifiedMilliseconds: Int {
        let (quotient, rest) = opened.modified.quotientAndRemainder(dividingBy: 1_000_000)
        return rest < 0 ? quotient - 1 : quotient
    }

    /// The path, for messages.
    public var path: String { descriptor.path }

    /// Whether ``size`` is meaningless: a pipe has no size, and files of the kernel and of some network file systems
    /// claim to be empty.
    public func isUnsized() throws(StorageError) -> Bool {
        guard opened.kind == .regular else { return true }
        guard opened.size == 0 else { return false }
        return try !descriptor.read(at: 0, upTo: 1).isEmpty
    }

    /// Reads to the end in parts, without relying on the size; a pipe can be read only once.
    public func forEachPart<Failure: Error>(
        _ body: ([UInt8]) throws(Failure) -> Void, failing: (StorageError) -> Failure
    ) throws(Failure) {
        var offset = 0
        while true {
            let part: [UInt8]
            do throws(StorageError) {
                part =
                    opened.kind == .pipe
                    ? try descriptor.readNext(upTo: Self.partSize)
                    : try descriptor.read(at: offset, upTo: Self.partSize)
            } catch { throw failing(error) }
            guard !part.isEmpty else { return }
            offset += part.count
            try body(part)
        }
    }

    private static let partSize = 1 << 20

    /// The size in bytes when it was opened.
    public var size: Int { opened.size }

    /// The state of the file when it was opened.
    public var version: FileVersion { FileVersion(opened) }

    /// Whether its owner may execute it.
    public var isExecutable: Bool { opened.isExecutable }

    /// Reads exactly `count` bytes from `offset`.
    ///
    /// - Throws: `truncated` when the range does not lie inside ``size``; `changed` when the file has shrunk.
    public func read(at offset: Int, count: Int) throws(StorageError) -> [UInt8] {
        _ = try end(of: count, from: offset, path: path)
        let bytes = try descriptor.read(at: offset, upTo: count)
        guard bytes.count == count else { throw .changed(path: path) }
        return bytes
    }

    /// Fills a buffer from `offset`, up to ``size`` at most, and returns the number of bytes read.
    ///
    /// - Throws: `changed` when the file has shrunk.
    public func read(at offset: Int, into bytes: inout [UInt8]) throws(StorageError) -> Int {
        let expected = max(0, min(bytes.count, size - offset))
        let count = try descriptor.read(at: offset, into: &bytes)
        guard count >= expected else { throw .changed(path: path) }
        return expected
    }

    /// Throws `changed` when the size or a time of the file differs from when it was opened.
    public func checkUnchanged() throws(StorageError) {
        let now = try descriptor.status()
        guard now.size == opened.size, now.modified == opened.modified,
            now.changed == opened.changed
        else { throw .changed(path: path) }
    }
}

/// The metadata that identifies one state of a file without reading it: device, inode, mode, size and times.
///
/// The system sets ``changed`` at every change to the content or the attributes, and no program can choose its value.
/// So once a state is older than the clock's resolution, no later state can equal it.
public struct FileVersion: Hashable, Sendable {
    /// The device that the file is on.
    public let device: UInt64
    /// The inode number on that device.
    public let inode: UInt64
    /// The type and the permissions, as in `stat(2)`.
    public let mode: UInt32
    /// The size in bytes.
    public let size: Int
    /// The time of the last change to the content, in nanoseconds since 1970; programs can set it.
    public let modified: Int
    /// The time of the last change to the content or the attributes, in nanoseconds since 1970.
    public let changed: Int

    /// Makes a version from metadata, such as that of an earlier listing.
    public init(
        device: UInt64, inode: UInt64, mode: UInt32, size: Int, modified: Int, changed: Int
    ) {
        self.device = device
        self.inode = inode
        self.mode = mode
        self.size = size
        self.modified = modified
        self.changed = changed
    }

    init(_ status: FileStatus) {
        self.init(
            device: status.identity.device, inode: status.identity.inode, mode: status.mode,
            size: status.size, modified: status.modified, changed: status.changed)
    }

    /// Whether the owner may execute the file.
    public var isExecutable: Bool { mode & 0o100 != 0 }
}

/// The byte-order mark that some editors write before a UTF-8 text; it is not part of the text.
public enum ByteOrderMark {
    /// U+FEFF in UTF-8.
    public static let bytes: [UInt8] = [0xEF, 0xBB, 0xBF]

    /// Drops the mark when a text begins with one.
    public static func skipped(_ text: [UInt8]) -> [UInt8] {
        text.starts(with: bytes) ? Array(text.dropFirst(bytes.count)) : text
    }
}

/// A file or an empty directory to store.
public struct InputEntry: Sendable {
    /// The path in the tree.
    public let path: RelativePath
    /// The state of the file when it was listed; nil for an empty directory.
    public let version: FileVersion?
    private let root: InputRoot
    /// The names below the root; nil where they are the last names of ``path``.
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

    /// Whether it is an empty directory rather than a file.
    public var isDirectory: Bool { version == nil }

    /// The size in bytes when it was listed; 0 for a directory and for a file of unknown size.
    public var size: Int { version?.size ?? 0 }

    private var names: [[UInt8]] { found ?? path.names.dropFirst(root.depth).map(\.bytes) }

    /// The path where it was found, for messages.
    public var location: String { root.location(of: names) }

    /// The absolute path where it was found, without symbolic links.
    public var absolutePath: [UInt8] {
        Array(([root.absolutePath] + names).joined(separator: [0x2F]))
    }

    /// Opens the file.
    ///
    /// - Throws: `unusable` when it is no longer a file; `changed` when a link now leads to another file.
    public func open() throws(StorageError) -> InputFile {
        guard let top = root.directory else {
            let file = try InputFile(
                opening: root.path, followLink: root.followLink, mayBePipe: root.isDescriptor)
            if root.linkDepth > 0, let version,
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

/// A path that the user named, or the target of a link below one.
final class InputRoot: Sendable {
    /// The path as it was given.
    let path: String
    /// The absolute path without symbolic links.
    let absolutePath: [UInt8]
    /// The directory; nil for a file.
    let directory: Directory?
    /// Whether the path itself may be a symbolic link.
    let followLink: Bool
    /// The number of names at the beginning of a path in the tree that lead to this root.
    let depth: Int
    /// The number of names from the named directory to the link that leads here, the link's included; 0 for a path that
    /// the user named.
    let linkDepth: Int

    init(
        _ path: String, directory: Directory?, followLink: Bool, depth: Int, linkDepth: Int = 0
    ) {
        self.path = path
        self.directory = directory
        self.followLink = followLink
        self.depth = depth
        self.linkDepth = linkDepth
        absolutePath = resolvedPath(Array(path.utf8)).path ?? Array(path.utf8)
    }

    /// Whether the path names an open descriptor of the process, such as the shell's `<(command)`.
    var isDescriptor: Bool { Self.isDescriptor(path) }

    /// Whether a path names an open descriptor of the process.
    static func isDescriptor(_ path: String) -> Bool {
        path.utf8.elementsEqual("/dev/stdin".utf8)
            || ["/dev/fd/", "/proc/self/fd/"].contains { path.utf8.starts(with: $0.utf8) }
    }

    /// The path of an entry below this root, for messages.
    func location(of names: [[UInt8]]) -> String {
        var location = path
        for name in names {
            if location.utf8.last != UInt8(ascii: "/") { location += "/" }
            location += String(decoding: name, as: UTF8.self)
        }
        return location
    }

    /// Opens a directory below this root, name by name, so that it follows no link.
    func openDirectory(_ names: ArraySlice<[UInt8]>) throws(StorageError) -> Directory {
        guard var directory else { throw .unusable(path: path, reason: "it is not a directory") }
        for name in names { directory = try directory.directory(name) }
        return directory
    }
}
