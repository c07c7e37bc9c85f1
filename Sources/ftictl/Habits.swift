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
