import ArgumentParser
import CommandSupport

/// The control plane of a repository.
struct Ftictl: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ftictl",
        abstract: "Versions of features, datasets, models and releases: store, compare, move.",
        discussion: """
            A repository holds immutable objects and refs that move. Every move of refs is one \
            transaction of a log.

            The repository is --repo, else $FTI_REPO, else the nearest .fti above the working \
            directory. ftictl NAME runs fti-NAME when NAME is not a command below.

            A revision (REV) is a ref (models/current), its earlier values (models/current@{1}), \
            its ancestors (models/current~2), an id or the beginning of one (3fa9c1), an input of \
            a snapshot (models/current^dataset), and with :PATH a file or a row in it.
            """,
        version: "ftictl \(Version.text)",
        subcommands: [
            InitCommand.self, PutCommand.self, GetCommand.self, CatCommand.self, ListCommand.self,
            ShowCommand.self, ResolveCommand.self, LogCommand.self, ReflogCommand.self,
            RefsCommand.self, StatusCommand.self, DiffCommand.self, MoveCommand.self,
            PromoteCommand.self, ReleaseCommand.self, RollbackCommand.self, UndoCommand.self,
            RefCommand.self, RemoveCommand.self, PinCommand.self,
            LineageCommand.self,
            VerifyCommand.self,
            KeyCommand.self, PolicyCommand.self, ApproveCommand.self,
            GcCommand.self,
            StatsCommand.self, CompletionCommand.self, ManualCommand.self,
        ])
}
