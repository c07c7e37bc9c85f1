import ArgumentParser
import Artifacts
import CommandSupport
import Maintenance
import Objects
import Refs

/// The audit of lexical indexes, for a verification of everything.
private struct IndexAudit: DerivedAudit {
    private var audit = LexicalAudit()

    mutating func problem(
        of snapshot: Snapshot, in objects: PackStore
    ) throws(ObjectError) -> String? { try audit.problem(of: snapshot, in: objects) }
}

struct VerifyCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Check that the repository is whole, and say what any damage affects.",
        discussion: ArgumentHelp.discussion(
            """
            The log is read from its beginning, and the index of every pack, and what refs point at \
            must be there. With --full every byte is read, and everything that any ref ever pointed \
            at is followed to its files and rows. Exit code 1 says that there is damage.


            With --repair, what can be derived is made anew, and damaged packs and entries of the log \
            are restored from other copies of the repository, which are named by --from; everything \
            that comes from there is verified first. What is left is listed.
            """,
            examples: [
                "ftictl verify", "ftictl verify --full --json",
                "ftictl verify --repair --from /backup/shop.fti",
            ]))

    @Flag(help: "Read everything.")
    var full = false

    @Flag(help: "Repair what is damaged; reads everything.")
    var repair = false

    @Option(help: ArgumentHelp("Another copy of the repository.", valueName: "copy"))
    var from: [String] = []

    @OptionGroup var options: GlobalOptions

    func run(_ context: CommandContext) throws {
        let repository = try context.repository()
        let done = ByteCount()
        let progress = context.progress
        guard repair || from.isEmpty else {
            throw CommandError.usage(
                "--from needs --repair", remedy: "ftictl verify --repair --from COPY")
        }
        let tell: @Sendable (Int, Int) -> Void = { count, total in
            let sum = done.add(count)
            progress.update("reading", bytes: sum, of: max(total, sum))
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
            try output.line("\(output.style.red("not used:")) \(refusal.printable())")
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
    /// `problem`, `where`, `offset`, `length`, `affects`, `repair`.
    var json: JSON {
        [
            "problem": .string(problem), "where": .string(place),
            "offset": range.map { .integer($0.lowerBound) } ?? .null,
            "length": range.map { .integer($0.count) } ?? .null,
            "affects": .array(affects.map { .string($0) }),
            "repair": remedy.map { .string($0) } ?? .null,
        ]
    }
}

extension Output {
    /// The most affected things that are listed for a person.
    private static var affectedLimit: Int { 12 }

    /// Tells what is wrong, where, what it affects and what to do.
    func show(_ finding: Finding) throws {
        try line("\(style.red("damage:")) \(finding.problem.printable())")
        let bytes = finding.range.map { ", bytes \($0.lowerBound) to \($0.upperBound - 1)" } ?? ""
        try line("    in \(finding.place.printable())\(bytes)")
        for affected in finding.affects.prefix(Self.affectedLimit) {
            try line("    affects \(affected.printable())")
        }
        let rest = finding.affects.count - Self.affectedLimit
        if rest > 0 { try line("    affects \(Quantity.count(rest)) more: --json lists them") }
        if let remedy = finding.remedy { try line("    try: \(remedy)") }
    }
}
