import ArgumentParser
import Artifacts
import CommandSupport
import Maintenance
import Objects
import Refs

/// Audits lexical indexes for a full verification.
private struct IndexAudit: DerivedAudit {
    private var audit = LexicalAudit()

    mutating func problem(
        of snapshot: Snapshot, in objects: PackStore
    ) throws(ObjectError) -> String? { try audit.problem(of: snapshot, in: objects) }
}

struct VerifyCommand: Command {
    static let configuration = CommandConfiguration(
        "verify",
        abstract: "Check the integrity of the repository, and show what any damage affects.",
        discussion: """
            verify reads the whole log and the index of every pack, and checks that everything that \
            refs point at exists. With --full, it reads every byte, and follows everything that any \
            ref ever pointed at down to its files and rows. It exits with 1 if it finds damage.

            With --repair, it rebuilds what can be derived, and restores damaged packs and log \
            entries from other copies of the repository, given with --from; it verifies everything \
            it takes from them. It then lists the remaining damage.
            """,
        examples: [
            "ftictl verify", "ftictl verify --full --json",
            "ftictl verify --repair --from /backup/shop.fti",
        ])

    @Flag(help: "Read and check every byte.")
    var full = false

    @Flag(help: "Repair damage; reads every byte.")
    var repair = false

    @Option(
        help: ArgumentHelp("Another copy of the repository; may be repeated.", valueName: "copy"))
    var from: [String] = []

    @OptionGroup var options: GlobalOptions

    func run(_ context: CommandContext) throws {
        let repository = try context.repository()
        let progress = context.progress
        guard repair || from.isEmpty else {
            throw CommandError.usage(
                "--from needs --repair", remedy: "ftictl verify --repair --from COPY")
        }
        let tell: @Sendable (Int, Int) -> Void = { count, total in
            progress.advance("reading", by: count, of: total)
        }
        var actions: [String] = []
        var refused: [String] = []
        let report: RepositoryVerifier.Report
        if repair {
            let copies = try from.map { try context.repository(at: $0) }
            let repaired = try RepositoryRepair(
                repository, copies: copies, writer: context.writer
            ).run(progress: tell)
            (report, actions, refused) = (repaired.after, repaired.done, repaired.refused)
        } else {
            report = try RepositoryVerifier(repository, derived: IndexAudit())
                .verify(full: full, progress: tell)
        }
        context.progress.finish()
        try show(report, actions, refused, context)
        if !report.isSound { throw ExitCode.negative }
    }

    private func show(
        _ report: RepositoryVerifier.Report, _ actions: [String], _ refused: [String],
        _ context: CommandContext
    ) throws {
        let output = context.output
        let figures = report.statistics
        if output.isJSON {
            return try output.emit([
                "ok": .bool(report.isSound), "full": .bool(full || repair),
                "transactions": .integer(report.entries), "packs": .integer(figures.packs),
                "objects": .integer(figures.objects), "bytes": .integer(figures.rawBytes),
                "findings": .array(report.findings.map(\.json)),
                "repaired": .array(actions.map { .string($0) }),
                "refused": .array(refused.map { .string($0) }),
                "notes": .array(report.notes.map { .string($0) }),
            ])
        }
        for action in actions {
            try output.line("\(output.style.green("repaired:")) \(action.printable())")
        }
        for refusal in refused {
            try output.line("\(output.style.red("rejected:")) \(refusal.printable())")
        }
        for finding in report.findings { try output.show(finding) }
        for note in report.notes { try output.line("note: \(note)") }
        let counts =
            "\(Quantity.count(report.entries, "transaction")), "
            + "\(Quantity.count(figures.packs, "pack")), "
            + "\(Quantity.count(figures.objects, "object")), \(Quantity.bytes(figures.rawBytes))"
        try output.line(
            report.isSound
                ? "\(output.style.green("sound")): \(counts)"
                : "\(Quantity.count(report.findings.count, "problem")) in \(counts)")
    }
}

extension Finding {
    /// An element of `findings` in `verify --json`.
    var json: JSON {
        [
            "problem": .string(problem), "where": .string(place.description),
            "offset": range.map { .integer($0.lowerBound) } ?? .null,
            "length": range.map { .integer($0.count) } ?? .null,
            "affects": .array(affects.map { .string($0) }),
            "repair": remedy.map { .string($0) } ?? .null,
        ]
    }
}

extension Output {
    /// The most affected items that text output lists.
    private static var affectedLimit: Int { 12 }

    /// Prints a finding: the problem, its place, what it affects and the remedy.
    func show(_ finding: Finding) throws {
        try line("\(style.red("damage:")) \(finding.problem.printable())")
        let bytes = finding.range.map { ", bytes \($0.lowerBound) to \($0.upperBound - 1)" } ?? ""
        try line("    in \(finding.place.description.printable())\(bytes)")
        for affected in finding.affects.prefix(Self.affectedLimit) {
            try line("    affects \(affected.printable())")
        }
        let rest = finding.affects.count - Self.affectedLimit
        if rest > 0 { try line("    affects \(Quantity.count(rest)) more: --json lists them") }
        if let remedy = finding.remedy { try line("    try: \(remedy)") }
    }
}
