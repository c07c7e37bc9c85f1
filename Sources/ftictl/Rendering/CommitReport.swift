import CommandSupport
import Objects
import Refs

extension RefChange {
    /// The fields of a moved ref.
    var json: JSON { ["name": .string(name.text), "old": .id(old), "new": .id(new)] }
}

extension Output {
    /// Tells what a transaction did: the fields that every moving command has, and `extra`.
    func report(_ commit: Commit, extra: JSONObject = JSONObject()) throws {
        made(transaction: commit.number)
        if isJSON {
            var object = extra
            object["transaction"] = commit.number.map { .integer($0) } ?? .null
            object["refs"] = .array(commit.refs.map(\.json))
            object["gates"] = .array(commit.gates.map(\.json))
            try emit(object)
        } else if let number = commit.number {
            for change in commit.refs {
                let old = change.old.map { style.yellow($0.short) } ?? "(none)"
                let new = change.new.map { style.yellow($0.short) } ?? "(removed)"
                try line(
                    "\(style.cyan(change.name.text))  \(old) -> \(new)"
                        + style.dim("  transaction \(Quantity.count(number))"))
            }
            for gate in commit.gates where !gate.passes { try line(gate.line(style)) }
        } else {
            try line("unchanged")
        }
        for warning in commit.warnings { try note("warning: \(warning)") }
    }
}
