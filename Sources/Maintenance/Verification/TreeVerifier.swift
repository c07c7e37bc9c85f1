public import Objects
internal import Refs
public import Storage

/// Verifies whole trees: every directory is canonical, and every entry exists and has the size that its directory
/// states.
///
/// It reads a directory only once, even if several trees share it.
public struct TreeVerifier {
    /// Damage at one path below a tree.
    public struct Damage: Sendable {
        /// The path from the root of the tree; empty for the tree itself.
        public let path: RelativePath
        /// The error that reading the path throws.
        public let error: ObjectError
    }

    /// The result for a tree and everything below it.
    private struct Known {
        var size = 0
        var files = 0
        var bytes = 0
        /// The length of the longest path below it in bytes.
        var longestPath = 0
        var damage: [Damage] = []
    }

    private let store: PackStore
    private let damaged: [ObjectID: ObjectError]
    private var known: [ObjectID: Known] = [:]

    /// The most problems that are listed for one tree.
    private static let damageLimit = 1000
    /// The deepest nesting: any deeper path would be too long.
    private static let depthLimit = RelativePath.byteLimit / 2 + 1

    /// Makes a verifier; `damaged` lists unreadable objects and their errors.
    public init(_ store: PackStore, damaged: [ObjectID: ObjectError]) {
        self.store = store
        self.damaged = damaged
    }

    /// Lists the damage of a tree, up to a limit; empty for a sound one.
    ///
    /// - Parameters:
    ///   - files: The number of files that the snapshot states.
    ///   - bytes: The total size of the files in bytes that the snapshot states.
    public mutating func check(_ root: ObjectID, files: Int, bytes: Int) -> [Damage] {
        let result = check(root, depth: 0)
        guard result.damage.isEmpty, result.files != files || result.bytes != bytes else {
            return result.damage
        }
        let reason =
            "it holds \(result.files) files of \(result.bytes) bytes, but its snapshot states "
            + "\(files) of \(bytes)"
        return [Self.damage(.malformed(root, as: "tree", reason: reason, offset: nil))]
    }

    private static func damage(_ error: ObjectError) -> Damage {
        Damage(path: .root, error: error)
    }

    private mutating func check(_ id: ObjectID, depth: Int) -> Known {
        if let known = known[id] { return known }
        var result = Known()
        do throws(ObjectError) {
            if let error = damaged[id] { throw error }
            guard depth < Self.depthLimit else { throw Self.tooDeep(id) }
            let bytes = try store.readChecksummed(id, limit: structuredObjectLimit)
            let tree = try Tree(decoding: bytes, id: id)
            result.size = bytes.count
            for entry in tree.entries { try add(entry, of: id, depth: depth, to: &result) }
        } catch { result.damage.append(Self.damage(error)) }
        known[id] = result
        return result
    }

    private mutating func add(
        _ entry: TreeEntry, of id: ObjectID, depth: Int, to result: inout Known
    ) throws(ObjectError) {
        var below = Known(files: 1, bytes: entry.size)
        if entry.mode == .directory {
            below = check(entry.id, depth: depth + 1)
            if below.damage.isEmpty, below.size != entry.size {
                below.damage = [wrongSize(entry, below.size, "tree")]
            }
        } else if let error = error(of: entry) {
            below.damage = [error]
        }
        let path = entry.name.bytes.count + (below.longestPath > 0 ? below.longestPath + 1 : 0)
        let (files, manyFiles) = result.files.addingReportingOverflow(below.files)
        let (bytes, manyBytes) = result.bytes.addingReportingOverflow(below.bytes)
        guard path <= RelativePath.byteLimit, !manyFiles, !manyBytes else {
            throw Self.tooDeep(id)
        }
        (result.files, result.bytes) = (files, bytes)
        result.longestPath = max(result.longestPath, path)
        for damage in below.damage.prefix(Self.damageLimit - result.damage.count) {
            // Paths that are too long were refused above.
            let path = (try? RelativePath([entry.name] + damage.path.names)) ?? damage.path
            result.damage.append(Damage(path: path, error: damage.error))
        }
    }

    private func error(of entry: TreeEntry) -> Damage? {
        if let error = damaged[entry.id] { return Self.damage(error) }
        do throws(ObjectError) {
            guard let size = try store.size(of: entry.id) else {
                return Self.damage(.missing(entry.id))
            }
            return size == entry.size ? nil : wrongSize(entry, size, "file")
        } catch { return Self.damage(error) }
    }

    private func wrongSize(_ entry: TreeEntry, _ size: Int, _ kind: String) -> Damage {
        Self.damage(
            .malformed(
                entry.id, as: kind,
                reason: "it has \(size) bytes, but its directory states \(entry.size)", offset: nil)
        )
    }

    private static func tooDeep(_ id: ObjectID) -> ObjectError {
        .malformed(
            id, as: "tree", reason: "a path below it is too long, or it holds too much", offset: nil
        )
    }
}
