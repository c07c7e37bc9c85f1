import ArgumentParser
import CommandSupport
import Objects
import Refs

struct ReflogCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "reflog",
        abstract: "Show the transactions, newest first.",
        discussion: ArgumentHelp.discussion(
            "With REF, those that moved it.",
            examples: ["ftictl reflog", "ftictl reflog models/current -n 5"]))

    @Argument(help: "The ref; all transactions when it is left out.", completion: .revisions)
    var ref: String?

    @Option(
        name: [.customShort("n", allowingJoined: true), .customLong("number")],
        help: "Show at most so many transactions.")
    var number: Int?

    @OptionGroup var options: GlobalOptions

    static var isPaged: Bool { true }

    func validate() throws {
        if let number, number < 1 { throw ValidationError("-n must be 1 or more") }
    }

    func run(_ context: CommandContext) throws {
        let opened = try context.open()
        let repository = opened.repository
        let state = opened.state
        var limit = number ?? .max
        if let ref {
            let name = try RefName(ref)
            try opened.noteDeletion(of: name)
            var history = repository.log.history(of: name, in: state)
            while limit > 0, let version = try history.next() {
                try show(version.entry, only: name, state, context)
                limit -= 1
            }
        } else {
            var entries = repository.log.newestFirst(in: state)
            while limit > 0, let entry = try entries.next() {
                try show(entry, only: nil, state, context)
                limit -= 1
            }
        }
    }

    private func show(
        _ entry: LogEntry, only: RefName?, _ state: State, _ context: CommandContext
    ) throws {
        let changes = entry.changes
        let signer = entry.signature.map { state.name(of: $0.key) }
        if context.output.isJSON {
            try context.output.emit([
                "transaction": .integer(entry.number), "time": .string(entry.time.description),
                "author": .string(entry.writer), "message": .string(entry.message),
                "hash": .id(entry.hash), "refs": .array(changes.map(\.json)),
                "signer": signer.map { .string($0) } ?? .null,
                "key": entry.signature.map { .string($0.key.hex) } ?? .null,
                "decisions": .array(entry.decisions.map(\.json)),
            ])
            return
        }
        let style = context.output.style
        let place =
            "\(entry.time.minuteDescription)  \(entry.writer.printable())"
            + (signer.map { "  signed by \($0)" } ?? "")
        let message = entry.message.split(whereSeparator: \.isNewline).first ?? ""
        let what = entry.number == 0 ? "the repository was made" : String(message).printable()
        let head = "\(style.bold(String(entry.number)))  \(style.dim(place))"
        try context.output.line(what.isEmpty ? head : "\(head)  \(what)")
        var columns = Columns([.left, .left, .left, .left])
        for change in changes where only.map({ $0 == change.name }) ?? true {
            columns.append([
                Columns.Cell("    " + change.name.text, style.cyan),
                Columns.Cell(change.old?.short ?? "(none)", style.yellow), "->",
                Columns.Cell(change.new?.short ?? "(none)", style.yellow),
            ])
        }
        for line in columns.lines { try context.output.line(line) }
        for decision in entry.decisions { try context.output.line("    \(decision.line(style))") }
    }
}
