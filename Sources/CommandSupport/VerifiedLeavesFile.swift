public import Objects
internal import Storage

/// Where this user's programs keep which leaves of tables they have verified, so that a table is read whole once and not
/// at every opening.
public struct VerifiedLeavesFile: Sendable {
    /// What is known, and is told of what is verified.
    public let leaves: VerifiedLeaves
    private let file: CacheFile?

    fileprivate init(_ path: String?, now: Timestamp) throws(ObjectError) {
        file = path.map { CacheFile($0) }
        leaves = try VerifiedLeaves(
            file?.read(limit: VerifiedLeaves.byteLimit, isSecret: true), moment: now)
    }

    /// Writes what is new. A file that cannot be written costs time, nothing else.
    public func save() {
        if let bytes = leaves.encoded() { try? file?.replace(bytes) }
    }
}

extension CommandContext {
    /// What was verified of the repository in a place: `$XDG_CACHE_HOME/fti/<place>.leaves`, else below `~/.cache`.
    public func verifiedLeaves(of path: String) throws -> VerifiedLeavesFile {
        try VerifiedLeavesFile(cachePath(of: path, ending: "leaves"), now: now)
    }
}

extension CommandContext {
    /// Where what is derived from the repository in a place is kept: `$XDG_CACHE_HOME/fti/<place>.<ending>`, else below
    /// `~/.cache`; nil where there is no such folder.
    public func cachePath(of path: String, ending: String) -> String? {
        let name = environment.nameOfPlace(path)
        return UserFolder.cache.path(environment).map { "\($0)/\(name).\(ending)" }
    }
}
