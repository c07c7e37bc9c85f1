import CommandSupport
import Objects
import Refs

/// What a transaction does beside moving refs that people decide: an approval, an override, a policy, what a
/// collection keeps.
struct Decision {
    private let action: Action

    /// Nil for what nobody decides.
    init?(_ action: Action) {
        switch action {
        case .accessPolicy, .approve, .override, .retain: self.action = action
        case .format, .ref, .pack, .unpack: return nil
        }
    }

    var json: JSON {
        switch action {
        case .accessPolicy(let policy): ["type": "policy", "id": .id(policy?.id)]
        case .approve(let name, let old, let new, _, let expires):
            [
                "type": "approve", "ref": .string(name.text), "old": .id(old), "new": .id(new),
                "expires": .string(expires.description),
            ]
        case .override(let gates, let reason):
            [
                "type": "override", "gates": .array(gates.map { .string($0) }),
                "reason": .string(reason),
            ]
        case .retain(let rules): ["type": "retain", "retention": rules.json]
        case .format, .ref, .pack, .unpack: .null
        }
    }

    func line(_ style: Style) -> String {
        switch action {
        case .accessPolicy(let policy):
            guard let policy else { return style.red("the policy was removed") }
            let keys = Quantity.count(policy.keys.count, "key")
            return "policy \(style.yellow(policy.id.short))  \(keys), "
                + Quantity.count(policy.gates.count, "gate")
        case .approve(let name, let old, let new, _, let expires):
            return "approved \(style.cyan(name.text))  \(style.yellow(old?.short ?? "(none)")) -> "
                + "\(style.yellow(new?.short ?? "(none)")) until \(expires.minuteDescription)"
        case .override(let gates, let reason):
            let count = Quantity.count(gates.count, "gate")
            return style.red("overrode \(count):") + " \(reason.printable())"
        case .retain(let rules): return style.dim("kept of each ref: \(rules.text)")
        case .format, .ref, .pack, .unpack: return ""
        }
    }
}

extension LogEntry {
    /// What people decided in it.
    var decisions: [Decision] { actions.compactMap(Decision.init) }

    /// The gates that it overrode.
    var override: Decision? { overriding.flatMap(Decision.init) }
}
