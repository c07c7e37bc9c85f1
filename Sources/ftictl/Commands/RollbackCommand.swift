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
        let names = try refs.separated.map { try RefName($0) }
        let updates: [RefUpdate]
        if let to {
            let current = try repository.target(of: names[0])
            updates = [
                RefUpdate(
                    names[0], expected: .exactly(current), new: try repository.snapshotID(to))
            ]
        } else {
            updates = try repository.repository.rollback(of: names, in: repository.state)
        }
        let moves = updates.map { "\($0.name) back to \($0.new?.short ?? "")" }
        try gates.move(
            updates, on: repository,
            message: GeneratedMessage.text("roll", moves), context)
    }
}
