import Conditions
import ArgumentParser
import CommandSupport
import Objects
import Refs
import Storage

struct ListCommand: Command {
    static let configuration = CommandConfiguration(
        "ls", abstract: "List the files of a tree or the rows of a table.",
        discussion: """
            PATH names a directory of a tree, or is a prefix of row keys. --where takes a condition: \
            for files on path, name, mode, type, size and id; for rows on key and the attributes.
            """,
        examples: [
            "ftictl ls models/current", "ftictl ls models/current:tokenizer",
            "ftictl ls -r models/current --json", "ftictl ls features/prod:install/",
            "ftictl ls features/prod --where \"author = 'ada'\"",
        ])

    @Argument(
        help: ArgumentHelp("What to list.", valueName: "rev[:path]"), completion: .revisions)
    var revision: String

    @Flag(name: [.short, .long], help: "List all files, including those in subdirectories.")
    var recursive = false

    @OptionGroup var filter: ConditionOption

    @OptionGroup var options: GlobalOptions

    static var isPaged: Bool { true }

    func run(_ context: CommandContext) throws {
        let condition = try filter.condition
        let repository = try context.open()
        if let rows = try repository.rows(of: revision) {
            return try list(rows, condition, in: repository, context)
        }
        let resolution = try repository.resolve(revision)
        switch resolution.target {
        case .snapshot(let id):
            // A table is already listed above.
            guard case .tree(let root, _, _) = try repository.snapshot(id).content else { return }
            try list(tree: root, condition, in: repository, context)
        case .entry(let entry) where entry.mode == .directory:
            try list(tree: entry.id, condition, in: repository, context)
        case .entry(let entry):
            let item = ListedFile(path: entry.name.description, entry: entry)
            let condition = try condition.map { try ListedFile.schema.checked($0) }
            try show(condition.map(item.matching) ?? [item], context)
        case .object(let id):
            do {
                try list(tree: id, condition, in: repository, context)
            } catch ObjectError.malformed(id, as: _, reason: _, offset: _) {
                // The bytes match the id, so the object is intact but is not a tree.
                throw CommandError.usage(
                    "object \(id.short) is not a directory", remedy: "ftictl show \(id.short)")
            }
        case .row: return
        }
    }

    private func list(
        tree: ObjectID, _ condition: Condition?, in repository: OpenRepository,
        _ context: CommandContext
    ) throws {
        let condition = try condition.map { try ListedFile.schema.checked($0) }
        var items: [ListedFile] = []
        if recursive {
            var walk = try TreeWalk(tree, in: repository.objects)
            while let element = try walk.next() {
                guard element.entry.mode != .directory else { continue }
                items.append(ListedFile(path: element.path.description, entry: element.entry))
            }
        } else {
            items = try TreeReader(repository.objects).tree(tree).entries.map { entry in
                ListedFile(path: entry.name.description, entry: entry)
            }
        }
        try show(
            condition.map { condition in items.flatMap { $0.matching(condition) } } ?? items,
            context)
    }

    private func show(_ items: [ListedFile], _ context: CommandContext) throws {
        let output = context.output
        if output.isJSON {
            return try output.emit(["entries": .array(items.map { .object($0.json) })])
        }
        var columns = Columns([.left, .left, .right, .left])
        for item in items {
            let entry = item.entry
            let isDirectory = entry.mode == .directory
            let name = item.path.printable() + (isDirectory ? "/" : "")
            columns.append([
                output.style.dim(entry.mode.letter),
                output.style.yellow(entry.id.short),
                isDirectory ? "" : Quantity.bytes(entry.size),
                isDirectory ? output.style.cyan(name) : name,
            ])
        }
        for line in columns.lines { try output.line(line) }
    }

    private func list(
        _ rows: KeyedRows, _ condition: Condition?, in repository: OpenRepository,
        _ context: CommandContext
    ) throws {
        let objects = try repository.objects
        let condition = try condition.map { condition in
            let params = try repository.snapshot(rows.snapshot).params
            return try rows.checked(
                condition, declared: AttributeSchema(params: params), in: objects)
        }
        var cursor = rows.cursor(in: objects)
        var isEmpty = true
        while let row = try rows.next(&cursor) {
            isEmpty = false
            guard condition?.holds(of: KeyedRows.record(row)) ?? true else { continue }
            try context.output.result(
                ["key": .string(row.key), "attributes": .object(row.attributes)],
                row.key.printable())
        }
        guard isEmpty, !rows.prefix.isEmpty else { return }
        // The path may be another spelling of one key.
        guard case .row(let key) = try repository.resolve(revision).target,
            !key.utf8.starts(with: rows.prefix.utf8)
        else { throw RefError.revision(.noPath(rows.prefix, of: rows.snapshot)) }
        let row = KeyedRows(table: rows.table, prefix: key, snapshot: rows.snapshot)
        try list(row, condition, in: repository, context)
    }
}

/// One file or directory of a listing.
private struct ListedFile {
    let path: String
    let entry: TreeEntry

    /// The fields that a condition can use.
    static let schema = ConditionSchema([
        "path": .text, "name": .text, "mode": .text, "type": .text, "size": .number, "id": .text,
    ])

    var json: JSONObject {
        var object = JSONObject()
        object["path"] = .string(path)
        object["mode"] = .string(entry.mode.word)
        object["size"] = .integer(entry.size)
        object["id"] = .id(entry.id)
        return object
    }

    /// This file if it meets a condition, otherwise nothing.
    func matching(_ condition: Condition) -> [ListedFile] {
        var record = json
        record["name"] = .string(entry.name.description)
        let isDirectory = entry.mode == .directory
        record["type"] = .string(isDirectory ? "directory" : "file")
        // The size of a directory's listing is not a size that users mean.
        if isDirectory { record["size"] = nil }
        return condition.holds(of: ConditionRecord(record)) ? [self] : []
    }
}

extension TreeEntry.Mode {
    /// The mode in JSON results.
    var word: String {
        switch self {
        case .file: "file"
        case .executable: "executable"
        case .directory: "directory"
        }
    }
}
