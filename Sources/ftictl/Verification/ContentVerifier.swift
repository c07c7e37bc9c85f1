import Objects
import Refs
import Storage

/// Follows snapshots to everything that they hold, and says which of them damage affects.
struct ContentVerifier {
    /// What is wrong at one place below a snapshot.
    private struct Damage {
        let path: String
        let error: ObjectError
    }

    private let objects: PackStore
    /// Objects whose bytes were found to be damaged already.
    private let damaged: [ObjectID: ObjectError]
    private var contents: [ObjectID: [Damage]] = [:]
    private var seen: Set<ObjectID> = []

    init(objects: PackStore, damaged: [ObjectID: ObjectError]) {
        self.objects = objects
        self.damaged = damaged
    }

    /// Checks snapshots, and those that they were made from or succeed.
    ///
    /// - Parameters:
    ///   - roots: What must be whole, with what it was made from.
    ///   - history: What was needed once, as what `roots` succeed was: what of it is missing was collected.
    ///   - report: Called with each damage, the object or pack that it is in, and what it affects.
    mutating func verify(
        _ roots: [ObjectID], history: [ObjectID], name: (ObjectID) -> String,
        report: (_ error: ObjectError, _ affects: String) -> Void
    ) {
        var older = history
        follow(roots, parents: &older, name: name, report: report)
        var none: [ObjectID] = []
        while !older.isEmpty {
            follow(older, parents: &none, name: name) { error, affects in
                switch error {
                case .missing, .collected: break
                default: report(error, affects)
                }
            }
            older = none
            none = []
        }
    }

    /// Checks snapshots and those that they were made from, and gives those that they succeed.
    private mutating func follow(
        _ roots: [ObjectID], parents: inout [ObjectID], name: (ObjectID) -> String,
        report: (_ error: ObjectError, _ affects: String) -> Void
    ) {
        var pending = roots
        while let id = pending.popLast() {
            guard seen.insert(id).inserted else { continue }
            let label = name(id)
            let snapshot: Snapshot
            do throws(ObjectError) {
                if let error = damaged[id] { throw error }
                snapshot = try Snapshot(id, in: objects)
            } catch {
                report(error, label)
                continue
            }
            parents += snapshot.parents
            pending += snapshot.inputs.values
            var contents = [snapshot.content]
            if let cursor = snapshot.cursor { contents.append(cursor) }
            for damage in contents.flatMap({ check($0) }) {
                report(damage.error, damage.path.isEmpty ? label : "\(label):\(damage.path)")
            }
            if let space = snapshot.space, let error = absence(of: space) {
                report(error, label)
            }
        }
    }

    private func absence(of id: ObjectID) -> ObjectError? {
        if let error = damaged[id] { return error }
        do throws(ObjectError) { return try objects.size(of: id) == nil ? .missing(id) : nil } catch
        {
            return error
        }
    }

    private mutating func check(_ content: Content) -> [Damage] {
        if let known = contents[content.id] { return known }
        var result: [Damage] = []
        switch content {
        case .table(let root, let rows, let dimension):
            let table = Table(root: root, rows: rows, dimension: dimension)
            do throws(ObjectError) { try table.check(in: objects) } catch {
                result.append(Damage(path: "", error: error))
            }
        case .tree(let root, let files, let bytes):
            result = check(tree: root, files: files, bytes: bytes)
        }
        contents[content.id] = result
        return result
    }

    private func check(tree root: ObjectID, files: Int, bytes: Int) -> [Damage] {
        var result: [Damage] = []
        var count = 0
        var sum = 0
        do throws(ObjectError) {
            var walk = try TreeWalk(root, in: objects)
            while let element = try walk.next() {
                guard element.entry.mode != .directory else { continue }
                count += 1
                sum += element.entry.size
                if let error = damage(of: element.entry) {
                    result.append(Damage(path: element.path.description, error: error))
                }
            }
            guard count == files, sum == bytes else {
                throw .malformed(
                    root, as: "tree",
                    reason: "it holds \(count) files of \(sum) bytes, its snapshot says \(files) "
                        + "of \(bytes)", offset: nil)
            }
        } catch { result.append(Damage(path: "", error: error)) }
        return result
    }

    private func damage(of entry: TreeEntry) -> ObjectError? {
        if let error = damaged[entry.id] { return error }
        do throws(ObjectError) {
            guard let size = try objects.size(of: entry.id) else { return .missing(entry.id) }
            guard size == entry.size else {
                return .malformed(
                    entry.id, as: "file",
                    reason: "it has \(size) bytes, where its directory says \(entry.size)",
                    offset: nil)
            }
            return nil
        } catch { return error }
    }
}
