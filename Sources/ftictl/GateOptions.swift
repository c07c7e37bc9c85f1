import ArgumentParser
import CommandSupport
import Objects
import Refs

/// The reason to move refs although gates refuse.
struct OverrideOption: ParsableArguments {
    @Option(
        name: .customLong("override"),
        help: ArgumentHelp(
            "Move even if gates refuse; the log keeps the reason.", valueName: "reason"))
    var reason: String?

    /// The maximum number of bytes that a reason may have.
    private static let limit = 4096

    func validate() throws {
        guard let reason else { return }
        guard reason.contains(where: { !$0.isWhitespace }), reason.utf8.count <= Self.limit else {
            throw ValidationError("--override takes a reason of at most \(Self.limit) bytes")
        }
    }

    /// Notes that a reason was given although no gate refused.
    func note(_ commit: Commit, _ output: Output) throws {
        guard reason != nil, !commit.isUnchanged, commit.gates.allSatisfy(\.passes) else { return }
        try output.note("note: no gate refuses this, so nothing was overridden")
    }
}

/// The options about gates of a command that moves refs.
struct GateOptions: ParsableArguments {
    @OptionGroup var override: OverrideOption

    @Flag(help: "Evaluate the gates without moving anything.")
    var dryRun = false

    /// The options of a move, with the message of its transaction.
    func options(message: String) -> MoveOptions {
        MoveOptions(message: message, isRehearsal: dryRun, overrideReason: override.reason)
    }

    /// Reports moves that were committed or rehearsed.
    ///
    /// - Throws: The refusal of a rehearsal, after its report.
    func report(_ outcome: MoveOutcome, _ output: Output) throws {
        switch outcome {
        case .committed(let commit):
            try override.note(commit, output)
            try output.report(commit)
        case .rehearsed(let rehearsal):
            try output.report(rehearsal)
            if let refusal = rehearsal.refusal { throw refusal }
        }
    }
}

extension Output {
    /// Reports the moves of a rehearsal, and the outcomes of their gates.
    fileprivate func report(_ rehearsal: Rehearsal) throws {
        let refs = rehearsal.refs
        var lines = refs.isEmpty ? ["nothing would move"] : refs.map { $0.line(style) }
        lines += rehearsal.gates.map { $0.line(style) }
        if !refs.isEmpty, rehearsal.gates.isEmpty { lines.append(style.dim("no gates apply")) }
        try result(
            [
                "dryRun": true, "refs": .array(refs.map(\.json)),
                "gates": .array(rehearsal.gates.map(\.json)),
            ], lines: lines)
    }
}

extension GateOutcome {
    /// `passes  metric of models/current: recall@10 of at least 0.8, and it has 0.85`
    func line(_ style: Style) -> String {
        let word = passes ? style.green("passes ") : style.red("refuses")
        return "  \(word)  \(summary.printable())"
    }
}
