import CommandSupport
import Objects
import Refs

/// How a policy is shown.
struct PolicyView {
    let style: Style

    /// The policy as JSON with a line for each key and gate, which `policy set` takes.
    func lines(_ policy: Policy) -> [String] {
        func list(_ items: [JSON]) -> [String] {
            items.enumerated().map { index, item in
                "  " + item.canonicalText + (index + 1 < items.count ? "," : "")
            }
        }
        let keys = policy.json["keys"]?.array ?? []
        let gates = policy.json["gates"]?.array ?? []
        return ["{\"type\":\"policy\",\"version\":1,\"signed\":\(policy.isSigned),"]
            + ["\"keys\":["] + list(keys) + ["],", "\"gates\":["] + list(gates) + ["]}"]
    }

    /// What one policy has that another one has not.
    func changes(from old: Policy?, to new: Policy?) -> [String] {
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
            lines.append(style.red("- gate \(gate.json.canonicalText)"))
        }
        for gate in new.gates where !oldGates.contains(gate) {
            lines.append(style.green("+ gate \(gate.json.canonicalText)"))
        }
        return lines.isEmpty ? ["the policy is as it was"] : lines
    }

    /// A key in one line: `ada  3fa9c1…  admin`.
    private func description(_ key: Policy.Key) -> String {
        let written = key.namespaces.map { "\($0.rawValue)/*" }.sorted()
        let rights = key.isAdmin ? ["admin"] : written.isEmpty ? ["approves"] : written
        return "\(key.name)  \(key.publicKey.short)  \(rights.joined(separator: " "))"
    }
}
