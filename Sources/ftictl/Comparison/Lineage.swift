import CommandSupport
import Objects
import Refs

/// The snapshots that one was made from, or that were made from it, as a tree.
struct Lineage {
    /// A snapshot at one place of the tree.
    struct Node {
        let id: ObjectID
        let snapshot: Snapshot
        /// What it is for the snapshot above, such as `dataset`; with `isDown`, the other way around.
        let role: String
        /// The snapshot above it.
        let above: ObjectID?
        let depth: Int
        /// Whether it has been shown, with all below it, before.
        let isRepeated: Bool
    }

    private struct Link {
        let id: ObjectID
        let role: String
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
            let snapshot = try repository.snapshot(link.id)
            let isNew = seen.insert(link.id).inserted
            nodes.append(
                Node(
                    id: link.id, snapshot: snapshot, role: link.role, above: above, depth: depth,
                    isRepeated: !isNew))
            guard isNew else { continue }
            let links = isDown ? users[link.id] ?? [] : Self.inputs(of: snapshot)
            for next in links.reversed() { pending.append((next, link.id, depth + 1)) }
        }
        self.nodes = nodes
    }

    private static func inputs(of snapshot: Snapshot) -> [Link] {
        snapshot.inputs.sorted { $0.key < $1.key }.map { Link(id: $0.value, role: $0.key) }
    }

    /// For each snapshot those that name it as an input: of all that any ref ever pointed at, and all
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
            for link in inputs(of: snapshot) {
                users[link.id, default: []].append(Link(id: id, role: link.role))
                pending.append(link.id)
            }
            pending += snapshot.parents
        }
        return users.mapValues { $0.sorted { $0.id < $1.id } }
    }

    /// A graph whose arrows lead from what is used to what was made of it.
    func dot(_ labels: RefLabels) -> [String] {
        var lines = ["digraph lineage {", "  rankdir=LR;", "  node [shape=box];"]
        for node in nodes where !node.isRepeated {
            var label = "\(node.snapshot.kind.rawValue) \(node.id.short)"
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
    func json(_ labels: RefLabels) -> JSON {
        [
            "id": .id(id), "kind": .string(snapshot.kind.rawValue), "role": .string(role),
            "of": .id(above), "depth": .integer(depth),
            "ref": labels[id].map { .string($0) } ?? .null,
            "created": .string(snapshot.created.description), "message": .string(snapshot.message),
        ]
    }
}
