import CommandSupport
import Objects

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
