import CommandSupport
import Objects
import Refs

/// Which versions `log` shows: those of a span of time, of which a condition holds.
struct LogSelection {
    let since: Timestamp?
    let until: Timestamp?
    var condition: Condition?

    /// What a condition can ask of every version, besides its metrics, params and inputs.
    static let schema = ConditionSchema([
        "id": .text, "ref": .text, "kind": .text, "author": .text, "message": .text,
        "reason": .text, "created": .time, "time": .time, "transaction": .number,
        "movement": .text, "current": .truth, "collected": .truth, "signer": .text,
        "previous": .text, "producer": .text,
    ])

    init(since: String?, until: String?, condition: Condition?, now: Timestamp) throws {
        self.since = try since.map { try Self.moment($0, option: "--since", now: now) }
        self.until = try until.map { try Self.moment($0, option: "--until", now: now) }
        self.condition = condition
    }

    private static func moment(
        _ text: String, option: String, now: Timestamp
    ) throws(CommandError) -> Timestamp {
        guard let time = RevisionTime(text), let moment = time.resolved(now: now) else {
            throw .usage(
                "\(option): \(JSON.string(String(text.prefix(80))).canonicalText) is not a time",
                remedy: "\(option) yesterday, '3 days ago', 2026-08-01 or 2026-08-01T09:30")
        }
        return moment
    }

    /// Whether a version was made in the span, and the condition holds of it.
    func includes(_ move: RefMove) -> Bool {
        if let since, move.entry.time < since { return false }
        if let until, move.entry.time > until { return false }
        return condition?.holds(of: move.record) ?? true
    }

    /// Whether nothing older than a version is shown: the times of a log never run backwards.
    func ends(before move: RefMove) -> Bool { since.map { move.entry.time < $0 } ?? false }
}

extension RefMove {
    /// What a condition is asked of: the fields of `log --json`, and metrics by their own names.
    var record: ConditionRecord {
        var fields = json
        fields["producer"] = snapshot.map { .string($0.producer.pipeline) }
        // An older version may be gone; its message and kind are not known then.
        if snapshot == nil { for name in ["message", "created"] { fields[name] = nil } }
        return ConditionRecord(fields, fields["metrics"]?.object ?? JSONObject())
    }
}
