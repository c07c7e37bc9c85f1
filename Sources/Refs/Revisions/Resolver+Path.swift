internal import Objects
internal import Storage

extension Resolver {
    /// Finds a path in a snapshot's tree, or a key in its table.
    ///
    /// - Throws: `revision` when there is none, or the path is not possible in a tree; `objects`.
    func find(_ path: String, in id: ObjectID) throws(RefError) -> Resolution.Target {
        let snapshot = try read(id)
        let objects = try objects()
        switch snapshot.content {
        case .tree(let root, _, _):
            let relative: RelativePath
            // A directory is listed with a slash behind its name, and may be typed so.
            let namesDirectory = path.utf8.count > 1 && path.utf8.last == UInt8(ascii: "/")
            do throws(FileNameError) {
                relative = try RelativePath(namesDirectory ? String(path.dropLast()) : path)
            } catch { throw .revision(.badPath(path, reason: error.reason)) }
            let entry: TreeEntry?
            do throws(ObjectError) {
                entry = try TreeReader(objects).entry(at: relative, in: root)
            } catch { throw .objects(error) }
            guard let entry, entry.mode == .directory || !namesDirectory else {
                throw .revision(.noPath(path, of: id))
            }
            return .entry(entry)
        case .table(let root, let rows, let dimension):
            let table = Table(root: root, rows: rows, dimension: dimension)
            let row: TableRow?
            do throws(ObjectError) {
                row = try table.row(for: path, in: objects)
            } catch { throw .objects(error) }
            guard row != nil else { throw .revision(.noPath(path, of: id)) }
            return .row(key: path)
        }
    }
}
