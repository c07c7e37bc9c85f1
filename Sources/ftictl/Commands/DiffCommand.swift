import ArgumentParser
import CommandSupport
import Objects
import Refs

struct DiffCommand: Command {
    static let configuration = CommandConfiguration(
        "diff", abstract: "Compare two versions: rows, files, tensors and metadata.",
        discussion: """
            The cost depends on how much differs, not on the size of the versions; in a tree, diff \
            also lists every directory. For a changed row, diff compares the text word by word. For \
            changed weights, it shows the relative L2 change of each tensor.
            """,
        examples: [
            "ftictl diff features/prod features/staging",
            "ftictl diff models/current~1 models/current --stat",
            "ftictl diff features/prod@{yesterday} features/prod --rows --json",
            "ftictl diff models/a:model.safetensors models/b:model.safetensors",
        ])

    @Argument(
        help: ArgumentHelp("The old version.", valueName: "rev[:path]"), completion: .revisions)
    var before: String

    @Argument(
        help: ArgumentHelp("The new version.", valueName: "rev[:path]"), completion: .revisions)
    var after: String

    @Flag(help: "Show only counts: per document or file, and in total.")
    var stat = false

    @Flag(help: "Show each change of the content; with --json, one line per change.")
    var rows = false

    @Flag(help: "Exit with 1 if there are differences.")
    var exitCode = false

    @OptionGroup var options: GlobalOptions

    static var isPaged: Bool { true }

    func run(_ context: CommandContext) throws {
        let repository = try context.open()
        let left = try Comparand(before, in: repository)
        let right = try Comparand(after, in: repository)
        var report = DiffReport(
            objects: try repository.objects, context: context, detail: detail)
        switch (left.content, right.content) {
        case (.table(let first), .table(let second)):
            try report.compare(first, second, metadata: metadata(left, right))
        case (.tree(let first), .tree(let second)):
            try report.compare(tree: first, second, metadata: metadata(left, right))
        case (.file(let first), .file(let second)): try report.compare(file: first, second)
        case (.row(let first), .row(let second)): try report.compare(row: first, second)
        default:
            throw CommandError.usage(
                "\(before) is a \(left.content.noun) and \(after) is a \(right.content.noun)",
                remedy: "compare two of the same kind")
        }
        if exitCode, report.hasDifferences { throw ExitCode.negative }
    }

    /// Text shows every change unless `--stat` is given; JSON lists them only with `--rows`.
    private var detail: DiffReport.Detail {
        stat ? .places : options.json && !rows ? .counts : .changes
    }

    private func metadata(_ left: Comparand, _ right: Comparand) -> [MetadataChange] {
        guard let before = left.snapshot, let after = right.snapshot else { return [] }
        return MetadataChange.between(before, after)
    }
}

/// One side of a comparison.
struct Comparand {
    enum Content {
        case table(Table)
        case tree(ObjectID)
        case file(TreeEntry)
        case row(TableRow)

        var noun: String {
            switch self {
            case .table: "table"
            case .tree: "tree"
            case .file: "file"
            case .row: "row"
            }
        }
    }

    let content: Content
    /// The snapshot, if it is compared as a whole; nil for a part of one.
    let snapshot: Snapshot?

    init(_ text: String, in repository: OpenRepository) throws {
        let resolution = try repository.resolve(text)
        switch resolution.target {
        case .snapshot(let id):
            let snapshot = try repository.snapshot(id)
            self.snapshot = snapshot
            content =
                switch snapshot.content {
                case .tree(let root, _, _): .tree(root)
                case .table(let table): .table(table)
                }
        case .entry(let entry):
            snapshot = nil
            content = entry.mode == .directory ? .tree(entry.id) : .file(entry)
        case .row(let key):
            snapshot = nil
            let row = try repository.row(key, of: resolution)
            content = .row(row)
        case .object(let id): throw RefError.revision(.notASnapshot(id))
        }
    }
}
