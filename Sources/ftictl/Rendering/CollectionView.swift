import CommandSupport
import Maintenance
import Objects
import Refs

/// Shows what a collection of garbage did, or would do.
struct CollectionView {
    private let report: CollectionReport
    private let isDryRun: Bool
    private let style: Style

    init(_ report: CollectionReport, isDryRun: Bool, style: Style) {
        self.report = report
        self.isDryRun = isDryRun
        self.style = style
    }

    var lines: [String] {
        var lines: [String] = isDryRun ? packs : []
        let would = isDryRun ? "would be " : ""
        func add(_ count: Int, _ noun: String, _ bytes: Int, _ what: String) {
            guard count > 0 else { return }
            lines.append("\(Quantity.count(count, noun)), \(Quantity.bytes(bytes)), \(what)")
        }
        let dropped = report.packs(.drop)
        let rewritten = report.packs(.rewrite)
        add(dropped.count, "pack", Self.size(of: dropped), would + "removed: nothing needs them")
        let needed = rewritten.reduce(0) { $0 + $1.decision.neededBytes }
        add(
            rewritten.count, "pack", Self.size(of: rewritten),
            would + "rewritten: \(Quantity.bytes(needed)) of them needed")
        add(
            report.condemned.count, "pack", Self.size(of: report.condemned),
            would + "removed: no transaction ever added them")
        add(report.deleted.count, "file", Self.size(of: report.deleted), "deleted")
        add(
            report.waiting.count, "file", Self.size(of: report.waiting),
            "of removed packs " + (isDryRun ? "there" : "stay until the grace has passed"))
        if report.abandonedFiles > 0 {
            lines.append("\(Quantity.count(report.abandonedFiles, "unfinished file")) removed")
        }
        if report.ranOutOfSpace {
            lines.append("there was no space to rewrite packs; run it again")
        } else if dropped.isEmpty, rewritten.isEmpty, report.condemned.isEmpty {
            lines.append(
                report.unneededBytes == 0
                    ? "nothing to collect: everything in live packs is needed"
                    : "nothing to collect")
        }
        if report.leftCount > 0 {
            lines.append(
                "\(Quantity.count(report.leftCount, "pack")) left for the next gc: one transaction "
                    + "removes no more")
        }
        lines += waste
        if let transaction = report.transaction, report.deleted.count < report.goneCount {
            lines.append("transaction \(transaction); ftictl undo \(transaction) takes it back")
        } else if let transaction = report.transaction {
            lines.append("transaction \(transaction)")
        }
        return lines
    }

    /// How much of live packs nothing needs, and why it stays.
    private var waste: [String] {
        var lines: [String] = []
        for (obstacle, reason) in [
            (
                CollectionPlan.Obstacle.half,
                "packs are rewritten when less than half of them is needed"
            ),
            (.damage, "damaged packs stay as they are: ftictl verify --repair"),
            (.space, "there is no space to rewrite packs"),
        ] {
            let packs = report.wasteful.filter { $0.decision.obstacle == obstacle }
            let bytes = packs.reduce(0) { $0 + $1.decision.unneededBytes }
            guard bytes > 0 else { continue }
            let share = Double(bytes) * 100 / Double(max(1, report.liveBytes))
            let text =
                share < 0.1
                ? "less than 0.1"
                : share > 99.9 && bytes < report.liveBytes
                    ? "more than 99.9" : Quantity.decimal(share, places: 1)
            lines.append(
                "\(text) % of live packs, \(Quantity.bytes(bytes)) of "
                    + "\(Quantity.bytes(report.liveBytes)), is not needed and stays: \(reason)"
                    + (obstacle == .half ? "; ftictl gc --purge rewrites them now" : ""))
        }
        return lines
    }

    /// A line for each live pack: how much of it is needed, and by what.
    private var packs: [String] {
        var columns = Columns([.left, .right, .right, .left])
        for pack in report.packs {
            let decision = pack.decision
            let size = max(1, decision.pack.indexOffset)
            let share = decision.neededBytes * 100 / size
            let fate =
                switch decision.fate {
                case .keep: "kept for "
                case .rewrite: "rewritten for "
                case .drop: "removed"
                }
            let others = pack.reasonCount - pack.reasons.count
            let reasons =
                pack.reasons.map(\.description).joined(separator: "; ")
                + (others > 0 ? " and \(Quantity.count(others, "other"))" : "")
            columns.append([
                Columns.Cell(decision.pack.name.short, style.yellow),
                Columns.Cell(Quantity.bytes(decision.pack.size)),
                Columns.Cell("\(min(100, share)) %"),
                Columns.Cell(
                    fate
                        + (pack.reasons.isEmpty && decision.fate != .drop
                            ? "what is stored as a difference against it" : reasons)),
            ])
        }
        return columns.lines
    }

    private static func size(of packs: [CollectionReport.Pack]) -> Int {
        packs.reduce(0) { $0 + $1.decision.pack.size }
    }

    private static func size(of files: [CollectionReport.File]) -> Int {
        files.reduce(0) { $0 + $1.size }
    }
}

extension CollectionReport {
    /// How many packs the transaction removed.
    fileprivate var goneCount: Int {
        packs(.drop).count + packs(.rewrite).count + condemned.count
    }
}
