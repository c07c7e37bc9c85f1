internal import Objects
public import Refs
internal import Storage

/// What a person asks to answer from.
public enum Selection: Sendable {
    /// Two revisions, resolved in one state of the log.
    case revisions(features: String, model: String)
    /// What a release binds, by a revision of the release.
    case release(String)
    /// The versions of a lock file.
    case pinned(LockFile, path: String)

    /// Reads a lock file.
    ///
    /// - Throws: `storage`, `pin`.
    public static func pinned(by path: String) throws(InferenceError) -> Selection {
        let bytes = try wrapping(as: InferenceError.storage) { () throws(StorageError) in
            try LocalFile.read(path, limit: LockFile.byteLimit)
        }
        do {
            return .pinned(try LockFile(decoding: bytes), path: path)
        } catch {
            throw .pin(path: path, reason: "\(error.path) \(error.reason)")
        }
    }
}
