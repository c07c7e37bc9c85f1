import ArgumentParser
import CommandSupport
import Maintenance
import Objects
import Refs

struct UndoCommand: Command {
    static let configuration = CommandConfiguration(
        "undo", abstract: "Undo a transaction: the given one, or the newest that moved a ref.",
        discussion: """
            A new transaction moves all refs of the old one back; the old one stays in the log. \
            Undoing the undo redoes it. Undoing a gc restores the packs it removed, as long as \
            their files exist; pin the restored data or point a ref at it, or the next gc removes \
            it again.
            """,
        examples: ["ftictl undo", "ftictl undo 41"])

    @Argument(help: ArgumentHelp("The number of the transaction.", valueName: "transaction"))
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
        try context.output.result(
            [
                "transaction": .integer(restoration.transaction),
                "undone": .integer(restoration.undone), "pack": .id(restoration.pack.name),
                "bytes": .integer(restoration.pack.size), "refs": [],
            ],
            "restored \(Quantity.bytes(restoration.pack.size)) of "
                + "\(Quantity.count(restoration.packCount, "pack")) that transaction "
                + "\(restoration.undone) removed (transaction \(restoration.transaction))")
    }
}
