import ArgumentParser
import CommandSupport
import Glibc

/// The command `ftictl`.
struct Ftictl: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ftictl",
        abstract: "Version control for features, datasets, models and releases.",
        discussion: """
            A repository holds immutable objects and movable refs. Each change of refs is one \
            transaction of a log.

            The repository is --repo, else $FTI_REPO, else the nearest .fti in or above the working \
            directory. ftictl NAME runs fti-NAME if NAME is not a command below.

            A revision (REV) is a ref (models/current), an earlier value of one \
            (models/current@{1}), an ancestor (models/current~2), an id or a prefix of one \
            (3fa9c1), or an input of a snapshot (models/current^dataset). REV:PATH names a file \
            or a row in it.
            """,
        version: "ftictl \(Version.text)",
        subcommands: [
            InitCommand.self, PutCommand.self, GetCommand.self, CatCommand.self, ListCommand.self,
            ShowCommand.self, ResolveCommand.self, LogCommand.self, ReflogCommand.self,
            RefsCommand.self, StatusCommand.self, DiffCommand.self, MoveCommand.self,
            PromoteCommand.self, ReleaseCommand.self, RollbackCommand.self, UndoCommand.self,
            RefCommand.self, RemoveCommand.self, PinCommand.self,
            LineageCommand.self, ExplainCommand.self,
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
        let plain: (any Command)? =
            ResolveCommand(plain: arguments) ?? LogCommand(plain: arguments)
        if let plain { CommandLineTool.run(plain, Ftictl.self, arguments) }
        do {
            try ExternalCommand.runIfNamed(arguments)
            CommandLineTool.main(Ftictl.self, arguments)
        } catch {
            CommandLineTool.fail(error, arguments: arguments)
        }
    }
}

extension ResolveCommand {
    /// Recognises `resolve REV` without the parser: shell prompts and scripts run it all the time, and setting up the
    /// parser would double its time. Nil for any other command line, which goes to the parser.
    init?(plain arguments: [String]) {
        var rest = arguments
        let options = GlobalOptions(extractedFrom: &rest)
        guard rest.count == 2, rest[0] == "resolve", rest[1].utf8.first != UInt8(ascii: "-") else {
            return nil
        }
        self.init()
        revision = rest[1]
        self.options = options
    }
}

extension LogCommand {
    /// Recognises `log REF`, with `-n NUMBER` and `--oneline`, without the parser: setting it up takes longer than
    /// reading twenty versions. Nil for any other command line, which goes to the parser.
    init?(plain arguments: [String]) {
        var rest = arguments
        let options = GlobalOptions(extractedFrom: &rest)
        guard rest.count > 1, rest[0] == "log", rest[1].utf8.first != UInt8(ascii: "-") else {
            return nil
        }
        var number: Int?
        var oneline = false
        var index = 2
        while index < rest.count {
            switch rest[index] {
            case "--oneline" where !oneline: oneline = true
            case "-n" where number == nil && index + 1 < rest.count:
                index += 1
                let digits = rest[index].utf8
                guard digits.count < 10, digits.allSatisfy({ (0x30...0x39).contains($0) }),
                    let value = Int(rest[index]), value > 0
                else { return nil }
                number = value
            default: return nil
            }
            index += 1
        }
        self.init()
        ref = rest[1]
        count = CountOption()
        count.number = number
        self.options = options
        set(oneline: oneline)
        filter = ConditionOption()
        filter.text = nil
        since = nil
        until = nil
    }

    /// Within an initialiser, an assignment to a flag would only declare its default.
    private mutating func set(oneline: Bool) {
        self.oneline = oneline
        graph = false
    }
}

/// Commands that other executables provide: `ftictl feature run` runs `fti-feature run`.
enum ExternalCommand {
    /// Replaces this process with `fti-NAME` if the arguments name a command that is not built in.
    ///
    /// Looks next to this executable, then on the path.
    ///
    /// - Throws: `usage` if the arguments name no command, or one without an executable; the remedy then suggests a
    ///   similar command.
    static func runIfNamed(_ arguments: [String]) throws(CommandError) {
        let count = GlobalOptions.leadingCount(in: arguments)
        guard count < arguments.count else {
            guard let last = arguments.last else { return }
            throw .usage(
                last == "--repo" ? "--repo needs a value" : "no command given",
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
        // A command of another program takes precedence over a similar name: it is hardly a typo.
        let near = names.first { $0.utf8.starts(with: name.utf8) || similar($0, name) }
        throw .usage(
            "unknown command \(name): no \(executable) next to ftictl or on the path",
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

    /// Executes a file; returns only if that fails.
    private static func execute(_ path: String, _ arguments: [String]) {
        guard access(path, X_OK) == 0 else { return }
        var pointers = arguments.map { strdup($0) }
        pointers.append(nil)
        execv(path, pointers)
        for pointer in pointers { free(pointer) }
    }

    /// Whether two names differ by one wrong, missing or extra letter, or by two swapped ones.
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

/// Commands of git, DVC, the Hugging Face Hub, MLflow and restic, with their equivalents here.
enum Habits {
    /// The equivalent of another program's command; nil if there is none.
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
            "ftictl --help: fti has no settings, only options and environment variables"
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
            "cp -a .fti COPY.fti copies a repository; --repo COPY.fti uses the copy"
        case "serve", "server", "ui", "api", "web": "fti-inference serve CONFIG"
        case "run", "repro", "reproduce", "train": "fti-training run CONFIG"
        case "ingest", "index", "embed", "materialize", "apply": "fti-feature run CONFIG"
        case "predict", "query-model", "chat": "fti-inference ask QUESTION"
        default: nil
        }
    }
}
