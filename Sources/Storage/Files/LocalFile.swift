internal import Glibc

/// A small file of the user's, outside of any repository, that is read or written as a whole.
public enum LocalFile {
    /// The text of a file, without a byte-order mark.
    ///
    /// - Throws: `unusable` when it is not a file, or has more than `limit` bytes.
    public static func read(_ path: String, limit: Int) throws(StorageError) -> [UInt8] {
        let file = try InputFile(opening: path, followLink: true)
        guard file.size <= limit else {
            throw .unusable(
                path: path, reason: "it has \(file.size) bytes, more than \(limit)")
        }
        return ByteOrderMark.skipped(try file.read(at: 0, count: file.size))
    }

    /// Replaces a file durably and at once: a reader sees the old bytes or the new ones.
    ///
    /// - Throws: `durabilityUnknown` when the new bytes are there and a power cut may yet undo that.
    public static func write(_ path: String, _ bytes: [UInt8]) throws(StorageError) {
        let (parent, name) = try Directory.split(path)
        let directory = try Directory(opening: parent, followLink: true)
        let file = try TemporaryFile(in: directory, permissions: 0o666)
        try file.descriptor.write(bytes.span, at: 0)
        try file.publish(replacing: name)
    }
}
