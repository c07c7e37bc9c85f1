import ArgumentParser
import CommandSupport
import Maintenance
import Objects
import Refs

struct UndoCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "undo",
        abstract: "Take back a transaction: the newest that moved a ref, or the one that is named.",
        discussion: ArgumentHelp.discussion(
            """
            All refs that it moved go back in one new transaction; the old one stays in the log, \
            and undoing twice does it again. What a gc removed is brought back as long as the files \
            of its packs are there; point a ref at it or pin it, or the next gc removes it again.
            """,
            examples: ["ftictl undo", "ftictl undo 41"]))

    @Argument(help: ArgumentHelp("The transaction.", valueName: "transaction"))
    var number: Int?

    @OptionGroup var override: OverrideOption

    @OptionGroup var options: GlobalOptions

    func run(_ context: CommandContext) throws {
        let repository = try context.repository()
        let state = try repository.state()
        if let number, try repository.log.entry(number).changes.isEmpty {
            return try report(repository.restore(number, writer: context.writer), context)
        }
        let reversal = try repository.log.reversal(of: number, in: state)
        let transaction = try repository.begin(on: state, writer: context.writer)
        let commit = try transaction.commit(
            reversal.updates, message: "undo transaction \(reversal.transaction)",
            overriding: override.reason)
        try override.note(commit, context.output)
        var extra = JSONObject()
        extra["undone"] = .integer(reversal.transaction)
        try context.output.report(commit, extra: extra)
    }

    private func report(_ restoration: Restoration, _ context: CommandContext) throws {
        if context.output.isJSON {
            return try context.output.emit([
                "transaction": .integer(restoration.transaction),
                "undone": .integer(restoration.undone), "pack": .id(restoration.pack.name),
                "bytes": .integer(restoration.pack.size), "refs": [],
            ])
        }
        try context.output.line(
            "brought back \(Quantity.bytes(restoration.pack.size)) of "
                + "\(Quantity.count(restoration.packCount, "pack")) that transaction "
                + "\(restoration.undone) removed (transaction \(restoration.transaction))")
    }
}
