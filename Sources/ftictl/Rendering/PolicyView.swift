import CommandSupport
import Objects
import Refs

/// How a policy is shown.
struct PolicyView {
    let style: Style

    /// The policy as JSON, which `policy set` takes, with a line for each key and gate that fits on one.
    func lines(_ policy: AccessPolicy) -> [String] {
        func list(_ items: [JSON]) -> [String] {
            items.enumerated().flatMap { index, item in
                var lines = item.lines(width: Self.width - 3).map { "  " + $0.escapedInJSON }
                if index + 1 < items.count { lines[lines.count - 1] += "," }
                return lines
            }
        }
        let keys = policy.json["keys"]?.array ?? []
        let gates = policy.json["gates"]?.array ?? []
        return ["{\"type\":\"policy\",\"version\":1,\"signed\":\(policy.isSigned),"]
            + ["\"keys\":["] + list(keys) + ["],", "\"gates\":["] + list(gates)
            + (policy.retention.map { ["],", "\"retention\":\($0.json.canonicalText)}"] } ?? ["]}"])
    }

    /// What fits on any terminal.
    private static let width = 80

    /// A gate in one line: `metric of models/current: metric recall@10, atLeast 0.8`.
    private func description(_ gate: Gate) -> String {
        let members = gate.json.object ?? JSONObject()
        let facts = members.filter { !["ref", "type"].contains($0.key) }.map { member in
            let items = member.value.array ?? [member.value]
            let values = items.map { $0.string ?? $0.canonicalText }
            return "\(member.key) \(values.joined(separator: " "))"
        }
        let end = facts.isEmpty ? "" : ": \(facts.joined(separator: ", "))"
        return "\(gate.condition.type) of \(gate.refs)\(end)".printable()
    }

    /// What one policy has that another one has not.
    func changes(from old: AccessPolicy?, to new: AccessPolicy?) -> [String] {
        guard let new else { return [style.red("- the policy")] }
        var lines: [String] = []
        let wasSigned = old?.isSigned ?? false
        if wasSigned != new.isSigned {
            lines.append(
                new.isSigned
                    ? style.green("+ every transaction is signed")
                    : style.red("- transactions need no signature"))
        }
        let oldKeys = old?.keys ?? []
        for key in oldKeys where !new.keys.contains(key) {
            lines.append(style.red("- key \(description(key))"))
        }
        for key in new.keys where !oldKeys.contains(key) {
            lines.append(style.green("+ key \(description(key))"))
        }
        let oldGates = old?.gates ?? []
        for gate in oldGates where !new.gates.contains(gate) {
            lines.append(style.red("- gate \(description(gate))"))
        }
        for gate in new.gates where !oldGates.contains(gate) {
            lines.append(style.green("+ gate \(description(gate))"))
        }
        if let retention = old?.retention, retention != new.retention {
            lines.append(style.red("- retention \(retention.json.canonicalText)"))
        }
        if let retention = new.retention, retention != old?.retention {
            lines.append(style.green("+ retention \(retention.json.canonicalText)"))
        }
        return lines.isEmpty ? ["the policy is as it was"] : lines
    }

    /// A key in one line: `ada  3fa9c1…  admin`.
    private func description(_ key: AccessPolicy.Key) -> String {
        let written = key.namespaces.map { "\($0.rawValue)/*" }.sorted()
        let rights = key.isAdmin ? ["admin"] : written.isEmpty ? ["approves"] : written
        return "\(key.name)  \(key.publicKey.short)  \(rights.joined(separator: " "))"
    }
}
