import CommandSupport
import Glibc
import Storage

/// A small file of the user's that is read or written as a whole.
enum LocalFile {
    /// The bytes of a file.
    static func read(_ path: String, limit: Int) throws -> [UInt8] {
        let file = try SourceFile(opening: path, followLink: true)
        guard file.size <= limit else {
            throw StorageError.unusable(
                path: path, reason: "it has \(file.size) bytes, more than \(limit)")
        }
        return try file.read(at: 0, count: file.size)
    }

    /// Replaces a file at once: a reader sees the old bytes or the new ones.
    static func write(_ path: String, _ bytes: [UInt8]) throws(StorageError) {
        let temporary = "\(path).\(getpid()).tmp"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else {
            throw .system(operation: "write", path: path, errno: errno)
        }
        let written = bytes.withUnsafeBytes { buffer in
            var done = 0
            while done < buffer.count {
                let count = Glibc.write(
                    descriptor, buffer.baseAddress?.advanced(by: done), buffer.count - done)
                if count > 0 { done += count } else if errno != EINTR { return false }
            }
            return fsync(descriptor) == 0
        }
        let code = errno
        close(descriptor)
        guard written, rename(temporary, path) == 0 else {
            let failure = written ? errno : code
            unlink(temporary)
            throw .system(operation: "write", path: path, errno: failure)
        }
    }
}
