import ArgumentParser
import CommandSupport
import Objects
import Refs
import Storage

struct ListCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "ls",
        abstract: "List the files of a tree or the rows of a table.",
        discussion: ArgumentHelp.discussion(
            "",
            examples: [
                "ftictl ls models/current", "ftictl ls models/current:tokenizer",
                "ftictl ls -r models/current --json", "ftictl ls features/prod | head",
            ]))

    @Argument(help: ArgumentHelp("What to list.", valueName: "rev[:path]"))
    var revision: String

    @Flag(name: [.short, .long], help: "List what is in directories too.")
    var recursive = false

    @OptionGroup var options: GlobalOptions

    func run(_ context: CommandContext) throws {
        let repository = try context.open()
        let resolution = try repository.resolve(revision)
        switch resolution.target {
        case .snapshot(let id):
            switch try repository.snapshot(id).content {
            case .tree(let root, _, _):
                try list(tree: root, below: .root, in: repository, context)
            case .table(let root, let rows, let dimension):
                let table = Table(root: root, rows: rows, dimension: dimension)
                try list(table, in: repository, context)
            }
        case .entry(let entry) where entry.mode == .directory:
            try list(tree: entry.id, below: .root, in: repository, context)
        case .entry(let entry):
            try show([Item(path: entry.name.description, entry: entry)], context)
        case .object(let id):
            do {
                try list(tree: id, below: .root, in: repository, context)
            } catch ObjectError.malformed(id, as: _, reason: _, offset: _) {
                // Its bytes are those that the id vouches for: they are of another sort.
                throw CommandError.usage(
                    "object \(id.short) is not a directory", remedy: "ftictl show \(id.short)")
            }
        case .row:
            throw CommandError.usage(
                "\(revision) is a row, which holds nothing to list",
                remedy: "ftictl cat \(revision)")
        }
    }

    private func list(
        tree: ObjectID, below path: RelativePath, in repository: OpenRepository,
        _ context: CommandContext
    ) throws {
        var walk = try TreeWalk(tree, in: repository.objects, below: path)
        var items: [Item] = []
        while let element = try walk.next() {
            if recursive, element.entry.mode == .directory { continue }
            items.append(Item(path: element.path.description, entry: element.entry))
            if !recursive, element.entry.mode == .directory { walk.skipContent() }
        }
        try show(items, context)
    }

    private struct Item {
        let path: String
        let entry: TreeEntry
    }

    private func show(_ items: [Item], _ context: CommandContext) throws {
        let output = context.output
        if output.isJSON {
            let entries = items.map { item -> JSON in
                [
                    "path": .string(item.path), "mode": .string(item.entry.mode.word),
                    "size": .integer(item.entry.size), "id": .id(item.entry.id),
                ]
            }
            return try output.emit(["entries": .array(entries)])
        }
        var columns = Columns([.left, .left, .right, .left])
        for item in items {
            let entry = item.entry
            let isDirectory = entry.mode == .directory
            let name = item.path.printable() + (isDirectory ? "/" : "")
            columns.append([
                Columns.Cell(entry.mode.letter, output.style.dim),
                Columns.Cell(entry.id.short, output.style.yellow),
                Columns.Cell(isDirectory ? "" : Quantity.bytes(entry.size)),
                isDirectory ? Columns.Cell(name, output.style.cyan) : Columns.Cell(name),
            ])
        }
        for line in columns.lines { try output.line(line) }
    }

    private func list(
        _ table: Table, in repository: OpenRepository, _ context: CommandContext
    ) throws {
        var cursor = TableCursor(table, in: try repository.objects)
        while let row = try cursor.next() {
            if context.output.isJSON {
                try context.output.emit([
                    "key": .string(row.key), "attributes": .object(row.attributes),
                ])
            } else {
                try context.output.line(row.key.printable())
            }
        }
    }
}

extension TreeEntry.Mode {
    /// The word that JSON results have for it.
    var word: String {
        switch self {
        case .file: "file"
        case .executable: "executable"
        case .directory: "directory"
        }
    }
}
