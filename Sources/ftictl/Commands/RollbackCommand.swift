import ArgumentParser
import CommandSupport
import Objects
import Refs

struct RollbackCommand: Command {
    static let configuration = CommandConfiguration(
        "rollback", abstract: "Move refs back to the version before their current one.",
        discussion: """
            Nothing is copied and nothing is lost: the abandoned version stays in the log. Rolling \
            back twice goes back two versions. Several refs move in one transaction, or none does.
            """,
        examples: [
            "ftictl rollback models/current",
            "ftictl rollback features/prod models/current",
            "ftictl rollback models/current --to models/current~3",
        ])

    @Argument(help: "The refs to move.", completion: .revisions)
    var refs: [String]

    @Option(help: ArgumentHelp("The version to go back to, for one ref only.", valueName: "rev"))
    var to: String?

    @OptionGroup var gates: GateOptions

    @OptionGroup var options: GlobalOptions

    func validate() throws {
        if to != nil, refs.separated.count > 1 { throw ValidationError("--to takes one ref only") }
    }

    func run(_ context: CommandContext) throws {
        let repository = try context.open()
        let names = try refs.separated.map { try RefName($0) }
        try repository.writing(names) { try rollBack(names, in: repository, context) }
    }

    private func rollBack(
        _ names: [RefName], in repository: OpenRepository, _ context: CommandContext
    ) throws {
        let updates: [RefUpdate]
        if let to {
            let current = try repository.target(of: names[0])
            updates = [
                RefUpdate(
                    names[0], expected: .exactly(current), new: try repository.snapshotID(to))
            ]
        } else {
            updates = try repository.repository.updates(
                rollingBack: names, in: repository.state)
        }
        let moves = updates.map { "\($0.name) back to \($0.new?.short ?? "")" }
        let outcome = try repository.repository.move(
            updates, in: repository.state, by: context.writer,
            gates.options(message: GeneratedMessage.text("roll", moves)))
        try gates.report(outcome, context.output)
    }
}
