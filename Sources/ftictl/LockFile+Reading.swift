import CommandSupport
import Objects
import Refs
import Storage

extension LockFile {
    /// The name that a lock file has unless another is given.
    static let usualName = "fti.lock"

    /// Reads the lock file at a path.
    ///
    /// - Parameter edited: Whether a file is read too that says something else than when it was written.
    /// - Throws: `usage` when it is none; ``StorageError`` when it cannot be read.
    init(at path: String, edited: Bool = false) throws {
        let bytes = try LocalFile.read(path, limit: Self.byteLimit)
        do throws(JSONSchemaError) { self = try LockFile(decoding: bytes, edited: edited) } catch {
            throw CommandError.usage(
                "\(path) is no lock file that can be used: \(error.path) \(error.reason)",
                remedy: "ftictl pin REV... -o \(Self.usualName) writes one")
        }
    }
}
