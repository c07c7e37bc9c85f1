import CommandSupport
import Objects

/// How a lineage is drawn for a person.
struct LineageView {
    let style: Style
    let now: Timestamp
    let labels: RefLabels

    func lines(_ nodes: [Lineage.Node]) -> [String] {
        nodes.indices.map { index in
            branches(to: index, in: nodes) + describe(nodes[index])
        }
    }

    /// `│  └─ `: a rail for each level above that goes on below this line.
    private func branches(to index: Int, in nodes: [Lineage.Node]) -> String {
        let depth = nodes[index].depth
        guard depth > 0 else { return "" }
        // Whether a level above has another node before its own parent's level ends.
        func goesOn(_ level: Int) -> Bool {
            for node in nodes[(index + 1)...] {
                if node.depth < level { return false }
                if node.depth == level { return true }
            }
            return false
        }
        let rails = (1..<max(depth, 1)).map { goesOn($0) ? "│  " : "   " }.joined()
        return style.dim(rails + (goesOn(depth) ? "├─ " : "└─ "))
    }

    private func describe(_ node: Lineage.Node) -> String {
        var parts: [String] = []
        if !node.role.isEmpty { parts.append(style.bold(node.role.printable())) }
        parts.append(style.magenta(node.snapshot.kind.rawValue))
        parts.append(style.yellow(node.id.short))
        if let label = labels[node.id] { parts.append(style.cyan(label)) }
        if node.isRepeated {
            parts.append(style.dim("(above)"))
            return parts.joined(separator: " ")
        }
        let message = node.snapshot.message.split(whereSeparator: \.isNewline).first ?? ""
        if !message.isEmpty { parts.append(String(message).printable().truncated(to: 60)) }
        parts.append(style.dim(Quantity.age(of: node.snapshot.created, at: now)))
        return parts.joined(separator: " ")
    }
}
