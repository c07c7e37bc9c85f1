import ArgumentParser
import CommandSupport
import Objects
import Refs

struct CatCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "cat",
        abstract: "Print the bytes of a file, an object, a snapshot, or a row.",
        discussion: ArgumentHelp.discussion(
            "An object's bytes are what its id is the SHA-256 of. A row is printed as JSON.",
            examples: [
                "ftictl cat models/current:config.json", "ftictl cat 3fa9c1d2e4b5 | sha256sum",
                "ftictl cat features/prod:handbook/leave.md#0",
            ]))

    @Argument(help: ArgumentHelp("What to print.", valueName: "rev[:path]"))
    var revision: String

    @OptionGroup var options: GlobalOptions

    func run(_ context: CommandContext) throws {
        let repository = try context.open()
        let resolution = try repository.resolve(revision)
        switch resolution.target {
        case .snapshot(let id), .object(let id):
            try write(id, in: repository, context)
        case .entry(let entry) where entry.mode == .directory:
            throw CommandError.usage(
                "\(revision) is a directory", remedy: "ftictl ls \(revision)")
        case .entry(let entry): try write(entry.id, in: repository, context)
        case .row(let key):
            guard let id = resolution.snapshot,
                let table = try repository.snapshot(id).content.table,
                let row = try table.row(for: key, in: repository.objects)
            else { throw CommandError.missing("there is no row \(key)") }
            try context.output.emit(row.exported)
        }
    }

    private func write(
        _ id: ObjectID, in repository: OpenRepository, _ context: CommandContext
    ) throws {
        // The library stops at its own errors only, so an error of the output is carried past it.
        var failure: (any Error)?
        try repository.objects.stream(id) { bytes in
            guard failure == nil else { return }
            do { try context.output.raw(bytes) } catch { failure = error }
        }
        if let failure { throw failure }
    }
}
