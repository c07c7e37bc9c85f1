import CommandSupport
import Objects
import Refs

/// The snapshots that one was made from, or that were made from it, as a tree.
///
/// The version that a snapshot succeeds, its parent, is a leaf of the tree: `log` follows those.
struct Lineage {
    /// A snapshot at one place of the tree.
    struct Node {
        let id: ObjectID
        /// Nil when it was collected, as parents may be.
        let snapshot: Snapshot?
        /// What it is for the snapshot above, such as `dataset`; with `isDown`, the other way around.
        let role: String
        /// The snapshot above it.
        let above: ObjectID?
        let depth: Int
        /// Whether it has been shown, with all below it, before.
        let isRepeated: Bool
    }

    /// What a parent is for the snapshot that succeeds it.
    static let parentRole = "parent"

    private struct Link {
        let id: ObjectID
        let role: String

        var isParent: Bool { role.utf8.elementsEqual(Lineage.parentRole.utf8) }
    }

    let nodes: [Node]
    private let isDown: Bool

    init(of root: ObjectID, isDown: Bool, in repository: OpenRepository) throws {
        self.isDown = isDown
        let users = isDown ? try Self.users(in: repository) : [:]
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
            let links = isDown ? users[link.id] ?? [] : Self.links(of: snapshot)
            for next in links.reversed() { pending.append((next, link.id, depth + 1)) }
        }
        self.nodes = nodes
    }

    /// What a snapshot was made from, and then what it succeeds.
    private static func links(of snapshot: Snapshot) -> [Link] {
        snapshot.inputs.sorted { $0.key < $1.key }.map { Link(id: $0.value, role: $0.key) }
            + snapshot.parents.map { Link(id: $0, role: parentRole) }
    }

    /// For each snapshot those that name it as an input or a parent: of all that any ref ever pointed at, and all
    /// that those were made from.
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

    /// A graph whose arrows lead from what is used to what was made of it.
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
    /// - Parameter origin: Of the root, the row or file that was asked for.
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
