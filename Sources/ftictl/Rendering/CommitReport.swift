import CommandSupport
import Objects
import Refs

extension RefChange {
    /// The JSON of a moved ref.
    var json: JSON { ["name": .string(name.text), "old": .id(old), "new": .id(new)] }

    /// `models/current  586fb983b4c4 -> ac25db98734d`
    func line(_ style: Style) -> String {
        let old = old.map { style.yellow($0.short) } ?? "(none)"
        let new = new.map { style.yellow($0.short) } ?? "(removed)"
        return "\(style.cyan(name.text))  \(old) -> \(new)"
    }
}

extension Commit {
    /// The members that every command that moves refs reports in JSON.
    fileprivate var json: JSONObject {
        JSONObject([
            ("transaction", number.map { .integer($0) } ?? .null),
            ("refs", .array(refs.map(\.json))), ("gates", .array(gates.map(\.json))),
        ])
    }
}

extension Output {
    /// Reports a version that a command stored.
    ///
    /// - Parameters:
    ///   - lines: Describe the version in text, unless it is unchanged.
    ///   - extra: Further members of the JSON report.
    func report(
        _ id: ObjectID, of name: RefName, _ commit: Commit, lines: [String],
        extra: [String: JSON]
    ) throws {
        made(transaction: commit.number)
        if isJSON {
            var object = commit.json
            for (key, value) in extra { object[key] = value }
            object["id"] = .id(id)
            object["unchanged"] = .bool(commit.isUnchanged)
            return try emit(object)
        }
        let version = "\(style.cyan(name.text))  \(style.yellow(id.short))"
        guard let number = commit.number else { return try line("unchanged  \(version)") }
        try line("\(version)  \(style.dim("transaction \(Quantity.count(number))"))")
        for text in lines { try line(text) }
        for warning in commit.warnings { try note("warning: \(warning)") }
    }

    /// Reports the moves of a transaction.
    ///
    /// - Parameter extra: Further members of the JSON report.
    func report(_ commit: Commit, extra: JSONObject = JSONObject()) throws {
        made(transaction: commit.number)
        if isJSON {
            var object = commit.json
            for member in extra { object[member.key] = member.value }
            try emit(object)
        } else if let number = commit.number {
            let place = style.dim("  transaction \(Quantity.count(number))")
            for change in commit.refs { try line(change.line(style) + place) }
            for gate in commit.gates where !gate.passes { try line(gate.line(style)) }
        } else {
            try line("unchanged")
        }
        for warning in commit.warnings { try note("warning: \(warning)") }
    }
}

extension Content {
    /// `1,204 rows with vectors of 384`, or `3 files, 12.3 MB`.
    var summary: String {
        switch self {
        case .tree(_, let files, let bytes):
            "\(Quantity.count(files, "file")), \(Quantity.bytes(bytes))"
        case .table(let table):
            Quantity.count(table.rows, "row")
                + (table.dimension > 0
                    ? " with vectors of \(Quantity.count(table.dimension))" : "")
        }
    }

    /// The change in size: `+12 rows`; nil if there is none.
    func change(since before: Content) -> String? {
        switch (before, self) {
        case (.tree(_, let oldFiles, let oldBytes), .tree(_, let files, let bytes)):
            let parts = [
                files == oldFiles ? nil : Self.signed(files - oldFiles, "file"),
                bytes == oldBytes
                    ? nil : (bytes > oldBytes ? "+" : "") + Quantity.bytes(bytes - oldBytes),
            ].compactMap(\.self)
            return parts.isEmpty ? nil : parts.joined(separator: ", ")
        case (.table(let old), .table(let new)):
            return new.rows == old.rows ? nil : Self.signed(new.rows - old.rows, "row")
        default: return nil
        }
    }

    private static func signed(_ value: Int, _ noun: String) -> String {
        let plural = value.magnitude == 1 ? noun : noun + "s"
        return "\(value > 0 ? "+" : "")\(Quantity.count(value)) \(plural)"
    }
}

extension String {
    /// The first line of a message, escaped for a terminal.
    var firstLine: String {
        String(split(whereSeparator: \.isNewline).first ?? "").printable()
    }
}

extension Snapshot {
    /// A summary of the content.
    var summary: String {
        if kind == .release, case .tree(_, files: 0, _) = content { return "no prompt" }
        return content.summary
    }
}

/// Log messages for transactions for which the user gave none.
enum GeneratedMessage {
    /// The maximum number of characters that list what moved: a line or two. The entry itself records every move.
    private static let limit = 400

    /// A verb and as many items as fit: `promote a to b, c to d, and 2,998 more`.
    static func text(_ verb: String, _ items: [String]) -> String {
        var shown: [String] = []
        var count = 0
        for item in items {
            guard shown.isEmpty || count + item.count <= limit else { break }
            shown.append(item.truncated(to: limit))
            count += item.count + 2
        }
        if shown.count < items.count {
            shown.append("and \(Quantity.count(items.count - shown.count)) more")
        }
        return "\(verb) \(shown.joined(separator: ", "))"
    }
}

/// What a transaction records besides moves and packs: an approval, an override, an access policy, or a retention.
struct Decision {
    let json: JSON
    let line: (Style) -> String

    /// Nil for any other action.
    init?(_ action: Action) {
        switch action {
        case .accessPolicy(let policy):
            json = ["type": "policy", "id": .id(policy?.id)]
            line = { style in
                guard let policy else { return style.red("the access policy was removed") }
                let keys = Quantity.count(policy.keys.count, "key")
                return "access policy \(style.yellow(policy.id.short))  \(keys), "
                    + Quantity.count(policy.gates.count, "gate")
            }
        case .approve(let name, let old, let new, _, let expires):
            json = [
                "type": "approve", "ref": .string(name.text), "old": .id(old), "new": .id(new),
                "expires": .string(expires.description),
            ]
            line = { style in
                let (old, new) = (old?.short ?? "(none)", new?.short ?? "(none)")
                return "approved \(style.cyan(name.text))  \(style.yellow(old)) -> "
                    + "\(style.yellow(new)) until \(expires.minuteDescription)"
            }
        case .override(let gates, let reason):
            json = [
                "type": "override", "gates": .array(gates.map { .string($0) }),
                "reason": .string(reason),
            ]
            line = { style in
                let count = Quantity.count(gates.count, "gate")
                return style.red("overrode \(count):") + " \(reason.printable())"
            }
        case .retain(let rules):
            json = ["type": "retain", "retention": rules.json]
            line = { $0.dim("retention: \(rules.text)") }
        case .format, .ref, .pack, .unpack: return nil
        }
    }
}

extension LogEntry {
    /// The decisions that the entry records.
    var decisions: [Decision] { actions.compactMap(Decision.init) }

    /// The override that the entry records; nil if it records none.
    var override: Decision? { overriding.flatMap(Decision.init) }
}
