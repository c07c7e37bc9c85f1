import ArgumentParser
import CommandSupport
import Maintenance
import Objects
import Refs
import Storage

struct GcCommand: Command {
    static let configuration = CommandConfiguration(
        "gc", abstract: "Delete unreferenced data.",
        discussion: """
            gc keeps what refs point at, what they pointed at within --keep, the last --keep-last \
            values of each ref, what leases and pins name, and the inputs of all of these. The \
            defaults of --keep and --keep-last are the access policy's retention, else 30d and 20; \
            under an access policy that requires signatures, only an admin can keep less.

            gc removes packs that hold nothing to keep, and rewrites a pack if less than half of it \
            is needed. It deletes the files of removed packs after --grace; until then, ftictl undo \
            restores them. Others can read and write while gc runs.

            With --purge, gc rewrites every pack that holds unreferenced data. With --grace 0s as \
            well, data that no kept version uses is gone from the disk. The exit code is not 0 if \
            unreferenced data remains.

            A duration is a number followed by s, m, h, d or w.
            """,
        examples: [
            "ftictl gc --dry-run", "ftictl gc", "ftictl gc --keep 7d --grace 0s",
            "ftictl gc --keep 0s --keep-last 1 --purge --grace 0s",
        ])

    @Flag(help: "Change nothing; show what would be removed, and why each pack is kept.")
    var dryRun = false

    @Flag(help: "Rewrite every pack that holds unreferenced data.")
    var purge = false

    @Option(
        help: ArgumentHelp(
            "How long to keep old values of refs (default: the access policy's, else 30d).",
            valueName: "duration"))
    var keep: String?

    @Option(
        help: ArgumentHelp(
            "How many values of each ref to keep (default: the access policy's, else 20).",
            valueName: "n"))
    var keepLast: Int?

    @Option(
        help: ArgumentHelp("How long to keep the files of removed packs.", valueName: "duration"))
    var grace = "24h"

    @OptionGroup var options: GlobalOptions

    func validate() throws {
        for text in [keep, grace].compactMap(\.self) { _ = try Self.milliseconds(text) }
        guard keepLast ?? 1 >= 1 else { throw ValidationError("--keep-last must be at least 1") }
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
        let view = CollectionView(report, isDryRun: dryRun, style: context.output.style)
        try context.output.result(.object(json(report)), lines: view.lines)
        if purge, !dryRun { try insist(report) }
    }

    /// Fails if a purge has left unreferenced data.
    private func insist(_ report: CollectionReport) throws {
        if report.ranOutOfSpace {
            throw CommandError(
                .io, "no disk space to rewrite packs: unreferenced data remains",
                remedy: "free some space, then repeat the command")
        }
        if report.leftCount > 0 {
            throw CommandError(
                .conflict, "one transaction cannot remove more packs; \(report.leftCount) are left",
                remedy: "repeat the command")
        }
        let damaged = report.wasteful.count
        guard damaged > 0 else { return }
        throw CommandError(
            .damaged,
            "cannot rewrite \(Quantity.count(damaged, "damaged pack")): unreferenced data remains",
            remedy: "ftictl verify --repair --from COPY, then repeat the command")
    }

    private static func milliseconds(_ text: String) throws -> Int {
        guard let span = TimeSpan(text) else {
            throw ValidationError("'\(text)' is not a duration: use a number and s, m, h, d or w")
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

/// Shows what a collection did or, in a dry run, would do.
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
        add(dropped.count, "pack", Self.size(of: dropped), would + "removed: unreferenced")
        let needed = rewritten.reduce(0) { $0 + $1.decision.neededBytes }
        add(
            rewritten.count, "pack", Self.size(of: rewritten),
            would + "rewritten: \(Quantity.bytes(needed)) of them needed")
        add(
            report.condemned.count, "pack", Self.size(of: report.condemned),
            would + "removed: no transaction added them")
        add(report.deleted.count, "file", Self.size(of: report.deleted), "deleted")
        add(
            report.waiting.count, "file", Self.size(of: report.waiting),
            "of removed packs " + (isDryRun ? "on disk" : "kept until --grace has passed"))
        if report.abandonedFiles > 0 {
            lines.append("\(Quantity.count(report.abandonedFiles, "unfinished file")) removed")
        }
        if report.ranOutOfSpace {
            lines.append("no disk space to rewrite packs; free some, then run gc again")
        } else if dropped.isEmpty, rewritten.isEmpty, report.condemned.isEmpty {
            lines.append(
                report.unneededBytes == 0
                    ? "nothing to collect: all data in live packs is referenced"
                    : "nothing to collect")
        }
        if report.leftCount > 0 {
            lines.append(
                "\(Quantity.count(report.leftCount, "pack")) left for the next gc: one transaction "
                    + "cannot remove more")
        }
        lines += waste
        if let transaction = report.transaction, report.deleted.count < report.goneCount {
            lines.append("transaction \(transaction); ftictl undo \(transaction) reverts it")
        } else if let transaction = report.transaction {
            lines.append("transaction \(transaction)")
        }
        return lines
    }

    /// How much of the live packs is unreferenced, and why it stays.
    private var waste: [String] {
        var lines: [String] = []
        for (obstacle, reason) in [
            (
                CollectionPlan.Obstacle.half,
                "gc rewrites a pack only if less than half of it is needed"
            ),
            (.damage, "gc does not touch damaged packs: ftictl verify --repair"),
            (.space, "no disk space to rewrite packs"),
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
                    + "\(Quantity.bytes(report.liveBytes)), is unreferenced but stays: \(reason)"
                    + (obstacle == .half ? "; ftictl gc --purge rewrites them now" : ""))
        }
        return lines
    }

    /// A line per live pack: how much of it is needed, what happens to it, and what needs it.
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
                style.yellow(decision.pack.name.short),
                Quantity.bytes(decision.pack.size),
                "\(min(100, share)) %",
                fate
                    + (pack.reasons.isEmpty && decision.fate != .drop
                        ? "pieces stored as deltas against it" : reasons),
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
    /// The number of packs that the transaction removed.
    fileprivate var goneCount: Int {
        packs(.drop).count + packs(.rewrite).count + condemned.count
    }
}
