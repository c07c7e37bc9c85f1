import ArgumentParser
import CommandSupport
import Glibc

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

@main
struct Main {
    static func main() {
        let arguments = Array(CommandLine.arguments.dropFirst())
        if let command = ResolveCommand(plain: arguments) {
            CommandLineTool.run(command, Ftictl.self, arguments)
        }
        if let command = LogCommand(plain: arguments) {
            CommandLineTool.run(command, Ftictl.self, arguments)
        }
        do {
            try ExternalCommand.runIfNamed(arguments)
            CommandLineTool.main(Ftictl.self, arguments)
        } catch {
            CommandLineTool.fail(error, arguments: arguments)
        }
    }
}

/// A command that another executable provides: `ftictl feature run` is `fti-feature run`.
enum ExternalCommand {
    /// Becomes `fti-NAME` when the arguments name a command that is not built in.
    ///
    /// It is looked for beside this executable, then on the path.
    ///
    /// - Throws: `usage` when there is no such executable; says which commands are like it.
    static func runIfNamed(
        _ arguments: [String]
    ) throws(CommandError) {
        let count = GlobalOptions.leadingCount(in: arguments)
        guard count < arguments.count else {
            guard let last = arguments.last else { return }
            throw .usage(
                last == "--repo" ? "--repo lacks its value" : "no command is named",
                remedy: "ftictl --help")
        }
        var arguments = arguments
        if arguments[count] == "help", arguments.count == count + 2,
            isName(arguments[count + 1]),
            Ftictl.commandPath(in: [arguments[count + 1]]).isEmpty
        {
            arguments[count...] = [arguments[count + 1], "--help"]
        }
        let name = arguments[count]
        guard isName(name), Ftictl.commandPath(in: [name]).isEmpty, name != "help" else { return }
        let executable = "fti-\(name)"
        var passed = arguments
        passed.remove(at: count)
        for directory in directories() {
            execute("\(directory)/\(executable)", [executable] + passed)
        }
        let names = Ftictl.configuration.subcommands.map { $0._commandName }
        // What is the name of another program's command is no slip of the hand.
        let near = names.first { $0.utf8.starts(with: name.utf8) || similar($0, name) }
        throw .usage(
            "there is no command \(name), and no \(executable) beside ftictl or on the path",
            remedy: Habits.remedy(for: name) ?? near.map { "ftictl \($0)" } ?? "ftictl --help")
    }

    private static func isName(_ text: String) -> Bool {
        text.utf8.first != UInt8(ascii: "-")
            && text.utf8.allSatisfy { byte in
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || byte == UInt8(ascii: "-")
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
            }
    }

    private static func directories() -> [String] {
        var directories: [String] = []
        var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX))
        let length = buffer.withUnsafeMutableBytes { bytes in
            bytes.baseAddress.map { readlink("/proc/self/exe", $0, bytes.count) } ?? -1
        }
        if length > 0 {
            let path = String(decoding: buffer.prefix(length), as: UTF8.self)
            if let slash = path.lastIndex(of: "/") { directories.append(String(path[..<slash])) }
        }
        let path = Environment.variable("PATH") ?? ""
        return directories + path.split(separator: ":").map(String.init)
    }

    /// Returns only when the file cannot be executed.
    private static func execute(_ path: String, _ arguments: [String]) {
        guard access(path, X_OK) == 0 else { return }
        var pointers = arguments.map { strdup($0) }
        pointers.append(nil)
        execv(path, pointers)
        for pointer in pointers { free(pointer) }
    }

    /// Whether two names differ by one letter that is wrong, missing, extra or swapped.
    private static func similar(_ left: String, _ right: String) -> Bool {
        let left = Array(left.utf8)
        let right = Array(right.utf8)
        let prefix = zip(left, right).prefix { $0 == $1 }.count
        let suffix = zip(left.dropFirst(prefix).reversed(), right.dropFirst(prefix).reversed())
            .prefix { $0 == $1 }.count
        let restLeft = left.count - prefix - suffix
        let restRight = right.count - prefix - suffix
        return restLeft <= 1 && restRight <= 1
            || restLeft == 2 && restRight == 2 && left[prefix] == right[prefix + 1]
                && left[prefix + 1] == right[prefix]
    }
}

/// Commands of git, DVC, the Hugging Face Hub, MLflow and restic, with what does the same here.
enum Habits {
    /// What to type in the place of a command of another program; nil for one that nobody types.
    static func remedy(for name: String) -> String? {
        switch name {
        case "add", "commit", "backup", "import", "import-url", "upload", "upload-large-folder",
            "save", "store",
            "track", "log-model", "log-artifact", "log-artifacts", "hash-object":
            "ftictl put REF PATH"
        case "checkout", "restore", "switch", "export", "download", "dump", "extract", "archive":
            "ftictl get REV -o DIR"
        case "branch", "show-ref", "for-each-ref", "list", "dir", "tree", "branches", "tags",
            "ls-remote", "models", "datasets", "features", "releases":
            "ftictl refs"
        case "ls-tree", "ls-files", "files": "ftictl ls REV"
        case "tag", "cp", "copy", "alias", "register", "stage", "deploy", "merge", "transition":
            "ftictl promote REV REF"
        case "update-ref": "ftictl move REF REV"
        case "mv", "rename": "ftictl ref rename OLD NEW"
        case "delete", "del", "remove", "unlink": "ftictl ref delete REF"
        case "reset", "revert": "ftictl rollback REF"
        case "snapshots", "history", "whatchanged", "experiments", "exp", "runs", "shortlog":
            "ftictl log REF"
        case "metrics", "params", "describe", "inspect", "info", "cat-file", "scan-cache":
            "ftictl show REV"
        case "config", "settings":
            "ftictl --help: there are options and environment variables, and no settings"
        case "compare", "plots", "difftool", "range-diff": "ftictl diff REV REV"
        case "grep", "search", "find", "filter", "query": "ftictl ls REV --where CONDITION"
        case "blame", "annotate", "dag", "why", "trace": "ftictl lineage REV"
        case "fsck", "check", "doctor", "validate": "ftictl verify"
        case "prune", "repack", "forget", "clean", "compact", "gc-collect", "delete-cache",
            "vacuum":
            "ftictl gc"
        case "rev-parse", "name-rev", "hash", "id": "ftictl resolve REV"
        case "lock", "freeze": "ftictl pin REV"
        case "unlock": "ftictl pin --release FILE"
        case "login", "auth", "whoami", "keys", "logout": "ftictl key list"
        case "du", "df", "size", "count-objects", "usage": "ftictl stats"
        case "version": "ftictl --version"
        case "create", "new", "repo": "ftictl init"
        case "remote", "push", "pull", "fetch", "clone", "sync", "mirror", "bundle":
            "cp -a .fti COPY.fti copies a repository, and --repo COPY.fti names the copy"
        case "serve", "server", "ui", "api", "web": "fti-inference ask QUESTION"
        case "run", "repro", "reproduce", "train": "fti-training run CONFIG"
        case "ingest", "index", "embed", "materialize", "apply": "fti-feature run CONFIG"
        case "predict", "query-model", "chat": "fti-inference ask QUESTION"
        default: nil
        }
    }
}
