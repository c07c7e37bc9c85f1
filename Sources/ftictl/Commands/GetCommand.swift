import ArgumentParser
import CommandSupport
import Objects
import Refs
import Storage

struct GetCommand: Command {
    static let configuration = CommandConfiguration(
        "get", abstract: "Write a version, or a part of it, to a directory, verifying all data.",
        discussion: """
            A tree or a file is written as it was stored, a table or a row as rows.jsonl. The \
            directory is created if it does not exist. It must be empty unless --force is given; no \
            file in it is ever deleted.
            """,
        examples: [
            "ftictl get models/current -o ./model",
            "ftictl get models/current:tokenizer -o ./tokenizer",
            "ftictl get features/prod@{yesterday} -o ./features",
        ])

    @Argument(help: ArgumentHelp("What to write.", valueName: "rev[:path]"), completion: .revisions)
    var revision: String

    @Option(
        name: [.short, .long], help: ArgumentHelp("The directory to write to.", valueName: "dir"))
    var output: String

    @Flag(help: "Write to a directory that is not empty, and replace files.")
    var force = false

    @OptionGroup var options: GlobalOptions

    private static let rowsName = "rows.jsonl"

    func run(_ context: CommandContext) throws {
        guard !output.utf8.elementsEqual("-".utf8) else {
            throw CommandError.usage(
                "get writes to a directory, not to standard output (./- names a directory)",
                remedy: "ftictl cat \(revision)")
        }
        let repository = try context.open()
        let resolution = try repository.resolve(revision)
        switch resolution.target {
        case .snapshot(let id):
            let content = try repository.snapshot(id).content
            if case .tree(let root, _, let bytes) = content {
                try write(tree: root, total: bytes, of: repository, context)
            } else if let table = content.table {
                var cursor = TableCursor(table, in: try repository.objects)
                try write(rows: table.rows, context) { try cursor.next() }
            }
        case .entry(let entry) where entry.mode == .directory:
            try write(tree: entry.id, total: nil, of: repository, context)
        case .entry(let entry):
            let destination = try DestinationTree(at: output, force: force)
            let progress = context.progress
            let export = try TreeExport(from: repository.objects, to: destination) { count in
                progress.advance("writing", by: count, of: entry.size)
            }
            try export.writeFile(entry, as: try RelativePath([entry.name]))
            try report(files: 1, bytes: entry.size, context)
        case .row(let key):
            var rows = [try repository.row(key, of: resolution)].makeIterator()
            try write(rows: 1, context) { rows.next() }
        case .object:
            throw CommandError.usage(
                "\(revision) is not a tree, table, file or row",
                remedy: "ftictl cat \(revision)")
        }
    }

    private func write(
        tree: ObjectID, total: Int?, of repository: OpenRepository, _ context: CommandContext
    ) throws {
        let destination = try DestinationTree(at: output, force: force)
        let progress = context.progress
        let export = try TreeExport(from: repository.objects, to: destination) { count in
            progress.advance("writing", by: count, of: total)
        }
        let summary = try export.writeTree(tree)
        try report(files: summary.files, bytes: summary.bytes, context)
    }

    /// Writes the rows that `next` returns to a file.
    private func write(
        rows total: Int, _ context: CommandContext, next: () throws -> TableRow?
    ) throws {
        let destination = try DestinationTree(at: output, force: force)
        let file = try destination.file(try RelativePath(Self.rowsName))
        var buffer: [UInt8] = []
        var rows = 0
        while let row = try next() {
            JSON.object(row.exported).appendCanonical(to: &buffer)
            buffer.append(UInt8(ascii: "\n"))
            rows += 1
            guard buffer.count >= 1 << 20 else { continue }
            try file.append(buffer)
            buffer.removeAll(keepingCapacity: true)
            context.progress.update(
                "writing \(Quantity.count(rows)) of \(Quantity.count(total, "row"))")
        }
        try file.append(buffer)
        let size = file.size
        try file.finish()
        try report(files: 1, bytes: size, context)
    }

    private func report(files: Int, bytes: Int, _ context: CommandContext) throws {
        context.progress.finish()
        try context.output.result(
            ["path": .string(output), "files": .integer(files), "bytes": .integer(bytes)],
            "wrote \(Quantity.count(files, "file")), \(Quantity.bytes(bytes)), to \(output)")
    }
}
