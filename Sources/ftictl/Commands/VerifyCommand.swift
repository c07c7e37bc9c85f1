import ArgumentParser
import CommandSupport
import Objects
import Refs
import Storage

struct VerifyCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Check that the repository is whole, and say what any damage affects.",
        discussion: ArgumentHelp.discussion(
            """
            The log is read from its beginning, and the index of every pack. With --full every \
            byte is read, and everything that any ref ever pointed at is followed to its files and \
            rows. Exit code 1 says that there is damage.
            """,
            examples: ["ftictl verify", "ftictl verify --full --json"]))

    @Flag(help: "Read everything.")
    var full = false

    @OptionGroup var options: GlobalOptions

    func run(_ context: CommandContext) throws {
        let repository = try context.repository()
        var list = FindingList()
        let log = try LogVerifier(repository.log).verify()
        for finding in log.findings {
            list.add(finding.problem, at: finding.place, affects: finding.affects)
        }
        var figures = PackStatistics()
        if let state = log.state {
            let objects = try repository.objects(in: state)
            let damaged = audit(objects, &list, context)
            figures = (try? objects.packStatistics()) ?? figures
            let roots = state.refs.values.map(\.target)
            let history = try history(of: state, in: repository)
            let labels = (try? RefLabels(log: repository.log, state: state))
            var contents = ContentVerifier(objects: objects, damaged: damaged)
            contents.verify(roots, history: history, name: { labels?[$0] ?? $0.short }) {
                error, affects in
                list.add(error.message, at: error.place, affects: [affects])
            }
        }
        context.progress.finish()
        try report(list.findings, entries: log.entries, figures, context)
        if !list.findings.isEmpty { throw ExitCode.negative }
    }

    /// Checks the packs; the errors of objects that cannot be read.
    private func audit(
        _ objects: PackStore, _ list: inout FindingList, _ context: CommandContext
    ) -> [ObjectID: ObjectError] {
        var damaged: [ObjectID: ObjectError] = [:]
        let done = ByteCount()
        let progress = context.progress
        let total = objects.packs.reduce(0) { $0 + $1.size }
        let found = objects.audit(full: full) { count in
            let sum = done.add(count)
            progress.update("reading", bytes: sum, of: max(total, sum))
        }
        for damage in found {
            var place = "packs/\(damage.pack.hex)"
            if case .damagedPack = damage.error { place = damage.error.place }
            list.add(damage.error.message, at: place)
            if let id = damage.object { damaged[id] = damage.error }
        }
        return damaged
    }

    /// What refs pointed at before, which is followed as well to check everything.
    private func history(of state: State, in repository: Repository) throws -> [ObjectID] {
        guard full else { return [] }
        var history: [ObjectID] = []
        var entries = repository.log.entries()
        for number in 0...state.number {
            history += try entries.entry(number).changes.compactMap(\.new)
        }
        return history
    }

    private func report(
        _ findings: [FindingList.Finding], entries: Int, _ figures: PackStatistics,
        _ context: CommandContext
    ) throws {
        let output = context.output
        if output.isJSON {
            return try output.emit([
                "ok": .bool(findings.isEmpty), "full": .bool(full),
                "transactions": .integer(entries), "packs": .integer(figures.packs),
                "objects": .integer(figures.objects), "bytes": .integer(figures.rawBytes),
                "findings": .array(findings.map(\.json)),
            ])
        }
        for finding in findings {
            try output.line("\(output.style.red("damage:")) \(finding.problem.printable())")
            try output.line("    in \(finding.place.printable())")
            for affected in finding.affects {
                try output.line("    affects \(affected.printable())")
            }
        }
        let counts =
            "\(Quantity.count(entries, "transaction")), \(Quantity.count(figures.packs, "pack")), "
            + "\(Quantity.count(figures.objects, "object")), \(Quantity.bytes(figures.rawBytes))"
        try output.line(
            findings.isEmpty
                ? "\(output.style.green("sound")): \(counts)"
                : "\(Quantity.count(findings.count, "problem")) in \(counts)")
    }
}
