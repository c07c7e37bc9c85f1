import ArgumentParser
import CommandSupport
import Objects
import Refs
import Storage

struct StatusCommand: Command {
    static let configuration = CommandConfiguration(
        "status",
        abstract: "Show what is in production, who serves it, and what could replace it.",
        discussion: """
            Refs named prod, production, current or live are in production; refs named staging, \
            stage, candidate or next hold versions that may replace them. For each of these versions \
            that is newer, status shows whether its promotion would pass the gates and, for \
            features, how many documents differ. It also shows which versions the running replicas \
            of inference services serve, and compares the lock file fti.lock in the working \
            directory with what its revisions name now.
            """,
        examples: ["ftictl status", "ftictl status --json"])

    @OptionGroup var options: GlobalOptions

    static var isPaged: Bool { true }

    func run(_ context: CommandContext) throws {
        let repository = try context.open()
        let production = try ProductionRef.all(in: repository, writer: context.writer)
        try show(production, in: repository, context)
        // Report a broken ref after everything else.
        if let problem = production.lazy.compactMap(\.problem).first { throw problem }
    }

    private func show(
        _ production: [ProductionRef], in repository: OpenRepository, _ context: CommandContext
    ) throws {
        let pins = try pins(in: repository, context.output)
        let leases = try repository.repository.leases()
        let fleets = Fleet.all(leases, in: repository)
        if context.output.isJSON {
            return try context.output.emit([
                "production": .array(production.map(\.json)),
                "waiting": .array(
                    production.flatMap { ref in ref.waiting.map { $0.json(for: ref.name) } }),
                "pins": pins.map { .array($0.differences.map(\.json)) } ?? .null,
                "serving": .array(fleets.map(\.json)),
                "leases": .array(leases.map(\.json)),
                "transaction": .integer(repository.state.number),
            ])
        }
        let labels = try RefLabels.read(in: repository)
        let view = StatusView(style: context.output.style, now: context.now, labels: labels)
        var lines: [String] = []
        for ref in production { lines += view.lines(ref) }
        if lines.isEmpty {
            lines = [
                "nothing in production: no ref is named prod, production, current or live",
                "  try: ftictl promote REV models/current",
            ]
        }
        let fleetView = FleetView(style: context.output.style, now: context.now)
        lines += fleets.flatMap(fleetView.lines)
        lines += view.lines(pins) + view.lines(leases)
        for line in lines { try context.output.line(line) }
    }

    /// The pins of the lock file in the working directory; nil if there is none, if it is for another repository or,
    /// with a warning, if it cannot be read.
    private func pins(in repository: OpenRepository, _ output: Output) throws -> PinComparison? {
        let lock: LockFile
        do { lock = try LockFile(at: LockFile.usualName) } catch let error as StorageError
            where error.isAbsence
        { return nil } catch let error as any Diagnosable {
            // A bad lock file must not hide what is in production.
            try output.warn(error.message)
            return nil
        }
        guard lock.repository == repository.state.repositoryID else { return nil }
        return try PinComparison(lock, in: repository)
    }
}

extension ProductionRef {
    fileprivate var json: JSON {
        [
            "ref": .string(name.text), "id": .id(ref.target),
            "kind": .string(name.namespace.kind.rawValue), "since": .string(ref.time.description),
            "transaction": .integer(ref.transaction),
            "message": snapshot.map { .string($0.message) } ?? .null,
            "broken": problem.map { .string($0.message) } ?? .null,
        ]
    }
}

extension ProductionRef.Waiting {
    fileprivate func json(for production: RefName) -> JSON {
        [
            "ref": .string(name.text), "id": .id(ref.target), "for": .string(production.text),
            "since": .string(ref.time.description), "passes": .bool(passes),
            "gates": .array((gates ?? []).map(\.json)),
            "refusal": refusal.map { .string($0.message) } ?? .null,
            "documents": documents.map { .object($0.counts.json) } ?? .null,
        ]
    }
}

extension Lease {
    /// A line of `pin --leases --json`, and an element of `leases` in `status --json`.
    var json: JSON {
        [
            "lease": .string(name.hex), "purpose": .string(purpose),
            "seconds": seconds.map { .integer($0) } ?? .null,
            "snapshots": .array(snapshots.map { .id($0) }),
            "serving": serving?.json ?? .null,
        ]
    }
}
