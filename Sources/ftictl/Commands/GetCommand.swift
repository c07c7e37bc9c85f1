import ArgumentParser
import CommandSupport
import Objects
import Refs
import Storage

struct GetCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "get",
        abstract: "Write a version, or a part of it, to a directory; verified while it is written.",
        discussion: ArgumentHelp.discussion(
            """
            A tree is written as it was stored, a table or a row as rows.jsonl. The directory is made when \
            there is none and must be empty, unless --force is given; nothing in it is ever removed.
            """,
            examples: [
                "ftictl get models/current -o ./model",
                "ftictl get models/current:tokenizer -o ./tokenizer",
                "ftictl get features/prod@{yesterday} -o ./features",
            ]))

    @Argument(help: ArgumentHelp("What to write.", valueName: "rev[:path]"), completion: .revisions)
    var revision: String

    @Option(name: [.short, .long], help: ArgumentHelp("The directory.", valueName: "dir"))
    var output: String

    @Flag(help: "Write into a directory that is not empty, and replace files.")
    var force = false

    @OptionGroup var options: GlobalOptions

    private static let rowsName = "rows.jsonl"

    func run(_ context: CommandContext) throws {
        guard !output.utf8.elementsEqual("-".utf8) else {
            throw CommandError.usage(
                "get writes a directory, and - is none (./- names a directory of that name)",
                remedy: "ftictl cat \(revision)")
        }
        let repository = try context.open()
        let resolution = try repository.resolve(revision)
        switch resolution.target {
        case .snapshot(let id):
            switch try repository.snapshot(id).content {
            case .tree(let root, _, let bytes):
                try write(tree: root, total: bytes, of: repository, context)
            case .table(let root, let rows, let dimension):
                let table = Table(root: root, rows: rows, dimension: dimension)
                var cursor = TableCursor(table, in: try repository.objects)
                try write(rows: rows, context) { try cursor.next() }
            }
        case .entry(let entry) where entry.mode == .directory:
            try write(tree: entry.id, total: nil, of: repository, context)
        case .entry(let entry):
            let destination = try DestinationTree(at: output, force: force)
            let done = ByteCount()
            let progress = context.progress
            let export = try TreeExport(from: repository.objects, to: destination) { count in
                progress.update("writing", bytes: done.add(count), of: entry.size)
            }
            try export.writeFile(entry, as: try RelativePath([entry.name]))
            try report(files: 1, bytes: entry.size, context)
        case .row(let key):
            let row = try repository.row(key, of: resolution)
            var rows = [row].makeIterator()
            try write(rows: 1, context) { rows.next() }
        case .object:
            throw CommandError.usage(
                "\(revision) is neither a tree, a table, a file nor a row",
                remedy: "ftictl cat \(revision)")
        }
    }

    private func write(
        tree: ObjectID, total: Int?, of repository: OpenRepository, _ context: CommandContext
    ) throws {
        let destination = try DestinationTree(at: output, force: force)
        let done = ByteCount()
        let progress = context.progress
        let export = try TreeExport(from: repository.objects, to: destination) { count in
            progress.update("writing", bytes: done.add(count), of: total)
        }
        let summary = try export.writeTree(tree)
        try report(files: summary.files, bytes: summary.bytes, context)
    }

    /// Writes rows, which `next` gives one after the other, to a file.
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
        if context.output.isJSON {
            try context.output.emit([
                "path": .string(output), "files": .integer(files), "bytes": .integer(bytes),
            ])
        } else {
            try context.output.line(
                "wrote \(Quantity.count(files, "file")), \(Quantity.bytes(bytes)), to \(output)")
        }
    }
}
