import Objects
import Storage

/// A file that runs code when it is loaded, whatever its name says.
struct PickledFile {
    let path: String
    let format: FileFormat

    /// Files of one snapshot that are looked into.
    private static let fileLimit = 64

    /// Those among the first files of a snapshot.
    static func all(of snapshot: Snapshot, in objects: PackStore) throws -> [PickledFile] {
        guard case .tree(let root, _, _) = snapshot.content else { return [] }
        // A tree can name one directory at any number of paths.
        var walk = try TreeWalk(root, in: objects, visiting: .eachDirectoryOnce)
        var found: [PickledFile] = []
        var seen = 0
        while seen < fileLimit, let element = try walk.next() {
            guard element.entry.mode != .directory else { continue }
            seen += 1
            let format = try FileFormat.detect(element.entry.id, in: objects)
            guard format.runsCode else { continue }
            found.append(PickledFile(path: element.path.description, format: format))
        }
        return found
    }

    var json: JSON { ["path": .string(path), "format": .string(format.rawValue)] }
}
