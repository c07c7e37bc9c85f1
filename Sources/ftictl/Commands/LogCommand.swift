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

            --since and --until take what stands in @{...}. --where takes a condition on message, author, \
            kind, ref, reason, created, time, transaction, movement, current, collected, signer and \
            producer, on metrics by their names, and on params.NAME and inputs.ROLE.
            """,
            examples: [
                "ftictl log models/current", "ftictl log models/current -n 1 --json",
                "ftictl log --oneline", "ftictl log --since yesterday",
                #"ftictl log models/current --where '"recall@10" >= 0.8'"#,
            ]))

    @Argument(help: "The ref; all refs when it is left out.", completion: .revisions)
    var ref: String?

    @Option(
        name: [.customShort("n", allowingJoined: true), .customLong("number")],
        help: "Show at most so many versions.")
    var number: Int?

    @Flag(help: "One line for each version.")
    var oneline = false

    @Flag(help: "Draw what each version was made from.")
    var graph = false

    @Option(help: ArgumentHelp("Show versions from this time on.", valueName: "time"))
    var since: String?

    @Option(help: ArgumentHelp("Show versions up to this time.", valueName: "time"))
    var until: String?

    @OptionGroup var filter: ConditionOption

    @OptionGroup var options: GlobalOptions

    static var isPaged: Bool { true }

    /// Values beyond the last one shown that are read to tell a rollback from an advance.
    private static let lookahead = 16

    func validate() throws {
        if let number, number < 1 { throw ValidationError("-n must be 1 or more") }
    }

    func run(_ context: CommandContext) throws {
        let repository = try context.open()
        let limit = number ?? .max
        let name = try ref.map { try RefName($0) }
        var selection = try LogSelection(
            since: since, until: until, condition: try filter.condition, now: context.now)
        selection.condition = try selection.condition.map { try checked($0, name, in: repository) }
        let view = LogView(
            style: context.output.style, now: context.now,
            labels: LazyRefLabels(log: repository.repository.log, state: repository.state),
            showsName: name == nil,
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
            guard selection.includes(move) else { return !selection.ends(before: move) }
            if let waiting { try show(waiting, isLast: false) }
            waiting = move
            shown += 1
            return shown < limit
        }
        if let waiting { try show(waiting, isLast: true) }
    }

    /// A condition whose names and values fit the versions that there are.
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

    /// Calls `body` for each value, newest first, until it returns false.
    private func forEachMove(
        of name: RefName?, in repository: OpenRepository, _ body: (RefMove) throws -> Bool
    ) throws {
        guard let name else { return try forEachMove(in: repository, body) }
        try repository.noteDeletion(of: name)
        var history = repository.repository.log.history(of: name, in: repository.state)
        // Values that were read ahead, and the snapshot that comes next.
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

extension LogCommand {
    /// Recognises `log REF`, with `-n NUMBER` and `--oneline`, by itself: setting up the parser takes longer than
    /// reading twenty versions. Nil for anything else, which the parser then judges.
    init?(plain arguments: [String]) {
        var rest = arguments
        let options = GlobalOptions(extractedFrom: &rest)
        guard rest.count > 1, rest[0] == "log", rest[1].utf8.first != UInt8(ascii: "-") else {
            return nil
        }
        var number: Int?
        var oneline = false
        var index = 2
        while index < rest.count {
            switch rest[index] {
            case "--oneline" where !oneline: oneline = true
            case "-n" where number == nil && index + 1 < rest.count:
                index += 1
                let digits = rest[index].utf8
                guard digits.count < 10, digits.allSatisfy({ (0x30...0x39).contains($0) }),
                    let value = Int(rest[index]), value > 0
                else { return nil }
                number = value
            default: return nil
            }
            index += 1
        }
        self.init()
        ref = rest[1]
        self.number = number
        self.options = options
        set(oneline: oneline)
        filter = ConditionOption()
        filter.text = nil
        since = nil
        until = nil
    }

    /// Inside an initialiser the assignment of a flag would only declare its default.
    private mutating func set(oneline: Bool) {
        self.oneline = oneline
        graph = false
    }
}
