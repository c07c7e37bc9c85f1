import Objects
import Refs
import Storage

/// Since which version a row or a file is what it is.
struct PartOrigin {
    /// The key of the row, or the path of the file.
    let path: String
    /// `row`, `file` or `directory`.
    let noun: String
    /// The oldest version, of the unbroken line of first parents, that has it so.
    let since: ObjectID
    /// Whether the line was followed to where the part was made; false when it is longer than what is looked at, or
    /// a version before was collected.
    let isKnown: Bool

    /// Versions that are looked at.
    private static let depth = 1000

    /// Follows the parents of a snapshot for as long as they have the same part.
    init(_ target: Resolution.Target, path: String, of id: ObjectID, in repository: OpenRepository)
        throws
    {
        var path = path
        switch target {
        case .row(let key):
            noun = "row"
            // A number may have been typed for the text that is spelled so.
            path = key
        case .entry(let entry): noun = entry.mode == .directory ? "directory" : "file"
        case .snapshot, .object: noun = "object"
        }
        self.path = path
        let part = try Part(path, of: try repository.snapshot(id), in: repository)
        var since = id
        var isKnown = false
        for _ in 0..<Self.depth {
            guard let parent = try repository.snapshot(since).parents.first else {
                isKnown = true
                break
            }
            guard let before = try repository.snapshotIfThere(parent) else { break }
            guard try Part(path, of: before, in: repository) == part else {
                isKnown = true
                break
            }
            since = parent
        }
        self.since = since
        self.isKnown = isKnown
    }

    private struct Part: Equatable {
        var row: TableRow?
        var entry: TreeEntry?

        init(_ path: String, of snapshot: Snapshot, in repository: OpenRepository) throws {
            let objects = try repository.objects
            switch snapshot.content {
            case .table(let root, let rows, let dimension):
                let table = Table(root: root, rows: rows, dimension: dimension)
                row = try table.row(for: path, in: objects)
            case .tree(let root, _, _):
                // A directory may be typed with a slash behind its name.
                let name = path.utf8.last == UInt8(ascii: "/") ? String(path.dropLast()) : path
                if let place = try? RelativePath(name) {
                    entry = try TreeReader(objects).entry(at: place, in: root)
                }
            }
        }
    }
}
