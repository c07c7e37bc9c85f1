import ArgumentParser
import CommandSupport
import Objects
import Refs

struct RollbackCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "rollback",
        abstract: "Move refs back to the version before their current one.",
        discussion: ArgumentHelp.discussion(
            """
            Nothing is copied and nothing is lost: the version that is left stays in the log. \
            Rolling back twice goes back two versions. Several refs move in one transaction, or none.
            """,
            examples: [
                "ftictl rollback models/current",
                "ftictl rollback features/prod models/current",
                "ftictl rollback models/current --to models/current~3",
            ]))

    @Argument(help: "The refs to move.", completion: .revisions)
    var refs: [String]

    @Option(help: ArgumentHelp("The version to go back to; with one ref only.", valueName: "rev"))
    var to: String?

    @OptionGroup var gates: GateOptions

    @OptionGroup var options: GlobalOptions

    func validate() throws {
        if to != nil, refs.separated.count > 1 {
            throw ValidationError("--to says where one ref goes; name one ref only")
        }
    }

    func run(_ context: CommandContext) throws {
        let repository = try context.open()
        try repository.writing(try refs.separated.map { try RefName($0) }) {
            try rollBack(in: repository, context)
        }
    }

    private func rollBack(in repository: OpenRepository, _ context: CommandContext) throws {
        var updates: [RefUpdate] = []
        var moves: [String] = []
        for ref in refs.separated {
            let name = try RefName(ref)
            let current = try repository.target(of: name)
            let target =
                try to.map { try repository.snapshotID($0) }
                ?? previousVersion(of: name, before: current, in: repository)
            updates.append(RefUpdate(name, expected: .exactly(current), new: target))
            moves.append("\(name) back to \(target.short)")
        }
        try gates.move(
            updates, on: repository,
            message: GeneratedMessage.text("roll", moves), context)
    }

    /// What the ref was before it first got its current value: so a second rollback goes further back
    /// and not forth again. History is read as far as the transaction that made the current value.
    private func previousVersion(
        of name: RefName, before current: ObjectID, in repository: OpenRepository
    ) throws -> ObjectID {
        var history = repository.repository.log.history(of: name, in: repository.state)
        // A ref may have to be rolled back just because nothing can be read there.
        let snapshot = try? repository.snapshot(current)
        var previous: ObjectID?
        while let version = try history.next() {
            guard version.target == current else {
                // Before its removal a ref had a version as well.
                previous = previous ?? version.target
                continue
            }
            previous = version.previous
            if let snapshot, version.isNew(snapshot) { break }
        }
        guard let previous else {
            throw CommandError.missing(
                "\(name) has no version before \(current.short)",
                remedy: "ftictl rollback \(name) --to REV")
        }
        return previous
    }
}
