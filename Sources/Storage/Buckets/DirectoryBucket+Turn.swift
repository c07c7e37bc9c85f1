extension DirectoryBucket {
    /// See ``Bucket``: a lock on the folder of the log, which nothing else locks.
    public func takeTurn() -> (any WriterTurn)? { log.locked().map { DirectoryTurn($0) } }
}

/// A turn that lasts as long as a directory is open.
private final class DirectoryTurn: WriterTurn {
    private let directory: Directory

    init(_ directory: Directory) { self.directory = directory }
}
