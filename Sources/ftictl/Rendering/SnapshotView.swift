import CommandSupport
import Objects

/// How one snapshot is described to a person.
struct SnapshotView {
    let style: Style
    let now: Timestamp
    let labels: RefLabels
    /// Who signed the transaction that made a ref point at the snapshot; nil when nobody did, or none does.
    var signer: String?

    func lines(
        _ id: ObjectID, _ snapshot: Snapshot, weights: [WeightsSummary],
        pickles: [PickledFile]
    ) -> [String] {
        var lines = ["\(style.magenta(snapshot.kind.rawValue)) \(style.yellow(id.hex))"]
        var fields = Columns([.left, .left])
        func field(_ name: String, _ value: Columns.Cell) {
            fields.append([Columns.Cell("  \(name)"), value])
        }
        if let label = labels[id] { field("ref", Columns.Cell(label, style.cyan)) }
        if let signer { field("signed by", Columns.Cell(signer)) }
        field(
            "created",
            Columns.Cell(
                "\(snapshot.created.minuteDescription) (\(Quantity.age(of: snapshot.created, at: now)))"
            ))
        let producer = snapshot.producer
        let revision = producer.revision.map { ", source \($0)" } ?? ""
        field(
            "producer",
            Columns.Cell("\(producer.pipeline) \(producer.version)\(revision)".printable()))
        field("content", Columns.Cell(snapshot.summary))
        for parent in snapshot.parents {
            let label = labels[parent].map { "  \($0)" } ?? ""
            field(
                "parent",
                Columns.Cell(parent.short + label) { _ in
                    style.yellow(parent.short) + style.cyan(label)
                })
        }
        if let space = snapshot.space { field("space", Columns.Cell(space.short, style.yellow)) }
        if let cursor = snapshot.cursor { field("cursor", Columns.Cell(cursor.summary)) }
        if let index = snapshot.index { field("index", Columns.Cell(index.summary)) }
        lines += fields.lines
        lines += section(
            "inputs",
            snapshot.inputs.sorted { $0.key < $1.key }.map { role, id in
                [
                    Columns.Cell("    \(role.printable())"), Columns.Cell(id.short, style.yellow),
                    Columns.Cell(labels[id] ?? "", style.cyan),
                ]
            })
        lines += section(
            "metrics",
            snapshot.metrics.sorted { $0.key < $1.key }.map { name, value in
                [
                    Columns.Cell("    \(name.printable())"),
                    Columns.Cell(Quantity.measurement(value), style.bold),
                ]
            })
        lines += section(
            "params",
            snapshot.params.flatMap { $0.value.leaves(named: $0.key) }.map { leaf in
                [
                    Columns.Cell("    \(leaf.name.printable())"),
                    Columns.Cell(leaf.value.spacedText.printable()),
                ]
            })
        lines += section(
            "weights",
            weights.map { weights in
                [
                    Columns.Cell("    \(weights.path.printable())"),
                    Columns.Cell(weights.description),
                ]
            })
        lines += section(
            "pickles",
            pickles.map { file in
                [
                    Columns.Cell("    \(file.path.printable())"),
                    Columns.Cell("\(file.format.rawValue): loading it runs code", style.red),
                ]
            })
        if !snapshot.message.isEmpty {
            lines.append("")
            lines += snapshot.message.split(
                separator: "\n", omittingEmptySubsequences: false
            ).map { "    \(String($0).printable())" }
        }
        return lines
    }

    private func section(_ name: String, _ rows: [[Columns.Cell]]) -> [String] {
        guard !rows.isEmpty else { return [] }
        var columns = Columns([.left, .left, .left])
        for row in rows { columns.append(row) }
        return ["  \(name)"] + columns.lines
    }
}
