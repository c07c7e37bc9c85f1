import ArgumentParser
import CommandSupport
import Objects
import Refs
import Storage

struct PolicyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        "policy",
        abstract: "Manage the access policy: who may write what, and which gates a move must pass.",
        discussion: """
            The access policy is part of the log: every reader checks each transaction against the \
            version in force before it. Only its admins can change it.
            """,
        examples: [
            "ftictl policy init", "ftictl policy show > policy.json",
            "ftictl policy set policy.json",
        ],
        subcommands: [
            PolicyInitCommand.self, PolicyShowCommand.self, PolicySetCommand.self,
            PolicyRemoveCommand.self,
        ])
}

struct PolicyInitCommand: Command {
    static let configuration = CommandConfiguration(
        "init",
        abstract:
            "Start an access policy: every transaction must be signed; your key is the admin.",
        discussion: "If you have no key, create one first: ftictl key new NAME.",
        examples: ["ftictl policy init"])

    @OptionGroup var options: GlobalOptions

    func run(_ context: CommandContext) throws {
        let opened = try context.open()
        let old = opened.state.accessPolicy
        if old?.isSigned ?? false {
            throw CommandError(
                .refused, "this repository already has an access policy",
                remedy: "ftictl policy show")
        }
        let key: SecretKey
        do throws(KeyError) {
            guard let own = try context.writer.key(true) else { throw .none }
            key = own
        } catch {
            guard case .none = error else { throw error }
            throw CommandError(
                .refused, "you have no key", remedy: "ftictl key new NAME, then repeat the command")
        }
        let policy = try AccessPolicy.made { () throws(JSONSchemaError) in
            try AccessPolicy(
                isSigned: true,
                keys: [AccessPolicy.Key(name: key.name, publicKey: key.publicKey, isAdmin: true)],
                gates: old?.gates ?? [], retention: old?.retention)
        }
        try context.setPolicy(policy, replacing: old, in: opened, message: "start an access policy")
    }
}

struct PolicyShowCommand: Command {
    static let configuration = CommandConfiguration(
        "show", abstract: "Print the access policy, in the format that policy set takes.",
        examples: ["ftictl policy show", "ftictl policy show > policy.json"])

    @OptionGroup var options: GlobalOptions

    func run(_ context: CommandContext) throws {
        guard let policy = try context.open().state.accessPolicy else {
            throw CommandError.missing(
                "this repository has no access policy: anyone can write anything",
                remedy: "ftictl policy init")
        }
        try context.output.result(
            policy.json, lines: PolicyView(style: context.output.style).lines(policy))
    }
}

struct PolicySetCommand: Command {
    static let configuration = CommandConfiguration(
        "set", abstract: "Replace the access policy with one from a file.",
        discussion: "The file is JSON, as printed by policy show.",
        examples: ["ftictl policy set policy.json"])

    @Argument(help: "The file that contains the access policy.")
    var file: String

    @OptionGroup var options: GlobalOptions

    func run(_ context: CommandContext) throws {
        let bytes = try LocalFile.read(file, limit: AccessPolicy.byteLimit)
        let policy: AccessPolicy
        do throws(JSONSchemaError) { policy = try AccessPolicy(decoding: bytes) } catch {
            throw CommandError.usage(
                "\(file) is not an access policy: \(error.path) \(error.reason)",
                remedy: "ftictl policy show prints one")
        }
        let opened = try context.open()
        try context.setPolicy(
            policy, replacing: opened.state.accessPolicy, in: opened,
            message: "set the access policy")
    }
}

struct PolicyRemoveCommand: Command {
    static let configuration = CommandConfiguration(
        "remove", abstract: "Remove the access policy: anyone can write anything again.",
        examples: ["ftictl policy remove"])

    @OptionGroup var options: GlobalOptions

    func run(_ context: CommandContext) throws {
        let opened = try context.open()
        guard let old = opened.state.accessPolicy else {
            throw CommandError.missing(
                "this repository has no access policy", remedy: "ftictl policy init")
        }
        try context.setPolicy(nil, replacing: old, in: opened, message: "remove the access policy")
    }
}

/// Formats access policies for people.
struct PolicyView {
    let style: Style

    /// The access policy as JSON that `policy set` takes, with one line per key and gate if it fits.
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

    /// A width that fits any terminal.
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

    /// The differences between two access policies.
    func changes(from old: AccessPolicy?, to new: AccessPolicy?) -> [String] {
        guard let new else { return [style.red("- the access policy")] }
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
        return lines.isEmpty ? ["the access policy is unchanged"] : lines
    }

    /// A key in one line: `ada  3fa9c1d2e4b5  admin`.
    private func description(_ key: AccessPolicy.Key) -> String {
        let written = key.namespaces.map { "\($0.rawValue)/*" }.sorted()
        let rights = key.isAdmin ? ["admin"] : written.isEmpty ? ["approves"] : written
        return "\(key.name)  \(key.publicKey.short)  \(rights.joined(separator: " "))"
    }
}
