import ArgumentParser
import CommandSupport
import Objects
import Refs

struct PromoteCommand: Command {
    static let configuration = CommandConfiguration(
        "promote",
        abstract: "Point refs at what other refs point at, in one transaction or not at all.",
        discussion: """
            Readers see either all of the moves or none of them. If a gate refuses one move, none \
            takes place. Gates are evaluated on the refs as they would be after all of the moves.
            """,
        examples: [
            "ftictl promote models/candidate models/current",
            "ftictl promote features/staging features/prod models/new models/current",
            "ftictl promote models/candidate models/current --dry-run",
        ])

    @Argument(
        help: ArgumentHelp("Pairs of a revision and the ref to point at it.", valueName: "src dst"),
        completion: .revisions)
    var pairs: [String] = []

    @OptionGroup var gates: GateOptions

    @OptionGroup var options: GlobalOptions

    func validate() throws {
        guard !pairs.isEmpty, pairs.separated.count.isMultiple(of: 2) else {
            throw ValidationError("promote takes pairs of SRC and DST")
        }
    }

    func run(_ context: CommandContext) throws {
        let repository = try context.open()
        try repository.writing { try promote(in: repository, context) }
    }

    private func promote(in repository: OpenRepository, _ context: CommandContext) throws {
        var updates: [RefUpdate] = []
        var moves: [String] = []
        let pairs = pairs.separated
        for index in stride(from: 0, to: pairs.count, by: 2) {
            let name = try RefName(pairs[index + 1])
            let target = try repository.snapshotID(pairs[index])
            updates.append(RefUpdate(name, new: target))
            moves.append("\(pairs[index]) to \(name)")
        }
        let outcome = try repository.repository.move(
            updates, in: repository.state, by: context.writer,
            gates.options(message: GeneratedMessage.text("promote", moves)))
        try gates.report(outcome, context.output)
    }
}
