internal import Storage

/// A file of the user's that is read as a whole: never a part of it.
enum WholeFile {
    /// The text of a file, without a byte-order mark.
    ///
    /// - Throws: `configuration` when it is larger than it may be; `storage`.
    static func read(_ path: String, limit: Int) throws(TrainingError) -> [UInt8] {
        let file = try Wrapping.storage { () throws(StorageError) in
            try InputFile(opening: path, followLink: true)
        }
        guard file.size <= limit else {
            throw .configuration(
                path: path, reason: "it has \(file.size) bytes, more than the \(limit) allowed")
        }
        return try Wrapping.storage { () throws(StorageError) in
            ByteOrderMark.skipped(try file.read(at: 0, count: file.size))
        }
    }
}
