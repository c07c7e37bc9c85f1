public import Objects

/// What a gate says of a move.
public struct GateOutcome: Hashable, Sendable {
    /// The gate.
    public let gate: Gate
    /// The ref that is to be moved.
    public let ref: RefName
    /// What it is to point at; nil when it is to be removed.
    public let target: ObjectID?
    /// Whether the gate lets it pass.
    public let passes: Bool
    /// What the gate demands, as a noun: `recall@10 of at least 0.8`.
    public let demanded: String
    /// What there is in its place, as a statement: `it has 0.75`.
    public let found: String
    /// What would satisfy the gate, a command line where one exists; nil when it passes.
    public let remedy: String?

    /// All of it on one line, as an override keeps it.
    public var summary: String {
        "\(gate.condition.type) of \(gate.refs): \(demanded), and \(found)"
    }

    /// The outcome as results and reports have it.
    public var json: JSON {
        [
            "gate": .string(gate.condition.type), "of": .string(gate.refs.description),
            "ref": .string(ref.text), "id": target.map { .string($0.hex) } ?? .null,
            "passes": .bool(passes),
            "demanded": .string(demanded), "found": .string(found),
            "remedy": remedy.map { .string($0) } ?? .null,
        ]
    }
}

extension [GateOutcome] {
    /// What a person is told of refusals, each on a line of its own.
    var refusal: String {
        let lines = map { outcome in
            let other = outcome.gate.refs.matches(outcome.ref) ? "" : " of \(outcome.gate.refs)"
            let move = outcome.target.map { "cannot move to \($0.short)" } ?? "cannot be removed"
            return
                "\(outcome.ref) \(move): the \(outcome.gate.condition.type) "
                + "gate\(other) demands \(outcome.demanded), and \(outcome.found)"
        }
        return lines.joined(separator: "\n")
    }

    /// The different remedies.
    var remedy: String? {
        var remedies: [String] = []
        var known: Set<String> = []
        for case let remedy? in map(\.remedy) where known.insert(remedy).inserted {
            remedies.append(remedy)
        }
        return remedies.isEmpty ? nil : remedies.joined(separator: "; ")
    }
}
