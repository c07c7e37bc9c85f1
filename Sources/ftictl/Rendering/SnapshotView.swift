import CommandSupport
import Objects
import Refs

/// Formats the description of a snapshot for people.
struct SnapshotView {
    let style: Style
    let now: Timestamp
    let labels: RefLabels
    /// The signer of the transaction that pointed a ref at the snapshot; nil if there is none.
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

/// A metric and its change.
struct MetricLine {
    let name: String
    let value: Double
    let previous: Double?

    /// Parts of names of metrics for which less is better.
    private static let falling = ["loss", "error", "perplexity", "latency", "seconds", "cost"]

    /// The name, the value, and an arrow with the change, if there is one.
    func cells(_ style: Style) -> [Columns.Cell] {
        let name = Columns.Cell(name.printable())
        guard let previous, previous != self.value else {
            let value = Columns.Cell(Quantity.measurement(value), style.bold)
            return [name, value, Columns.Cell(previous == nil ? "" : "=", style.dim)]
        }
        let value = Columns.Cell(Quantity.measurements(self.value, previous).0, style.bold)
        let isRise = self.value > previous
        let isFall = Self.falling.contains { self.name.lowercased().contains($0) }
        let text = "\(isRise ? "▲" : "▼") \(Quantity.change(from: previous, to: self.value))"
        return [name, value, Columns.Cell(text, isRise != isFall ? style.green : style.red)]
    }
}

extension String {
    /// Whether the UTF-8 of this text contains that of another.
    fileprivate func contains(_ part: String) -> Bool {
        let part = Array(part.utf8)
        let bytes = Array(utf8)
        guard part.count <= bytes.count else { return false }
        return (0...bytes.count - part.count).contains { start in
            bytes[start..<start + part.count].elementsEqual(part)
        }
    }
}

/// Names snapshots by the refs that point, or recently pointed, at them.
struct RefLabels {
    private var labels: [ObjectID: String] = [:]
    /// The most values of each ref that are read: enough for what is still in use.
    private static let depth = 32
    /// The most values read in total, which bounds the cost for any number of refs.
    private static let budget = 1024

    /// Reads the newest values of every ref.
    init(log: Log, state: State) throws {
        for (name, ref) in state.refs.sorted(by: { $0.key < $1.key })
        where labels[ref.target] == nil {
            labels[ref.target] = name.text
        }
        let depth = min(Self.depth, Self.budget / max(1, state.refs.count))
        guard depth > 1 else { return }
        let names = state.refs.keys.sorted()
        let targets = try log.newestTargets(of: names, count: depth, in: state)
        for (name, targets) in zip(names, targets) {
            for (position, target) in targets.enumerated() {
                guard let target, labels[target] == nil else { continue }
                labels[target] = "\(name.text)@{\(position)}"
            }
        }
    }

    /// `features/prod`, or `features/prod@{2}`; nil if no ref recently had this value.
    subscript(id: ObjectID) -> String? { labels[id] }
}

/// The labels of a state, read from the log on first use: most histories need none.
final class LazyRefLabels {
    private let log: Log
    private let state: State
    private lazy var labels = try? RefLabels(log: log, state: state)

    init(log: Log, state: State) {
        self.log = log
        self.state = state
    }

    /// Like ``RefLabels``, but nil if the log cannot be read: the caller, who reads it too, reports that.
    subscript(id: ObjectID) -> String? { labels?[id] }
}
