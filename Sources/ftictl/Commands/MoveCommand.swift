import ArgumentParser
import CommandSupport
import Objects
import Refs

struct MoveCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "move",
        abstract: "Move a ref to a snapshot.",
        discussion: ArgumentHelp.discussion(
            """
            With --expect the ref is moved only if it is at that snapshot now (none: only if it \
            does not exist), and exit code 3 says that it is not.
            """,
            examples: [
                "ftictl move models/current models/current~1",
                "ftictl move models/current 3fa9c1 --expect 81c04d5e9a11",
            ]))

    @Argument(help: "The ref to move; it is made when there is none.", completion: .revisions)
    var ref: String

    @Argument(
        help: ArgumentHelp("The snapshot that it is to point at.", valueName: "rev"),
        completion: .revisions)
    var revision: String

    @Option(help: ArgumentHelp("What the ref must be now.", valueName: "id|none"))
    var expect: String?

    @OptionGroup var gates: GateOptions

    @OptionGroup var options: GlobalOptions

    func run(_ context: CommandContext) throws {
        let name = try RefName(ref)
        let repository = try context.open()
        try repository.writing([name]) { try move(name, in: repository, context) }
    }

    private func move(
        _ name: RefName, in repository: OpenRepository, _ context: CommandContext
    ) throws {
        let target = try repository.snapshotID(revision)
        let expectation: Expectation =
            switch expect {
            case nil: .anything
            case "none"?: .absent
            case let text?:
                .exactly(try ObjectID(hex: text) ?? repository.snapshotID(text))
            }
        let outcome = try repository.repository.move(
            [RefUpdate(name, expected: expectation, new: target)], in: repository.state,
            by: context.writer, gates.options(message: "move \(name) to \(target.short)"))
        try gates.report(outcome, context.output)
    }
}
