import ArgumentParser
import CommandSupport
import Objects
import Refs
import Storage

struct KeyGrantCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "grant",
        abstract: "Let a key write to namespaces of this repository.",
        discussion: ArgumentHelp.discussion(
            """
            What it could do before is replaced. To rotate a key, grant the new one under another name and \
            revoke the old one; what the old one has signed stays valid.
            """,
            examples: [
                "ftictl key grant feature-bot KEY --write features",
                "ftictl key grant feature-bot --write features",
                "ftictl key grant grace KEY --approve", "ftictl key grant linus KEY --admin",
            ]))

    @Argument(help: "What the policy calls it.")
    var name: String

    @Argument(
        help: ArgumentHelp(
            "A public key: 64 hexadecimal digits; else your own key of that name.",
            valueName: "key"))
    var key: String?

    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp("Namespaces in which it may move refs.", valueName: "namespace"))
    var write: [String] = []

    @Flag(help: "It may approve moves, as every key may, and nothing else.")
    var approve = false

    @Flag(help: "It may move every ref, change the policy and override gates.")
    var admin = false

    @OptionGroup var options: GlobalOptions

    func run(_ context: CommandContext) throws {
        let publicKey =
            try key.map { try PublicKey(argument: $0) }
            ?? context.keyring().secretKey(named: name).publicKey
        var namespaces: Set<RefNamespace> = []
        for word in write.flatMap({ $0.split(separator: ",") }) {
            guard let namespace = RefNamespace(rawValue: String(word)) else {
                throw CommandError.usage(
                    "\(String(word).printable()) is not a namespace",
                    remedy: "ftictl key grant \(name) --write features models")
            }
            namespaces.insert(namespace)
        }
        guard admin || approve || !namespaces.isEmpty else {
            throw CommandError.usage(
                "nothing is granted",
                remedy: "ftictl key grant \(name) --write features, or with --approve or --admin")
        }
        let granted = AccessPolicy.Key(
            name: name, publicKey: publicKey, isAdmin: admin, namespaces: namespaces)
        try context.changePolicy(message: "grant \(name)") { policy in
            let others = policy.keys.filter { !$0.name.utf8.elementsEqual(name.utf8) }
            return (others + [granted], policy.gates)
        }
    }
}

struct KeyRevokeCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "revoke",
        abstract: "Let a key do nothing any more in this repository.",
        discussion: ArgumentHelp.discussion(
            "What it has signed stays valid: the order in the log decides, not a clock.",
            examples: ["ftictl key revoke feature-bot"]))

    @Argument(help: "What the policy calls it.")
    var name: String

    @OptionGroup var options: GlobalOptions

    func run(_ context: CommandContext) throws {
        try context.changePolicy(message: "revoke \(name)") { policy in
            guard policy.key(named: name) != nil else {
                throw CommandError.missing(
                    "the policy lists no key \(name.printable())", remedy: "ftictl policy show")
            }
            return (policy.keys.filter { !$0.name.utf8.elementsEqual(name.utf8) }, policy.gates)
        }
    }
}

extension CommandContext {
    /// Replaces the policy by one that is made from it, if nobody else has done so meanwhile.
    func changePolicy(
        message: String,
        _ change: (AccessPolicy) throws -> (keys: [AccessPolicy.Key], gates: [Gate])
    ) throws {
        let opened = try open()
        guard let old = opened.state.accessPolicy, old.isSigned else {
            throw CommandError(
                .refused, "this repository has no policy that asks for signatures",
                remedy: "ftictl policy init makes one with your key as the admin")
        }
        let (keys, gates) = try change(old)
        try setPolicy(
            try AccessPolicy.made { () throws(JSONSchemaError) in
                try AccessPolicy(
                    isSigned: old.isSigned, keys: keys, gates: gates, retention: old.retention)
            }, replacing: .some(old), in: opened, message: message)
    }

    /// Sets a policy and tells what changed.
    func setPolicy(
        _ policy: AccessPolicy?, replacing old: AccessPolicy?, in opened: OpenRepository,
        message: String
    ) throws {
        let state = try opened.repository.setAccessPolicy(
            policy, replacing: .some(old), message: message, writer: writer)
        if output.isJSON {
            return try output.emit([
                "transaction": .integer(state.number), "policy": policy?.json ?? .null,
                "id": .id(policy?.id),
            ])
        }
        for line in PolicyView(style: output.style).changes(from: old, to: policy) {
            try output.line(line)
        }
        try output.note("transaction \(state.number)")
    }
}

extension AccessPolicy {
    /// Makes a policy; what is wrong with it is told as an error of the command line.
    static func made(_ body: () throws(JSONSchemaError) -> AccessPolicy) throws(CommandError)
        -> AccessPolicy
    {
        do throws(JSONSchemaError) { return try body() } catch {
            throw .usage(
                "this is no policy: \(error.path) \(error.reason)", remedy: "ftictl policy show")
        }
    }
}
