import ArgumentParser
import CommandSupport
import Objects
import Refs

struct UndoCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "undo",
        abstract: "Take back the newest transaction that moved a ref.",
        discussion: ArgumentHelp.discussion(
            """
            All refs that it moved go back in one new transaction; the old one stays in the log, \
            and undoing twice does it again.
            """,
            examples: ["ftictl undo"]))

    @OptionGroup var options: GlobalOptions

    func run(_ context: CommandContext) throws {
        let repository = try context.repository()
        let state = try repository.state()
        let reversal = try repository.log.reversal(in: state)
        let transaction = try repository.begin(on: state, writer: context.writer)
        let commit = try transaction.commit(
            reversal.updates, message: "undo transaction \(reversal.transaction)")
        var extra = JSONObject()
        extra["undone"] = .integer(reversal.transaction)
        try context.output.report(commit, extra: extra)
    }
}
