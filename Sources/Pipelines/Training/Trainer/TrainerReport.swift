public import Objects
public import Refs

/// The outcome of a trainer's run that succeeded.
public struct TrainerReport: Sendable {
    /// The number of the transaction; nil if the result was published before.
    public let transaction: Int?
    /// The refs that the transaction moved.
    public let refs: [RefChange]
    /// The model's snapshot.
    public let model: ObjectID
    /// The adapter's snapshot; nil if none was published separately.
    public let adapter: ObjectID?
    /// The snapshots that the model was made from, by role.
    public let inputs: [String: ObjectID]
    /// The metrics of the snapshot.
    public let metrics: [String: Double]
    /// The checkpoint that the run went on from; nil if it began anew.
    public let resumed: ObjectID?
    /// The last step; nil if the trainer reported none.
    public let step: Int?
    /// How long the trainer ran, in seconds.
    public let seconds: Double
    /// Warnings for a person.
    public let warnings: [String]

    /// The report as a JSON object.
    public var json: JSONObject {
        var object = JSONObject()
        object["transaction"] = transaction.map { .integer($0) } ?? .null
        object["refs"] = .array(
            refs.map { change in
                [
                    "name": .string(change.name.text),
                    "old": change.old.map { .string($0.hex) } ?? .null,
                    "new": change.new.map { .string($0.hex) } ?? .null,
                ]
            })
        object["model"] = .string(model.hex)
        object["adapter"] = adapter.map { .string($0.hex) } ?? .null
        object["inputs"] = .object(JSONObject(inputs.map { ($0.key, .string($0.value.hex)) }))
        object["metrics"] = .object(JSONObject(metrics.map { ($0.key, .number($0.value)) }))
        object["resumed"] = resumed.map { .string($0.hex) } ?? .null
        object["step"] = step.map { .integer($0) } ?? .null
        object["seconds"] = .number(seconds)
        object["warnings"] = .array(warnings.map { .string($0) })
        return object
    }

    /// The report as lines of text.
    public var lines: [String] {
        var lines = [
            "trained      " + (step.map { "\($0) steps, " } ?? "") + TrainerMetrics.time(seconds)
        ]
        for (name, value) in metrics.sorted(by: { $0.key < $1.key }).prefix(20) {
            lines.append("metric       \(name) \(JSON.number(value).canonicalText)")
        }
        if metrics.count > 20 { lines.append("             and \(metrics.count - 20) more") }
        for (role, id) in inputs.sorted(by: { $0.key < $1.key }) {
            lines.append(role + String(repeating: " ", count: max(1, 13 - role.count)) + id.hex)
        }
        if let resumed { lines.append("resumed      \(resumed.hex)") }
        if let adapter { lines.append("adapter      \(adapter.hex)") }
        lines.append("model        \(model.hex)")
        if let transaction {
            let moved = refs.map(\.name.text).joined(separator: ", ")
            lines.append("transaction  \(transaction): \(moved)")
        } else {
            lines.append("transaction  none: the same model was published before")
        }
        return lines
    }
}
