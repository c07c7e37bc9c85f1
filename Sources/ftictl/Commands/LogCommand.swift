import Conditions
import ArgumentParser
import CommandSupport
import Objects
import Refs

/// The option `-n` of `log` and `reflog`.
struct CountOption: ParsableArguments {
    @Option(
        name: [.customShort("n", allowingJoined: true), .customLong("number")],
        help: "Show at most this many.")
    var number: Int?

    var limit: Int { number ?? .max }

    func validate() throws {
        if let number, number < 1 { throw ValidationError("-n must be 1 or more") }
    }
}

struct LogCommand: Command {
    static let configuration = CommandConfiguration(
        "log", abstract: "Show the versions of a ref, newest first.",
        discussion: """
            Each version is shown with its time, transaction, author, message, metrics and their \
            changes, and inputs. Without REF, log shows the versions of all refs in the order of \
            their transactions.

            --since and --until take a time as in @{...}. --where takes a condition on message, author, \
            kind, ref, id, previous, reason, created, time, transaction, movement, current, collected, \
            signer and producer, on metrics by their names, and on params.NAME and inputs.ROLE.
            """,
        examples: [
            "ftictl log models/current", "ftictl log models/current -n 1 --json",
            "ftictl log --oneline", "ftictl log --since yesterday",
            #"ftictl log models/current --where '"recall@10" >= 0.8'"#,
        ])

    @Argument(help: "The ref (default: all refs).", completion: .revisions)
    var ref: String?

    @OptionGroup var count: CountOption

    @Flag(help: "Show each version on one line.")
    var oneline = false

    @Flag(help: "Draw a graph of the inputs of each version.")
    var graph = false

    @Option(help: ArgumentHelp("Show versions since this time.", valueName: "time"))
    var since: String?

    @Option(help: ArgumentHelp("Show versions until this time.", valueName: "time"))
    var until: String?

    @OptionGroup var filter: ConditionOption

    @OptionGroup var options: GlobalOptions

    static var isPaged: Bool { true }

    /// The number of older values that are read ahead to tell a rollback from an advance.
    private static let lookahead = 16

    func run(_ context: CommandContext) throws {
        let repository = try context.open()
        let limit = count.limit
        let name = try ref.map { try RefName($0) }
        var selection = try LogSelection(
            since: since, until: until, condition: try filter.condition, now: context.now)
        selection.condition = try selection.condition.map { try checked($0, name, in: repository) }
        let view = LogView(
            style: context.output.style, now: context.now,
            labels: LazyRefLabels(repository),
            showsName: name == nil,
            isGraph: graph,
            width: context.output.terminal.isTerminal ? context.output.terminal.width : nil)
        // Hold each value back until it is clear whether another follows.
        var waiting: RefMove?
        var shown = 0
        func show(_ move: RefMove, isLast: Bool) throws {
            try context.output.result(
                .object(move.json),
                lines: oneline ? [view.line(move)] : view.block(move, isLast: isLast))
        }
        try forEachMove(of: name, in: repository) { move in
            guard selection.includes(move) else { return !selection.ends(before: move) }
            if let waiting { try show(waiting, isLast: false) }
            waiting = move
            shown += 1
            return shown < limit
        }
        if let waiting { try show(waiting, isLast: true) }
    }

    /// Checks the names and values of a condition against the versions in the log.
    private func checked(
        _ condition: Condition, _ name: RefName?, in repository: OpenRepository
    ) throws -> Condition {
        var observed = ObservedSchema(for: condition, declared: LogSelection.schema)
        if !observed.isComplete {
            try forEachMove(of: name, in: repository) { move in
                observed.observe(move.record)
                return !observed.isComplete
            }
        }
        return try observed.schema.checked(condition)
    }

    /// Calls `body` for each value of a ref, or of all refs, newest first, until it returns false.
    private func forEachMove(
        of name: RefName?, in repository: OpenRepository, _ body: (RefMove) throws -> Bool
    ) throws {
        guard let name else { return try forEachMove(in: repository, body) }
        try repository.noteDeletion(of: name)
        var history = repository.repository.log.history(of: name, in: repository.state)
        // The values read ahead, and the snapshot of the next value.
        var window: [RefVersion] = []
        var known: (id: ObjectID, snapshot: Snapshot)?
        func snapshot(_ id: ObjectID?) throws -> Snapshot? {
            guard let id else { return nil }
            if let known, known.id == id { return known.snapshot }
            return try repository.snapshotIfThere(id)
        }
        while true {
            guard let version = try window.isEmpty ? history.next() : window.removeFirst() else {
                return
            }
            let current = try snapshot(version.target)
            let before = try snapshot(version.previous)
            known = version.previous.flatMap { id in before.map { (id, $0) } }
            var older: Set<ObjectID> = []
            if let current, version.previous != nil, !version.isNew(current) {
                window += try history.next(max(0, Self.lookahead - window.count))
                older = Set(window.compactMap(\.target))
            }
            let move = RefMove(
                RefChange(name: name, old: version.previous, new: version.target), version.entry,
                snapshot: current, before: before, older: older, in: repository.state)
            guard try body(move) else { return }
        }
    }

    private func forEachMove(
        in repository: OpenRepository, _ body: (RefMove) throws -> Bool
    ) throws {
        var entries = repository.repository.log.newestFirst(in: repository.state)
        while let entry = try entries.next() {
            for change in entry.changes {
                let move = RefMove(
                    change, entry,
                    snapshot: try change.new.flatMap { try repository.snapshotIfThere($0) },
                    before: try change.old.flatMap { try repository.snapshotIfThere($0) },
                    older: [],
                    in: repository.state)
                guard try body(move) else { return }
            }
        }
    }
}

struct ReflogCommand: Command {
    static let configuration = CommandConfiguration(
        "reflog", abstract: "Show transactions, newest first.",
        discussion: "With REF, reflog shows only the transactions that moved it.",
        examples: ["ftictl reflog", "ftictl reflog models/current -n 5"])

    @Argument(help: "The ref (default: all transactions).", completion: .revisions)
    var ref: String?

    @OptionGroup var count: CountOption

    @OptionGroup var options: GlobalOptions

    static var isPaged: Bool { true }

    func run(_ context: CommandContext) throws {
        let opened = try context.open()
        let repository = opened.repository
        let state = opened.state
        var limit = count.limit
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
        let what = entry.number == 0 ? "the repository was created" : entry.message.firstLine
        let head = "\(style.bold(String(entry.number)))  \(style.dim(place))"
        try context.output.line(what.isEmpty ? head : "\(head)  \(what)")
        var columns = Columns([.left, .left, .left, .left])
        for change in changes where only.map({ $0 == change.name }) ?? true {
            columns.append([
                style.cyan("    " + change.name.text),
                style.yellow(change.old?.short ?? "(none)"), "->",
                style.yellow(change.new?.short ?? "(none)"),
            ])
        }
        for line in columns.lines { try context.output.line(line) }
        for decision in entry.decisions { try context.output.line("    \(decision.line(style))") }
    }
}
