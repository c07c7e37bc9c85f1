import ArgumentParser
import CommandSupport
import Objects
import Refs

/// Why a ref is moved even if gates refuse.
struct OverrideOption: ParsableArguments {
    @Option(
        name: .customLong("override"),
        help: ArgumentHelp(
            "Move even if gates refuse; the log keeps the reason.", valueName: "reason"))
    var reason: String?

    /// The most bytes of a reason.
    private static let limit = 4096

    func validate() throws {
        guard let reason else { return }
        guard reason.contains(where: { !$0.isWhitespace }), reason.utf8.count <= Self.limit else {
            throw ValidationError("--override takes a reason of at most \(Self.limit) bytes")
        }
    }

    /// Says that a reason was given and not needed.
    func note(_ commit: Commit, _ output: Output) throws {
        guard reason != nil, !commit.isUnchanged, commit.gates.allSatisfy(\.passes) else { return }
        try output.note("note: no gate refuses this, so nothing was overridden")
    }
}

/// What a command that moves refs is told about gates.
struct GateOptions: ParsableArguments {
    @OptionGroup var override: OverrideOption

    @Flag(help: "Say what gates say of the moves, and make none.")
    var dryRun = false

    /// Moves refs and tells of it; or, for a dry run, tells what gates say.
    ///
    /// - Throws: `gates` when one refuses, also for a dry run.
    func move(
        _ updates: [RefUpdate], on repository: OpenRepository, message: String,
        extra: JSONObject = JSONObject(), _ context: CommandContext
    ) throws {
        try repository.writing(updates.map(\.name)) {
            try tryMoving(updates, on: repository, message: message, extra: extra, context)
        }
    }

    private func tryMoving(
        _ updates: [RefUpdate], on repository: OpenRepository, message: String,
        extra: JSONObject, _ context: CommandContext
    ) throws {
        let transaction = try repository.begin(context.writer)
        guard dryRun else {
            let commit = try transaction.commit(
                updates, message: message, overriding: override.reason)
            try override.note(commit, context.output)
            return try context.output.report(commit, extra: extra)
        }
        let (refs, gates) = try transaction.rehearse(updates)
        let refusals = gates.filter { !$0.passes }
        try context.output.report(refs, gates)
        if !refusals.isEmpty, override.reason == nil { throw RefError.gates(refusals) }
    }
}

extension Output {
    /// Tells what moves would be made and what gates say of them.
    fileprivate func report(_ refs: [RefChange], _ gates: [GateOutcome]) throws {
        if isJSON {
            return try emit([
                "dryRun": true, "refs": .array(refs.map(\.json)),
                "gates": .array(gates.map(\.json)),
            ])
        }
        if refs.isEmpty { try line("nothing would move") }
        for change in refs {
            try line(
                "\(style.cyan(change.name.text))  \(style.yellow(change.old?.short ?? "(none)")) -> "
                    + style.yellow(change.new?.short ?? "(removed)"))
        }
        for gate in gates { try line(gate.line(style)) }
        if !refs.isEmpty, gates.isEmpty { try line(style.dim("no gate is about this")) }
    }
}

extension GateOutcome {
    /// `passes  metric of models/current: recall@10 of at least 0.8, and it has 0.85`
    func line(_ style: Style) -> String {
        let word = passes ? style.green("passes ") : style.red("refuses")
        return "  \(word)  \(summary.printable())"
    }
}
