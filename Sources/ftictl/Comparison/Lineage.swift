import CommandSupport
import Objects
import Refs
import Storage

/// The snapshots that a snapshot was made from, or that were made from it, as a tree.
///
/// A parent, the previous version of a snapshot, is a leaf of the tree: `log` follows parents.
struct Lineage {
    /// A snapshot at one position in the tree.
    struct Node {
        let id: ObjectID
        /// Nil if it is a parent that was collected.
        let snapshot: Snapshot?
        /// Its role in the snapshot above, such as `dataset` or `parent`; with `isDown`, the role of the snapshot above
        /// in it.
        let role: String
        /// The snapshot above it; nil at the root.
        let above: ObjectID?
        let depth: Int
        /// Whether the tree already shows it, with everything below it.
        let isRepeated: Bool
    }

    /// The role of a parent.
    static let parentRole = "parent"

    private struct Link {
        let id: ObjectID
        let role: String

        var isParent: Bool { role.utf8.elementsEqual(Lineage.parentRole.utf8) }
    }

    let nodes: [Node]
    fileprivate let isDown: Bool

    /// Follows the inputs of a snapshot or, with `isDown`, the snapshots made from it.
    static func trace(
        _ root: ObjectID, isDown: Bool, in repository: OpenRepository
    ) throws -> Lineage {
        let users = isDown ? try users(in: repository) : [:]
        var nodes: [Node] = []
        var seen: Set<ObjectID> = []
        var pending: [(link: Link, above: ObjectID?, depth: Int)] = [
            (Link(id: root, role: ""), nil, 0)
        ]
        while let (link, above, depth) = pending.popLast() {
            let isLeaf = link.isParent
            let snapshot =
                try isLeaf ? repository.snapshotIfThere(link.id) : repository.snapshot(link.id)
            let isNew = isLeaf || seen.insert(link.id).inserted
            nodes.append(
                Node(
                    id: link.id, snapshot: snapshot, role: link.role, above: above, depth: depth,
                    isRepeated: !isNew))
            guard isNew, !isLeaf, let snapshot else { continue }
            let links = isDown ? users[link.id] ?? [] : links(of: snapshot)
            for next in links.reversed() { pending.append((next, link.id, depth + 1)) }
        }
        return Lineage(nodes: nodes, isDown: isDown)
    }

    /// The inputs of a snapshot, then its parents.
    private static func links(of snapshot: Snapshot) -> [Link] {
        snapshot.inputs.sorted { $0.key < $1.key }.map { Link(id: $0.value, role: $0.key) }
            + snapshot.parents.map { Link(id: $0, role: parentRole) }
    }

    /// For each snapshot, the snapshots that name it as an input or a parent, among those that any ref ever pointed at
    /// and all their inputs and parents.
    private static func users(in repository: OpenRepository) throws -> [ObjectID: [Link]] {
        var users: [ObjectID: [Link]] = [:]
        var seen: Set<ObjectID> = []
        var pending: [ObjectID] = []
        var entries = repository.repository.log.entries()
        for number in stride(from: repository.state.number, through: 0, by: -1) {
            pending += try entries.entry(number).changes.compactMap(\.new)
        }
        while let id = pending.popLast() {
            guard seen.insert(id).inserted else { continue }
            guard let snapshot = try repository.snapshotIfThere(id) else { continue }
            for link in links(of: snapshot) {
                users[link.id, default: []].append(Link(id: id, role: link.role))
                pending.append(link.id)
            }
        }
        return users.mapValues { links in
            links.sorted { ($0.isParent ? 1 : 0, $0.id) < ($1.isParent ? 1 : 0, $1.id) }
        }
    }

    /// A Graphviz graph with an arrow from each snapshot to what was made from it.
    func dot(_ labels: RefLabels) -> [String] {
        var lines = ["digraph lineage {", "  rankdir=LR;", "  node [shape=box];"]
        var declared: Set<ObjectID> = []
        for node in nodes where declared.insert(node.id).inserted {
            var label = "\(node.snapshot?.kind.rawValue ?? "collected") \(node.id.short)"
            if let ref = labels[node.id] { label += "\\n\(ref)" }
            lines.append("  \"\(node.id.short)\" [label=\"\(label)\"];")
        }
        for node in nodes {
            guard let above = node.above else { continue }
            let (from, to) = isDown ? (above, node.id) : (node.id, above)
            let role = JSON.string(node.role).canonicalText
            lines.append("  \"\(from.short)\" -> \"\(to.short)\" [label=\(role)];")
        }
        return lines + ["}"]
    }
}

extension Lineage.Node {
    /// A line of `lineage --json`.
    ///
    /// - Parameter origin: The row or file that the command names; only for the root.
    func json(_ labels: RefLabels, origin: PartOrigin?) -> JSON {
        [
            "id": .id(id), "kind": snapshot.map { .string($0.kind.rawValue) } ?? .null,
            "role": .string(role), "of": .id(above), "depth": .integer(depth),
            "ref": labels[id].map { .string($0) } ?? .null,
            "created": snapshot.map { .string($0.created.description) } ?? .null,
            "message": snapshot.map { .string($0.message) } ?? .null,
            "path": origin.map { .string($0.path) } ?? .null, "since": .id(origin?.since),
        ]
    }
}

/// The version since which a row or a file has been unchanged.
struct PartOrigin {
    /// The key of the row, or the path of the file.
    let path: String
    /// `row`, `file` or `directory`.
    let noun: String
    /// The oldest version with the same part, following first parents without a gap.
    let since: ObjectID
    /// Whether the version that introduced the part was found; false if the search ended at its limit or at a collected
    /// version.
    let isKnown: Bool

    /// The most versions that are searched.
    private static let depth = 1000

    /// Follows the first parents of a snapshot as long as they have the same part.
    static func find(
        _ target: Resolution.Target, path: String, of id: ObjectID, in repository: OpenRepository
    ) throws -> PartOrigin {
        var path = path
        let noun: String
        switch target {
        case .row(let key):
            noun = "row"
            // The path may spell the key differently, such as a number without quotes.
            path = key
        case .entry(let entry): noun = entry.mode == .directory ? "directory" : "file"
        case .snapshot, .object: noun = "object"
        }
        let part = try Part(path, of: try repository.snapshot(id), in: repository)
        var since = id
        var isKnown = false
        for _ in 0..<depth {
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
        return PartOrigin(path: path, noun: noun, since: since, isKnown: isKnown)
    }

    private struct Part: Equatable {
        var row: TableRow?
        var entry: TreeEntry?

        init(_ path: String, of snapshot: Snapshot, in repository: OpenRepository) throws {
            let objects = try repository.objects
            switch snapshot.content {
            case .table: row = try snapshot.content.table?.row(for: path, in: objects)
            case .tree(let root, _, _):
                // The path of a directory may end in a slash.
                let name = path.utf8.last == UInt8(ascii: "/") ? String(path.dropLast()) : path
                if let place = try? RelativePath(name) {
                    entry = try TreeReader(objects).entry(at: place, in: root)
                }
            }
        }
    }
}

/// Draws a lineage for people.
struct LineageView {
    let style: Style
    let now: Timestamp
    let labels: RefLabels

    /// The line about the row or file that the command names.
    func line(_ origin: PartOrigin) -> String {
        let label = labels[origin.since].map { " \(style.cyan($0))" } ?? ""
        return "\(origin.noun) \(style.bold(origin.path.printable())), unchanged since "
            + (origin.isKnown ? "" : "at least ") + style.yellow(origin.since.short) + label
    }

    func lines(_ nodes: [Lineage.Node]) -> [String] {
        var lines: [String] = []
        // Lines are drawn from the last one up. For each level, whether a node further down has the same parent.
        var goesOn: [Bool] = []
        for node in nodes.reversed() {
            let depth = node.depth
            if goesOn.count > depth + 1 { goesOn.removeSubrange((depth + 1)...) }
            while goesOn.count <= depth { goesOn.append(false) }
            lines.append(branches(depth, goesOn) + describe(node))
            goesOn[depth] = true
        }
        return lines.reversed()
    }

    /// `│  └─ `: a rail for each level that continues below this line.
    private func branches(_ depth: Int, _ goesOn: [Bool]) -> String {
        guard depth > 0 else { return "" }
        let rails = (1..<max(depth, 1)).map { goesOn[$0] ? "│  " : "   " }.joined()
        return style.dim(rails + (goesOn[depth] ? "├─ " : "└─ "))
    }

    private func describe(_ node: Lineage.Node) -> String {
        var parts: [String] = []
        if !node.role.isEmpty { parts.append(style.bold(node.role.printable())) }
        if let snapshot = node.snapshot { parts.append(style.magenta(snapshot.kind.rawValue)) }
        parts.append(style.yellow(node.id.short))
        if let label = labels[node.id] { parts.append(style.cyan(label)) }
        if node.isRepeated {
            parts.append(style.dim("(shown above)"))
            return parts.joined(separator: " ")
        }
        guard let snapshot = node.snapshot else {
            parts.append(style.dim("collected"))
            return parts.joined(separator: " ")
        }
        let message = snapshot.message.firstLine
        if !message.isEmpty { parts.append(message.truncated(to: 60)) }
        parts.append(style.dim(Quantity.age(of: snapshot.created, at: now)))
        return parts.joined(separator: " ")
    }
}
