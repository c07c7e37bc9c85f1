/// What a snapshot is a version of: a directory of files or a table of rows.
public enum Content: Hashable, Sendable {
    /// A tree, with the number of files below it and the sum of their sizes in bytes.
    case tree(ObjectID, files: Int, bytes: Int)
    /// A table, with the number of its rows and the dimension of its vectors (0 for none).
    case table(ObjectID, rows: Int, dimension: Int)

    /// The identity of the tree or of the table's root node.
    public var id: ObjectID {
        switch self {
        case .tree(let id, _, _), .table(let id, _, _): id
        }
    }

    var json: JSON {
        switch self {
        case .tree(let id, let files, let bytes):
            [
                "type": "tree", "id": .string(id.hex), "files": .integer(files),
                "bytes": .integer(bytes),
            ]
        case .table(let id, let rows, let dimension):
            [
                "type": "table", "id": .string(id.hex), "rows": .integer(rows),
                "dimension": .integer(dimension),
            ]
        }
    }

    init(_ reader: inout JSONObjectReader) throws(JSONSchemaError) {
        let type = try reader.string("type")
        let id = try reader.objectID("id")
        switch type {
        case "tree":
            self = .tree(id, files: try reader.count("files"), bytes: try reader.count("bytes"))
        case "table":
            self = .table(
                id, rows: try reader.count("rows"), dimension: try reader.count("dimension"))
        default: throw reader.error("type", "must be tree or table")
        }
    }
}
