import ArgumentParser
import CommandSupport
import Objects
import Refs

struct RefCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        "ref", abstract: "Delete, rename and restore refs.",
        discussion: """
            The log keeps the history of a deleted ref. After the deletion, gc keeps what only that \
            ref pointed at for --keep (by default 30 days); until then, ref restore brings the ref \
            back.
            """,
        examples: [
            "ftictl ref delete models/experiment",
            "ftictl ref rename models/try-7 models/candidate",
            "ftictl ref restore models/experiment",
        ],
        subcommands: [
            RefDeleteCommand.self, RefRenameCommand.self, RefRestoreCommand.self,
        ])
}

struct RefDeleteCommand: Command {
    static let configuration = CommandConfiguration(
        "delete", abstract: "Delete refs, all in one transaction or none.",
        discussion: "",
        examples: [
            "ftictl ref delete models/experiment",
            "ftictl ref delete models/a models/b --dry-run",
        ])

    @Argument(help: "The refs to delete.", completion: .revisions)
    var refs: [String]

    @OptionGroup var gates: GateOptions

    @OptionGroup var options: GlobalOptions

    func run(_ context: CommandContext) throws { try gates.delete(refs, context) }
}

/// `ftictl ref delete` by the name that people try first.
struct RemoveCommand: Command {
    static let configuration = CommandConfiguration(
        "rm", abstract: "Delete refs: the same as ref delete.",
        discussion: "", examples: ["ftictl rm models/experiment"])

    @Argument(help: "The refs to delete.", completion: .revisions)
    var refs: [String]

    @OptionGroup var gates: GateOptions

    @OptionGroup var options: GlobalOptions

    func run(_ context: CommandContext) throws { try gates.delete(refs, context) }
}

struct RefRenameCommand: Command {
    static let configuration = CommandConfiguration(
        "rename", abstract: "Rename a ref within its namespace.",
        discussion: "The history so far stays with the old name.",
        examples: ["ftictl ref rename models/try-7 models/candidate"])

    @Argument(help: "The ref to rename.", completion: .revisions)
    var old: String

    @Argument(help: "The new name, which no ref may have.")
    var new: String

    @OptionGroup var gates: GateOptions

    @OptionGroup var options: GlobalOptions

    func run(_ context: CommandContext) throws {
        let (old, new) = (try RefName(old), try RefName(new))
        let repository = try context.repository()
        let outcome = try repository.rename(
            old, to: new, in: try repository.state(), by: context.writer,
            gates.options(message: "rename \(old) to \(new)"))
        try gates.report(outcome, context.output)
    }
}

struct RefRestoreCommand: Command {
    static let configuration = CommandConfiguration(
        "restore", abstract: "Restore deleted refs, each with its last value.",
        discussion: "", examples: ["ftictl ref restore models/experiment"])

    @Argument(help: "The refs to restore.")
    var refs: [String]

    @OptionGroup var gates: GateOptions

    @OptionGroup var options: GlobalOptions

    func run(_ context: CommandContext) throws {
        let names = try refs.separated.map { try RefName($0) }
        let repository = try context.repository()
        let outcome = try repository.restore(
            names, in: try repository.state(), by: context.writer,
            gates.options(message: GeneratedMessage.text("restore", names.map(\.text))))
        try gates.report(outcome, context.output)
    }
}

extension GateOptions {
    fileprivate func delete(_ refs: [String], _ context: CommandContext) throws {
        let names = try refs.separated.map { try RefName($0) }
        let repository = try context.repository()
        let outcome = try repository.delete(
            names, in: try repository.state(), by: context.writer,
            options(message: GeneratedMessage.text("delete", names.map(\.text))))
        try report(outcome, context.output)
    }
}
