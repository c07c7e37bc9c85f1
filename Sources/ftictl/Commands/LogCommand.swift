import ArgumentParser
import CommandSupport
import Objects
import Refs

struct LogCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "log",
        abstract: "Show the versions that a ref has had, newest first.",
        discussion: ArgumentHelp.discussion(
            """
            Each version is shown with its time, transaction, writer, message, metrics and what \
            changed in them, and the snapshots it was made from. Without REF, the versions of all \
            refs are shown in the order of their transactions.
            """,
            examples: [
                "ftictl log models/current", "ftictl log models/current -n 1 --json",
                "ftictl log --oneline",
            ]))

    @Argument(help: "The ref; all refs when it is left out.")
    var ref: String?

    @Option(
        name: [.customShort("n", allowingJoined: true), .customLong("number")],
        help: "Show at most so many versions.")
    var number: Int?

    @Flag(help: "One line for each version.")
    var oneline = false

    @Flag(help: "Draw what each version was made from.")
    var graph = false

    @OptionGroup var options: GlobalOptions

    /// Values beyond the last one shown that are read to tell a rollback from an advance.
    private static let lookahead = 16

    func validate() throws {
        if let number, number < 1 { throw ValidationError("-n must be 1 or more") }
    }

    func run(_ context: CommandContext) throws {
        let repository = try context.open()
        let limit = number ?? .max
        let name = try ref.map { try RefName($0) }
        let labels =
            options.json || oneline
            ? nil : try RefLabels(log: repository.repository.log, state: repository.state)
        let view = LogView(
            style: context.output.style, now: context.now, labels: labels, showsName: name == nil,
            isGraph: graph,
            width: context.output.terminal.isTerminal ? context.output.terminal.width : nil)
        // Each value is held back until it is known whether another one follows it.
        var waiting: RefMove?
        var shown = 0
        func show(_ move: RefMove, isLast: Bool) throws {
            if context.output.isJSON {
                try context.output.emit(move.json)
            } else if oneline {
                try context.output.line(view.line(move))
            } else {
                for line in view.block(move, isLast: isLast) { try context.output.line(line) }
                if !isLast { try context.output.line(context.output.style.dim("│")) }
            }
        }
        try forEachMove(of: name, in: repository) { move in
            if let waiting { try show(waiting, isLast: false) }
            waiting = move
            shown += 1
            return shown < limit
        }
        if let waiting { try show(waiting, isLast: true) }
    }

    /// Calls `body` for each value, newest first, until it returns false.
    private func forEachMove(
        of name: RefName?, in repository: OpenRepository, _ body: (RefMove) throws -> Bool
    ) throws {
        guard let name else { return try forEachMove(in: repository, body) }
        if repository.state.lastTransaction(of: name) == nil { _ = try repository.target(of: name) }
        var history = repository.repository.log.history(of: name, in: repository.state)
        var window: [RefVersion] = []
        while true {
            window += try history.next(max(0, Self.lookahead + 1 - window.count))
            guard let version = window.first else { return }
            window.removeFirst()
            let move = try move(
                RefChange(name: name, old: version.previous, new: version.target),
                version.entry, older: Set(window.dropFirst().compactMap(\.target)), repository)
            guard try body(move) else { return }
        }
    }

    private func forEachMove(
        in repository: OpenRepository, _ body: (RefMove) throws -> Bool
    ) throws {
        var number = repository.state.number
        while number >= 0 {
            let entry = try repository.repository.log.entry(number)
            for change in entry.changes {
                guard try body(try move(change, entry, older: [], repository)) else { return }
            }
            number -= 1
        }
    }

    private func move(
        _ change: RefChange, _ entry: LogEntry, older: Set<ObjectID>, _ repository: OpenRepository
    ) throws -> RefMove {
        let snapshot = try change.new.map { try repository.snapshot($0) }
        let before = try change.old.map { try repository.snapshot($0) }
        return RefMove(
            name: change.name, entry: entry, target: change.new, previous: change.old,
            snapshot: snapshot, before: before,
            manner: RefMove.manner(from: change.old, before, to: change.new, older: older),
            isCurrent: repository.state.refs[change.name]?.transaction == entry.number)
    }
}
