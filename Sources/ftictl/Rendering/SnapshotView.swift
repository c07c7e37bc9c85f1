import FileFormats
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

    /// - Parameter files: The prompt and the canary of a release.
    func lines(
        _ id: ObjectID, _ snapshot: Snapshot, files: [(name: String, id: ObjectID)],
        weights: [WeightsSummary], pickles: [PickledFile]
    ) -> [String] {
        var lines = ["\(style.magenta(snapshot.kind.rawValue)) \(style.yellow(id.hex))"]
        var fields = Columns([.left, .left])
        func field(_ name: String, _ value: String) {
            fields.append(["  \(name)", value])
        }
        if let label = labels[id] { field("ref", style.cyan(label)) }
        if let signer { field("signed by", signer) }
        field(
            "created",
            "\(snapshot.created.minuteDescription) (\(Quantity.age(of: snapshot.created, at: now)))"
        )
        let producer = snapshot.producer
        let revision = producer.revision.map { ", source \($0)" } ?? ""
        field(
            "producer",
            "\(producer.pipeline) \(producer.version)\(revision)".printable())
        field("content", snapshot.summary)
        for parent in snapshot.parents {
            let label = labels[parent].map { "  \(style.cyan($0))" } ?? ""
            field("parent", style.yellow(parent.short) + label)
        }
        if let space = snapshot.space { field("space", style.yellow(space.short)) }
        if let cursor = snapshot.cursor { field("cursor", cursor.summary) }
        if let index = snapshot.index { field("index", index.summary) }
        lines += fields.lines
        lines += section(
            "inputs",
            snapshot.inputs.sorted { $0.key < $1.key }.map { role, id in
                ["    \(role.printable())", style.yellow(id.short), style.cyan(labels[id] ?? "")]
            })
        lines += section(
            "files", files.map { ["    \($0.name.printable())", style.yellow($0.id.short)] })
        lines += section(
            "metrics",
            snapshot.metrics.sorted { $0.key < $1.key }.map { name, value in
                ["    \(name.printable())", style.bold(Quantity.measurement(value))]
            })
        lines += section(
            "params",
            snapshot.params.flatMap { $0.value.leaves(named: $0.key) }.map { leaf in
                ["    \(leaf.name.printable())", leaf.value.spacedText.printable()]
            })
        lines += section(
            "weights",
            weights.map { weights in
                ["    \(weights.path.printable())", weights.description]
            })
        lines += section(
            "pickles",
            pickles.map { file in
                [
                    "    \(file.path.printable())",
                    style.red("\(file.format.rawValue): loading it runs code"),
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

    private func section(_ name: String, _ rows: [[String]]) -> [String] {
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

    /// Parts of the names of metrics for which a lower value is better.
    private static let falling = ["loss", "error", "perplexity", "latency", "seconds", "cost"]

    /// The name, the value, and an arrow with the change, if there is one.
    func cells(_ style: Style) -> [String] {
        let name = name.printable()
        guard let previous, previous != self.value else {
            let value = style.bold(Quantity.measurement(value))
            return [name, value, style.dim(previous == nil ? "" : "=")]
        }
        let value = style.bold(Quantity.measurements(self.value, previous).0)
        let isRise = self.value > previous
        let isFall = Self.falling.contains { self.name.lowercased().contains($0) }
        let text = "\(isRise ? "▲" : "▼") \(Quantity.change(from: previous, to: self.value))"
        return [name, value, (isRise != isFall ? style.green : style.red)(text)]
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
    private let labels: [ObjectID: String]
    /// The maximum number of values of each ref that are read: enough for what is still in use.
    private static let depth = 32
    /// The maximum number of values read in total, which bounds the cost for any number of refs.
    private static let budget = 1024

    /// Reads the newest values of every ref.
    static func read(in repository: OpenRepository) throws -> RefLabels {
        let state = repository.state
        var labels: [ObjectID: String] = [:]
        for (name, ref) in state.refs.sorted(by: { $0.key < $1.key })
        where labels[ref.target] == nil {
            labels[ref.target] = name.text
        }
        let depth = min(depth, budget / max(1, state.refs.count))
        guard depth > 1 else { return RefLabels(labels: labels) }
        let names = state.refs.keys.sorted()
        let targets = try repository.repository.log.newestTargets(
            of: names, count: depth, in: state)
        for (name, targets) in zip(names, targets) {
            for (position, target) in targets.enumerated() {
                guard let target, labels[target] == nil else { continue }
                labels[target] = "\(name.text)@{\(position)}"
            }
        }
        return RefLabels(labels: labels)
    }

    /// `features/prod`, or `features/prod@{2}`; nil if no ref recently had this value.
    subscript(id: ObjectID) -> String? { labels[id] }
}

/// The labels of a state, read from the log on first use: most histories need none.
final class LazyRefLabels {
    private let repository: OpenRepository
    private lazy var labels = try? RefLabels.read(in: repository)

    init(_ repository: OpenRepository) { self.repository = repository }

    /// Like ``RefLabels``, but nil if the log cannot be read: the caller, who reads it too, reports that.
    subscript(id: ObjectID) -> String? { labels?[id] }
}
