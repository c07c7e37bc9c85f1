import CommandSupport
import Objects
import Refs

/// One side of a comparison.
struct Comparand {
    /// What there is to compare.
    enum Content {
        case table(Table)
        case tree(ObjectID)
        case file(TreeEntry)
        case row(TableRow)

        var noun: String {
            switch self {
            case .table: "table"
            case .tree: "tree"
            case .file: "file"
            case .row: "row"
            }
        }
    }

    let content: Content
    /// The snapshot, when all of one is compared.
    let snapshot: Snapshot?

    init(_ text: String, in repository: OpenRepository) throws {
        let resolution = try repository.resolve(text)
        switch resolution.target {
        case .snapshot(let id):
            let snapshot = try repository.snapshot(id)
            self.snapshot = snapshot
            switch snapshot.content {
            case .tree(let root, _, _): content = .tree(root)
            case .table(let root, let rows, let dimension):
                content = .table(Table(root: root, rows: rows, dimension: dimension))
            }
        case .entry(let entry):
            snapshot = nil
            content = entry.mode == .directory ? .tree(entry.id) : .file(entry)
        case .row(let key):
            snapshot = nil
            let row = try repository.row(key, of: resolution)
            content = .row(row)
        case .object(let id): throw RefError.revision(.notASnapshot(id))
        }
    }
}
