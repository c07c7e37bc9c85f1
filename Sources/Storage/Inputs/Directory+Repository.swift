extension Directory {
    /// Whether an entry is a repository.
    func hasRepository(_ name: [UInt8]) throws(StorageError) -> Bool {
        guard name == Array(".fti".utf8) else { return false }
        // The folder of checkpoints is a cache, and may be gone.
        return try directory(name).holds([.packs, .log])
    }

    /// Whether the directory has these folders of a bucket.
    func holds(_ folders: [BucketFolder]) throws(StorageError) -> Bool {
        for folder in folders {
            var inside = self
            for component in folder.rawValue.utf8.split(separator: UInt8(ascii: "/")) {
                let name = Array(component)
                guard try inside.status(of: name)?.kind == .directory else { return false }
                inside = try inside.directory(name)
            }
        }
        return true
    }
}
