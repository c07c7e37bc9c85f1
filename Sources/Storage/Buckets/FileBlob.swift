internal import Glibc
internal import Synchronization

/// A blob in a file.
final class FileBlob: Blob {
    private let descriptor: FileDescriptor
    private let mapped = Mutex<MappedFile?>(nil)

    /// See ``Blob``.
    let size: Int

    /// Opens a blob, or gives nil when there is none.
    ///
    /// - Throws: `damaged` when something other than a file has the name.
    init?(opening name: [UInt8], in directory: Directory) throws(StorageError) {
        let path = directory.path(of: name)
        do {
            // Not waiting matters when a pipe stands in the place of a file.
            descriptor = try directory.open(name, O_RDONLY | O_NONBLOCK)
        } catch .system(_, _, ENOENT) {
            return nil
        } catch .system(_, _, ELOOP) {
            throw .damaged(path: path, reason: "it is a symbolic link, not a file")
        } catch .system(_, _, ENXIO) {
            throw .damaged(path: path, reason: "it is a socket or a device, not a file")
        } catch {
            throw error
        }
        let status = try descriptor.status()
        guard status.kind == .regular else {
            throw .damaged(path: path, reason: "it is \(status.kind.description), not a file")
        }
        size = status.size
    }

    /// See ``Blob``.
    func read(at offset: Int, count: Int) throws(StorageError) -> [UInt8] {
        let (end, overflow) = offset.addingReportingOverflow(count)
        guard offset >= 0, count >= 0, !overflow, end <= size else {
            throw .truncated(
                path: descriptor.path, expected: overflow ? Int.max : end, actual: size)
        }
        let bytes = try descriptor.read(at: offset, upTo: count)
        guard bytes.count == count else {
            throw .truncated(path: descriptor.path, expected: end, actual: offset + bytes.count)
        }
        return bytes
    }

    /// See ``Blob``.
    func map() -> MappedFile? {
        mapped.withLock { mapped in
            if mapped == nil { mapped = MappedFile(descriptor, count: size) }
            return mapped
        }
    }

    /// All bytes, if there are no more than `limit` of them.
    func readAll(limit: Int) throws(StorageError) -> [UInt8] {
        guard size <= limit else {
            throw .tooLarge(path: descriptor.path, size: size, limit: limit)
        }
        return try read(at: 0, count: size)
    }
}
