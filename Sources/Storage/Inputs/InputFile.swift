internal import Glibc

/// A file of the user's, opened to be stored.
///
/// Reading names its offsets, so any number of threads may read at once.
public final class InputFile: Blob {
    private let descriptor: FileDescriptor
    private let opened: FileStatus

    /// Opens a file.
    ///
    /// - Parameters:
    ///   - followLink: Whether the last component of the path may be a symbolic link.
    ///   - mayBePipe: Whether a pipe is a file, too, which is then waited for.
    /// - Throws: `unusable` for anything but a file, at once even for a pipe that nobody writes to.
    public convenience init(
        opening path: String, followLink: Bool = false, mayBePipe: Bool = false
    ) throws(StorageError) {
        do {
            let flags = mayBePipe ? Self.flags & ~O_NONBLOCK : Self.flags
            try self.init(
                try FileDescriptor(opening: path, flags, followLink: followLink),
                mayBePipe: mayBePipe)
        } catch {
            throw Self.explain(error, path)
        }
    }

    /// Opens a file that is named as an input: what the process has open, such as `/dev/stdin`, may be a pipe.
    ///
    /// - Throws: `unusable` for anything but a file.
    public convenience init(openingInput path: String, followLink: Bool) throws(StorageError) {
        let isDescriptor = InputRoot.isDescriptor(path)
        // A pipe of another name would be waited for without end.
        var isPipe = false
        if isDescriptor { isPipe = try FileStatus(of: path, followLink: true).kind == .pipe }
        try self.init(
            opening: path, followLink: followLink || isDescriptor, mayBePipe: isPipe)
    }

    /// Opens an entry of a directory.
    convenience init(opening name: [UInt8], in directory: Directory) throws(StorageError) {
        do {
            try self.init(try directory.open(name, Self.flags))
        } catch {
            throw Self.explain(error, directory.path(of: name))
        }
    }

    /// Opens a file some directories below another in one call; nil where that cannot be done for any reason, a
    /// symbolic link on the way among them.
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
                path: self.descriptor.path, reason: "it is \(opened.kind.description), not a file")
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

    /// When it was last written to before it was opened, in milliseconds since 1970.
    public var modifiedMilliseconds: Int {
        let (quotient, rest) = opened.modified.quotientAndRemainder(dividingBy: 1_000_000)
        return rest < 0 ? quotient - 1 : quotient
    }

    /// The path, for messages.
    public var path: String { descriptor.path }

    /// Whether its size says nothing: a pipe has none, and files of the kernel and of some network file systems claim
    /// to be empty and are not.
    public func isUnsized() throws(StorageError) -> Bool {
        guard opened.kind == .regular else { return true }
        guard opened.size == 0 else { return false }
        return try !descriptor.read(at: 0, upTo: 1).isEmpty
    }

    /// Reads from the beginning to the end, whatever the size says, a part at a time; of a pipe once only.
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
    /// - Throws: `truncated` when the range does not lie inside ``size``; `changed` when the file has
    ///   become too short for it.
    public func read(at offset: Int, count: Int) throws(StorageError) -> [UInt8] {
        guard offset >= 0, count >= 0, offset <= size, count <= size - offset else {
            throw .truncated(path: path, expected: offset &+ count, actual: size)
        }
        let bytes = try descriptor.read(at: offset, upTo: count)
        guard bytes.count == count else { throw .changed(path: path) }
        return bytes
    }

    /// Reads from `offset` into a buffer, as much as it holds or as there is up to ``size``.
    ///
    /// - Returns: The number of bytes read.
    /// - Throws: `changed` when the file has become too short for that.
    public func read(at offset: Int, into bytes: inout [UInt8]) throws(StorageError) -> Int {
        let expected = max(0, min(bytes.count, size - offset))
        let count = try descriptor.read(at: offset, into: &bytes)
        guard count >= expected else { throw .changed(path: path) }
        return expected
    }

    /// Checks that nobody has written to the file since it was opened.
    ///
    /// - Throws: `changed` when its size or one of its times differs.
    public func checkUnchanged() throws(StorageError) {
        let now = try descriptor.status()
        guard now.size == opened.size, now.modified == opened.modified,
            now.changed == opened.changed
        else { throw .changed(path: path) }
    }
}
