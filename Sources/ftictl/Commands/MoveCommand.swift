import ArgumentParser
import CommandSupport
import Objects
import Refs

struct MoveCommand: Command {
    static let configuration = CommandConfiguration(
        "move", abstract: "Point a ref at a snapshot.",
        discussion: """
            With --expect, the ref moves only if it points at that snapshot now (none: only if it \
            does not exist); otherwise move exits with 3.
            """,
        examples: [
            "ftictl move models/current models/current~1",
            "ftictl move models/current 3fa9c1 --expect 81c04d5e9a11",
        ])

    @Argument(help: .refToMove, completion: .revisions)
    var ref: String

    @Argument(
        help: ArgumentHelp("The snapshot to point it at.", valueName: "rev"),
        completion: .revisions)
    var revision: String

    @Option(help: ArgumentHelp("What the ref must point at now.", valueName: "id|none"))
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
