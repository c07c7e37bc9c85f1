import ArgumentParser
import CommandSupport
import Maintenance
import Objects
import Refs
import Storage

struct GcCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "gc",
        abstract: "Delete what nothing needs any more.",
        discussion: ArgumentHelp.discussion(
            """
            Kept is what refs point at, what they pointed at within --keep and at least --keep-last \
            values of each, what leases and pins name, and the inputs of all of these. Without these \
            two the policy's retention holds, else 30d and 20; under a policy with signatures only \
            an admin keeps less. Packs of which nothing is kept are removed, and those of which less \
            than half is kept are rewritten. Files of removed packs are deleted after --grace, and \
            until then ftictl undo brings them back. Others may go on reading and writing.

            With --purge every pack is rewritten that holds anything that nothing needs: with \
            --grace 0s, what no kept version has is gone from the disk.

            Durations are a number with s, m, h, d or w.
            """,
            examples: [
                "ftictl gc --dry-run", "ftictl gc", "ftictl gc --keep 7d --grace 0s",
                "ftictl gc --keep 0s --keep-last 1 --purge --grace 0s",
            ]))

    @Flag(help: "Change nothing; say what would go, and why each pack stays.")
    var dryRun = false

    @Flag(help: "Rewrite every pack that holds anything that nothing needs.")
    var purge = false

    @Option(
        help: ArgumentHelp(
            "How long values of refs are kept (default: the policy's, else 30d).",
            valueName: "duration"))
    var keep: String?

    @Option(
        help: ArgumentHelp(
            "How many values of each ref are kept (default: the policy's, else 20).",
            valueName: "n"))
    var keepLast: Int?

    @Option(help: ArgumentHelp("How long removed packs stay.", valueName: "duration"))
    var grace = "24h"

    @OptionGroup var options: GlobalOptions

    func validate() throws {
        for text in [keep, grace].compactMap(\.self) { _ = try Self.milliseconds(text) }
        guard keepLast ?? 1 >= 1 else { throw ValidationError("--keep-last is at least 1") }
    }

    func run(_ context: CommandContext) throws {
        var options = CollectionOptions()
        options.keep = try keep.map { try Self.milliseconds($0) }
        options.keepLast = keepLast
        options.grace = try Self.milliseconds(grace)
        options.isPurge = purge
        options.isDryRun = dryRun
        let progress = context.progress
        let report = try context.repository().collect(options, writer: context.writer) {
            progress.update("copying", bytes: $0, of: $1)
        }
        progress.finish()
        if context.output.isJSON {
            try context.output.emit(json(report))
        } else {
            let view = CollectionView(
                report, isDryRun: dryRun, style: context.output.style)
            for line in view.lines { try context.output.line(line) }
        }
        if purge, !dryRun { try insist(report) }
    }

    /// A purge that leaves anything that nothing needs has not done what was asked of it.
    private func insist(_ report: CollectionReport) throws {
        if report.ranOutOfSpace {
            throw CommandError(
                .io, "there was no space to rewrite packs, so what nothing needs is still there",
                remedy: "free some space, then repeat the command")
        }
        if report.leftCount > 0 {
            throw CommandError(
                .conflict, "one transaction removes no more packs; \(report.leftCount) are left",
                remedy: "repeat the command")
        }
        let damaged = report.wasteful.count
        guard damaged > 0 else { return }
        throw CommandError(
            .damaged,
            "\(Quantity.count(damaged, "damaged pack")) cannot be rewritten, and what nothing needs "
                + "is still in them",
            remedy: "ftictl verify --repair --from COPY, then repeat the command")
    }

    private static func milliseconds(_ text: String) throws -> Int {
        guard let span = TimeSpan(text) else {
            throw ValidationError("'\(text)' is no duration: a number with s, m, h, d or w")
        }
        return span.milliseconds
    }

    private func json(_ report: CollectionReport) -> JSONObject {
        func packs(_ fate: CollectionPlan.Fate) -> JSON {
            .array(
                report.packs(fate).map { pack in
                    [
                        "pack": .id(pack.decision.pack.name),
                        "bytes": .integer(pack.decision.pack.size),
                        "neededBytes": .integer(pack.decision.neededBytes),
                        "unneededBytes": .integer(pack.decision.unneededBytes),
                        "obstacle": pack.decision.obstacle.map { .string($0.rawValue) } ?? .null,
                        "neededBy": .array(pack.reasons.map { .string($0.description) }),
                        "reasons": .integer(pack.reasonCount),
                    ]
                })
        }
        func files(_ files: [CollectionReport.File]) -> JSON {
            .array(files.map { ["pack": .id($0.name), "bytes": .integer($0.size)] })
        }
        var object = JSONObject()
        object["dryRun"] = .bool(dryRun)
        object["purge"] = .bool(purge)
        object["liveBytes"] = .integer(report.liveBytes)
        object["unneededBytes"] = .integer(report.unneededBytes)
        object["transaction"] = report.transaction.map { .integer($0) } ?? .null
        object["removed"] = packs(.drop)
        object["rewritten"] = packs(.rewrite)
        object["kept"] = packs(.keep)
        object["copiedBytes"] = .integer(report.copiedBytes)
        object["condemned"] = files(report.condemned)
        object["deleted"] = files(report.deleted)
        object["waiting"] = files(report.waiting)
        object["abandonedFiles"] = .integer(report.abandonedFiles)
        return object
    }
}

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
