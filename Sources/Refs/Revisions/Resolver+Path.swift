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
            for key in Self.keys(meantBy: path) {
                do throws(ObjectError) {
                    if try table.row(for: key, in: objects) != nil { return .row(key: key) }
                } catch { throw .objects(error) }
            }
            throw .revision(.noPath(path, of: id))
        }
    }

    /// The keys that a person may mean: the one that is typed; of a number the text that is spelled so; and what is
    /// shown with escapes, since a terminal would obey it.
    private static func keys(meantBy path: String) -> [String] {
        var keys = [path]
        if let text = RowKey.ofText(spelledAs: path) { keys.append(text) }
        if let shown = unescaped(path) { keys.append(shown) }
        return keys
    }

    /// A text in which escapes such as `\u{202e}` are the characters; nil where there are none.
    private static func unescaped(_ text: String) -> String? {
        var result = ""
        var rest = text[...]
        var found = false
        while let mark = rest.firstRange(of: "\\u{") {
            result += rest[..<mark.lowerBound]
            rest = rest[mark.upperBound...]
            guard let end = rest.firstIndex(of: "}"), rest[..<end].utf8.count <= 6,
                let value = UInt32(rest[..<end], radix: 16), let scalar = Unicode.Scalar(value)
            else {
                result += "\\u{"
                continue
            }
            result.unicodeScalars.append(scalar)
            rest = rest[rest.index(after: end)...]
            found = true
        }
        return found ? result + rest : nil
    }
}
