import Glibc

/// Writes small files durably with the fewest system calls that POSIX allows: the floor for a ref move.
enum DurableFiles {
    /// A failed system call.
    struct Failure: Error {
        let call: String
        let code: Int32
    }

    /// Writes 200-byte files, each durable before the next: create, write, sync, rename, directory sync.
    static func write(_ count: Int, into directory: String, from first: Int) throws {
        let folder = try check("open", open(directory, O_RDONLY | O_DIRECTORY))
        defer { close(folder) }
        let bytes = [UInt8](repeating: 0x61, count: 200)
        for index in first..<(first + count) {
            let temporary = "\(directory)/.new-\(index)"
            let file = try check("open", open(temporary, O_WRONLY | O_CREAT | O_EXCL, 0o644))
            _ = try check("write", Int32(Glibc.write(file, bytes, bytes.count)))
            _ = try check("fsync", fsync(file))
            close(file)
            _ = try check("rename", rename(temporary, "\(directory)/\(index)"))
            _ = try check("fsync", fsync(folder))
        }
    }

    private static func check(_ call: String, _ result: Int32) throws -> Int32 {
        guard result >= 0 else { throw Failure(call: call, code: errno) }
        return result
    }
}
