import ArgumentParser
import CommandSupport
import Objects
import Refs

struct RefCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ref",
        abstract: "Delete, rename and restore refs.",
        discussion: ArgumentHelp.discussion(
            """
            The log keeps the history of a deleted ref. What only it pointed at is kept as long as gc keeps old \
            values by their age (--keep, 30 days), and until then ref restore brings it back.
            """,
            examples: [
                "ftictl ref delete models/experiment",
                "ftictl ref rename models/try-7 models/candidate",
                "ftictl ref restore models/experiment",
            ]),
        subcommands: [
            RefDeleteCommand.self, RefRenameCommand.self, RefRestoreCommand.self,
        ])
}

struct RefDeleteCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "delete", abstract: "Delete refs, all in one transaction or none.",
        discussion: ArgumentHelp.discussion(
            "",
            examples: [
                "ftictl ref delete models/experiment",
                "ftictl ref delete models/a models/b --dry-run",
            ]))

    @Argument(help: "The refs to delete.", completion: .revisions)
    var refs: [String]

    @OptionGroup var gates: GateOptions

    @OptionGroup var options: GlobalOptions

    func run(_ context: CommandContext) throws { try gates.delete(refs, context) }
}

/// `ftictl ref delete` under the name that people type first.
struct RemoveCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "rm", abstract: "Delete refs: the same as ref delete.",
        discussion: ArgumentHelp.discussion("", examples: ["ftictl rm models/experiment"]))

    @Argument(help: "The refs to delete.", completion: .revisions)
    var refs: [String]

    @OptionGroup var gates: GateOptions

    @OptionGroup var options: GlobalOptions

    func run(_ context: CommandContext) throws { try gates.delete(refs, context) }
}

struct RefRenameCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "rename", abstract: "Give a ref another name, in one transaction.",
        discussion: ArgumentHelp.discussion(
            "The history up to here stays with the old name.",
            examples: ["ftictl ref rename models/try-7 models/candidate"]))

    @Argument(help: "The ref.", completion: .revisions)
    var old: String

    @Argument(help: "Its new name, in the same namespace; no ref may have it.")
    var new: String

    @OptionGroup var gates: GateOptions

    @OptionGroup var options: GlobalOptions

    func run(_ context: CommandContext) throws {
        let names = (try RefName(old), try RefName(new))
        let repository = try context.open()
        try gates.move(
            try Repository.renaming(names.0, to: names.1, in: repository.state), on: repository,
            message: "rename \(names.0) to \(names.1)", context)
    }
}

struct RefRestoreCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "restore", abstract: "Bring back deleted refs, each to where it was last.",
        discussion: ArgumentHelp.discussion(
            "", examples: ["ftictl ref restore models/experiment"]))

    @Argument(help: "The refs to bring back.")
    var refs: [String]

    @OptionGroup var gates: GateOptions

    @OptionGroup var options: GlobalOptions

    func run(_ context: CommandContext) throws {
        let names = try refs.separated.map { try RefName($0) }
        let repository = try context.open()
        try gates.move(
            try repository.repository.restoration(of: names, in: repository.state),
            on: repository, message: GeneratedMessage.text("restore", names.map(\.text)), context)
    }
}

extension GateOptions {
    fileprivate func delete(_ refs: [String], _ context: CommandContext) throws {
        let names = try refs.separated.map { try RefName($0) }
        let repository = try context.open()
        try move(
            try Repository.deletion(of: names, in: repository.state), on: repository,
            message: GeneratedMessage.text("delete", names.map(\.text)), context)
    }
}
