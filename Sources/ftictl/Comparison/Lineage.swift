import CommandSupport
import Objects
import Refs
import Storage

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

/// How a lineage is drawn for a person.
struct LineageView {
    let style: Style
    let now: Timestamp
    let labels: RefLabels

    /// The line about a row or a file whose snapshot's lineage follows.
    func line(_ origin: PartOrigin) -> String {
        let label = labels[origin.since].map { " \(style.cyan($0))" } ?? ""
        return "\(origin.noun) \(style.bold(origin.path.printable())), as it is since "
            + (origin.isKnown ? "" : "before ") + style.yellow(origin.since.short) + label
    }

    func lines(_ nodes: [Lineage.Node]) -> [String] {
        var lines: [String] = []
        // Whether a level has another node below the line that is drawn, before its own parent's level ends: seen from
        // the last line up.
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

    /// `│  └─ `: a rail for each level above that goes on below this line.
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
            parts.append(style.dim("(above)"))
            return parts.joined(separator: " ")
        }
        guard let snapshot = node.snapshot else {
            parts.append(style.dim("collected since"))
            return parts.joined(separator: " ")
        }
        let message = snapshot.message.split(whereSeparator: \.isNewline).first ?? ""
        if !message.isEmpty { parts.append(String(message).printable().truncated(to: 60)) }
        parts.append(style.dim(Quantity.age(of: snapshot.created, at: now)))
        return parts.joined(separator: " ")
    }
}
