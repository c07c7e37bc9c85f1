import ArgumentParser
import CommandSupport
import Objects
import Refs

struct ResolveCommand: Command {
    static let configuration = CommandConfiguration(
        "resolve", abstract: "Print the full id that a revision resolves to.",
        discussion: "Resolving a ref also reads the snapshot, whose kind must match the ref.",
        examples: [
            "ftictl resolve models/current", "ftictl resolve features/prod@{yesterday}",
            "ftictl resolve models/current^dataset:train.jsonl",
        ])

    @Argument(help: ArgumentHelp("What to resolve.", valueName: "rev"), completion: .revisions)
    var revision: String

    @OptionGroup var options: GlobalOptions

    func run(_ context: CommandContext) throws {
        let repository = try context.open()
        let resolution = try repository.resolve(revision)
        guard let id = resolution.id else {
            throw CommandError.usage(
                "\(revision) is a row, which has no id of its own",
                remedy: "ftictl cat \(revision)")
        }
        guard context.output.isJSON else { return try context.output.line(id.hex) }
        var kind = "file"
        switch resolution.target {
        case .snapshot(let id):
            // A ref's namespace gives the kind without reading the snapshot again.
            let isPlain = resolution.ref.map { repository.state.target(of: $0) == id } ?? false
            if isPlain, let ref = resolution.ref {
                kind = ref.namespace.kind.rawValue
            } else {
                kind = try repository.snapshot(id).kind.rawValue
            }
        case .object: kind = "object"
        case .entry(let entry) where entry.mode == .directory: kind = "tree"
        case .entry, .row: break
        }
        try context.output.emit(["id": .id(id), "kind": .string(kind)])
    }
}
