import ArgumentParser
import CommandSupport
import Objects
import Refs

struct GcCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "gc",
        abstract: "Free the space of what nothing needs any more.",
        discussion: ArgumentHelp.discussion(
            """
            Kept is what refs point at, what they pointed at within --keep and at least --keep-last \
            values of each, what leases and pins name, and the inputs of all of these. Packs of \
            which nothing is kept are removed; files of removed packs are deleted after --grace, \
            and until then ftictl undo brings them back. Others may go on reading and writing.

            Durations are a number with s, m, h, d or w.
            """,
            examples: ["ftictl gc --dry-run", "ftictl gc", "ftictl gc --keep 7d --grace 0s"]))

    @Flag(help: "Change nothing; say what would go, and why each pack stays.")
    var dryRun = false

    @Option(help: ArgumentHelp("How long values of refs are kept.", valueName: "duration"))
    var keep = "30d"

    @Option(help: ArgumentHelp("How many values of each ref are kept.", valueName: "n"))
    var keepLast = Retention.standard.count

    @Option(help: ArgumentHelp("How long removed packs stay.", valueName: "duration"))
    var grace = "24h"

    @OptionGroup var options: GlobalOptions

    func validate() throws {
        for text in [keep, grace] { _ = try Self.milliseconds(text) }
        guard keepLast >= 1 else { throw ValidationError("--keep-last is at least 1") }
    }

    func run(_ context: CommandContext) throws {
        var options = CollectionOptions()
        options.retention = Retention(
            milliseconds: try Self.milliseconds(keep), count: keepLast)
        options.grace = try Self.milliseconds(grace)
        options.isDryRun = dryRun
        let progress = context.progress
        let report = try context.repository().collect(options, writer: context.writer) {
            progress.update("copying", bytes: $0, of: $1)
        }
        progress.finish()
        if context.output.isJSON { return try context.output.emit(json(report)) }
        let view = CollectionView(report, isDryRun: dryRun, style: context.output.style)
        for line in view.lines { try context.output.line(line) }
    }

    /// Reads a duration such as `30d`.
    private static func milliseconds(_ text: String) throws -> Int {
        let units = ["s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000]
        let digits = text.utf8.dropLast()
        guard let unit = units[String(text.suffix(1))], (1...6).contains(digits.count),
            digits.allSatisfy({ (0x30...0x39).contains($0) }),
            let number = Int(String(decoding: digits, as: UTF8.self))
        else {
            throw ValidationError("'\(text)' is no duration: a number with s, m, h, d or w")
        }
        return number * unit
    }

    private func json(_ report: CollectionReport) -> JSONObject {
        func packs(_ fate: SpacePlan.Fate) -> JSON {
            .array(
                report.packs(fate).map { pack in
                    [
                        "pack": .id(pack.decision.pack.name),
                        "bytes": .integer(pack.decision.pack.size),
                        "neededBytes": .integer(pack.decision.neededBytes),
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
