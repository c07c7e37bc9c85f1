internal import Glibc
internal import Synchronization

/// A file that is being written out. Dropping it before ``finish()`` leaves nothing behind.
public final class DestinationFile: Sendable {
    private let file: TemporaryFile
    private let name: FileName
    private let directory: Directory
    private let replaces: Bool
    private let end = Atomic<Int>(0)

    init(_ file: TemporaryFile, name: FileName, in directory: Directory, replaces: Bool) {
        self.file = file
        self.name = name
        self.directory = directory
        self.replaces = replaces
    }

    /// Where the file will be, for messages.
    public var path: String { directory.path(of: name.bytes) }

    /// The number of bytes that ``append(_:)`` has taken.
    public var size: Int { end.load(ordering: .relaxed) }

    /// Adds bytes at the end; pieces that several threads append come in no particular order.
    public func append(_ bytes: [UInt8]) throws(StorageError) {
        try append(bytes.span)
    }

    /// Adds bytes at the end; pieces that several threads append come in no particular order.
    public func append(_ bytes: Span<UInt8>) throws(StorageError) {
        let offset = end.wrappingAdd(bytes.count, ordering: .relaxed).oldValue
        try write(bytes, at: offset)
    }

    /// Writes bytes at an offset, from any thread; what nobody writes is zero.
    public func write(_ bytes: Span<UInt8>, at offset: Int) throws(StorageError) {
        do {
            try file.descriptor.write(bytes, at: offset)
        } catch .system(let operation, _, let code) {
            throw .system(operation: operation, path: path, errno: code)
        } catch {
            throw error
        }
    }

    /// Gives the file its name.
    ///
    /// - Throws: `unusable` when something is there that may not be replaced.
    public func finish() throws(StorageError) {
        if try file.place(as: name.bytes) { return }
        guard replaces else {
            throw .unusable(path: path, reason: "it is there already; --force replaces it")
        }
        do {
            try file.replace(name.bytes)
        } catch .system(_, _, EISDIR) {
            throw .unusable(path: path, reason: "it is a directory, and a file must be there")
        } catch {
            throw error
        }
    }
}
