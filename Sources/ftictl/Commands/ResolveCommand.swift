import ArgumentParser
import CommandSupport
import Objects
import Refs

struct ResolveCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "resolve",
        abstract: "Print the full id of what a revision names.",
        discussion: ArgumentHelp.discussion(
            "Resolving a ref reads the log's state and the snapshot, which must be of the ref's kind.",
            examples: [
                "ftictl resolve models/current", "ftictl resolve features/prod@{yesterday}",
                "ftictl resolve models/current^dataset:train.jsonl",
            ]))

    @Argument(help: ArgumentHelp("What to resolve.", valueName: "rev"), completion: .revisions)
    var revision: String

    @OptionGroup var options: GlobalOptions

    func run(_ context: CommandContext) throws {
        let repository = try context.open()
        let resolution = try repository.resolve(revision)
        guard let id = resolution.id else {
            throw CommandError.usage(
                "\(revision) names a row, which has no id of its own",
                remedy: "ftictl cat \(revision)")
        }
        guard context.output.isJSON else { return try context.output.line(id.hex) }
        var kind = "file"
        switch resolution.target {
        case .snapshot(let id):
            // A ref's namespace says the kind without a look at the snapshot.
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

extension ResolveCommand {
    /// Recognises `resolve REV` by itself: prompts and scripts ask for it all the time, and setting up
    /// the parser would take half of its time. Nil for anything else, which the parser then judges.
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
