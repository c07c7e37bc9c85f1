import ArgumentParser
import CommandSupport
import Objects
import Refs

struct VerifyCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Check that the repository is whole, and say what any damage affects.",
        discussion: ArgumentHelp.discussion(
            """
            The log is read from its beginning, and the index of every pack, and what refs point at \
            must be there. With --full every byte is read, and everything that any ref ever pointed \
            at is followed to its files and rows. Exit code 1 says that there is damage.
            """,
            examples: ["ftictl verify", "ftictl verify --full --json"]))

    @Flag(help: "Read everything.")
    var full = false

    @OptionGroup var options: GlobalOptions

    func run(_ context: CommandContext) throws {
        let repository = try context.repository()
        let done = ByteCount()
        let progress = context.progress
        let report = try RepositoryVerifier(repository).verify(full: full) { count, total in
            let sum = done.add(count)
            progress.update("reading", bytes: sum, of: max(total, sum))
        }
        context.progress.finish()
        try show(report, context)
        if !report.isSound { throw ExitCode.negative }
    }

    private func show(_ report: RepositoryVerifier.Report, _ context: CommandContext) throws {
        let output = context.output
        let figures = report.statistics
        if output.isJSON {
            return try output.emit([
                "ok": .bool(report.isSound), "full": .bool(full),
                "transactions": .integer(report.entries), "packs": .integer(figures.packs),
                "objects": .integer(figures.objects), "bytes": .integer(figures.rawBytes),
                "findings": .array(report.findings.map(\.json)),
                "notes": .array(report.notes.map { .string($0) }),
            ])
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
