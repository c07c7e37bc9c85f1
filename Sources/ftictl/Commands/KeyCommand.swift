import ArgumentParser
import CommandSupport
import Objects
import Refs
import Storage

struct KeyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        "key", abstract: "Manage keys that sign transactions: create, list, trust, grant, revoke.",
        discussion: """
            A secret key is a file that only its owner can read, in $XDG_CONFIG_HOME/fti or \
            ~/.config/fti. $FTI_KEY, the name or the path of a key, overrides the default key.
            """,
        examples: [
            "ftictl key new ada", "ftictl key list",
            "ftictl key grant feature-bot KEY --write features",
            "ftictl key revoke feature-bot",
        ],
        subcommands: [
            KeyNewCommand.self, KeyListCommand.self, KeyShowCommand.self, KeyUseCommand.self,
            KeyTrustCommand.self,
            KeyGrantCommand.self, KeyRevokeCommand.self,
        ])
}

struct KeyNewCommand: Command {
    static let configuration = CommandConfiguration(
        "new", abstract: "Create a key. The first one becomes the default.",
        examples: ["ftictl key new ada"])

    @Argument(help: "The name of the new key.")
    var name: String

    @OptionGroup var options: GlobalOptions

    func run(_ context: CommandContext) throws {
        let key = try context.keyring().create(name)
        try context.output.result(
            ["name": .string(key.name), "public": .string(key.publicKey.hex)],
            "\(key.name)  \(key.publicKey.hex)")
        try context.output.note(
            "to let it write, an admin runs: ftictl key grant \(key.name) \(key.publicKey.hex) "
                + "--write NAMESPACE")
    }
}

struct KeyListCommand: Command {
    static let configuration = CommandConfiguration(
        "list", abstract: "List your keys and the keys you trust.",
        discussion: "The keys of a repository are in its access policy: see ftictl policy show.",
        examples: ["ftictl key list"])

    @OptionGroup var options: GlobalOptions

    func run(_ context: CommandContext) throws {
        let keyring = try context.keyring()
        let chosen = try? keyring.defaultName()
        var columns = Columns([.left, .left, .left])
        for name in try keyring.names() {
            let key = try keyring.secretKey(named: name).publicKey
            let isDefault = chosen.map { $0.utf8.elementsEqual(name.utf8) } ?? false
            try row(name, key, isDefault ? "default" : "", isOwn: true, &columns, context)
        }
        for (key, name) in try keyring.trusted() {
            try row(name, key, "trusted", isOwn: false, &columns, context)
        }
        for line in columns.lines { try context.output.line(line) }
        if !context.output.isJSON, columns.lines.isEmpty {
            try context.output.note("you have no keys: ftictl key new NAME creates one")
        }
    }

    private func row(
        _ name: String, _ key: PublicKey, _ mark: String, isOwn: Bool, _ columns: inout Columns,
        _ context: CommandContext
    ) throws {
        if context.output.isJSON {
            return try context.output.emit([
                "name": .string(name), "public": .string(key.hex), "own": .bool(isOwn),
                "default": .bool(mark == "default"),
            ])
        }
        let style = context.output.style
        columns.append([style.cyan(name.printable()), style.yellow(key.hex), style.green(mark)])
    }
}

struct KeyShowCommand: Command {
    static let configuration = CommandConfiguration(
        "show", abstract: "Print the public key of one of your keys.",
        examples: ["ftictl key show ada"])

    @Argument(help: "The name of the key.")
    var name: String

    @OptionGroup var options: GlobalOptions

    func run(_ context: CommandContext) throws {
        let key = try context.keyring().secretKey(named: name).publicKey
        try context.output.result(
            ["name": .string(name), "public": .string(key.hex)], key.hex)
    }
}

struct KeyUseCommand: Command {
    static let configuration = CommandConfiguration(
        "use", abstract: "Make a key the default.",
        examples: ["ftictl key use ada"])

    @Argument(help: "The name of the key.")
    var name: String

    @OptionGroup var options: GlobalOptions

    func run(_ context: CommandContext) throws {
        try context.keyring().makeDefault(name)
        try context.output.note("\(name) is now the default key, unless $FTI_KEY names another")
    }
}

struct KeyTrustCommand: Command {
    static let configuration = CommandConfiguration(
        "trust", abstract: "Trust a key to start the access policy of repositories new to you.",
        discussion: """
            If you trust no key, ftictl accepts any access policy when it first sees a repository. Once you \
            trust a key, it accepts only an access policy started by a trusted key or by one of your \
            own. $FTI_TRUST, one or more public keys, restricts a single command to access policies \
            started by those keys.
            """,
        examples: [
            "ftictl key trust KEY --name ada", "ftictl key trust KEY --remove",
        ])

    @Argument(help: ArgumentHelp("A public key: 64 hexadecimal digits.", valueName: "key"))
    var key: String

    @Option(help: "Your name for the key.")
    var name: String?

    @Flag(help: "Stop trusting the key.")
    var remove = false

    @OptionGroup var options: GlobalOptions

    func run(_ context: CommandContext) throws {
        let key = try PublicKey(argument: key)
        let label = name.map { $0.printable() } ?? "trusted"
        try context.keyring().trust(key, as: remove ? nil : label)
        try context.output.note("\(key.short) is \(remove ? "no longer" : "now") trusted")
    }
}

extension PublicKey {
    /// Parses a key from the command line.
    init(argument text: String) throws(CommandError) {
        guard let key = PublicKey(hex: text) else {
            throw .usage(
                "\(text.printable()) is not a public key (64 lower-case hexadecimal digits)",
                remedy: "ftictl key list prints yours")
        }
        self = key
    }
}

struct KeyGrantCommand: Command {
    static let configuration = CommandConfiguration(
        "grant", abstract: "Grant permissions in this repository to a key.",
        discussion: """
            The grant replaces the key's previous permissions. To rotate a key, grant the new one \
            under another name and revoke the old one; transactions signed by the old one stay valid.
            """,
        examples: [
            "ftictl key grant feature-bot KEY --write features",
            "ftictl key grant feature-bot --write features",
            "ftictl key grant grace KEY --approve", "ftictl key grant linus KEY --admin",
        ])

    @Argument(help: "The name of the key in the access policy.")
    var name: String

    @Argument(
        help: ArgumentHelp(
            "A public key, 64 hexadecimal digits (default: your key of that name).",
            valueName: "key"))
    var key: String?

    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp("Namespaces in which the key may move refs.", valueName: "namespace"))
    var write: [String] = []

    @Flag(help: "Let the key only approve moves, as every key may.")
    var approve = false

    @Flag(help: "Let the key move every ref, change the access policy and override gates.")
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
                "nothing to grant",
                remedy: "ftictl key grant \(name) --write features, or --approve, or --admin")
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
        "revoke", abstract: "Revoke a key in this repository.",
        discussion:
            "Transactions that the key signed before stay valid: the order of the log decides, not a clock.",
        examples: ["ftictl key revoke feature-bot"])

    @Argument(help: "The name of the key in the access policy.")
    var name: String

    @OptionGroup var options: GlobalOptions

    func run(_ context: CommandContext) throws {
        try context.changePolicy(message: "revoke \(name)") { policy in
            guard policy.key(named: name) != nil else {
                throw CommandError.missing(
                    "the access policy lists no key \(name.printable())",
                    remedy: "ftictl policy show")
            }
            return (policy.keys.filter { !$0.name.utf8.elementsEqual(name.utf8) }, policy.gates)
        }
    }
}

extension CommandContext {
    /// Replaces the access policy with a changed one, unless another writer has replaced it meanwhile.
    func changePolicy(
        message: String,
        _ change: (AccessPolicy) throws -> (keys: [AccessPolicy.Key], gates: [Gate])
    ) throws {
        let opened = try open()
        guard let old = opened.state.accessPolicy, old.isSigned else {
            throw CommandError(
                .refused, "this repository has no access policy that requires signatures",
                remedy: "ftictl policy init creates one with your key as the admin")
        }
        let (keys, gates) = try change(old)
        try setPolicy(
            try AccessPolicy.made { () throws(JSONSchemaError) in
                try AccessPolicy(
                    isSigned: old.isSigned, keys: keys, gates: gates, retention: old.retention)
            }, replacing: .some(old), in: opened, message: message)
    }

    /// Sets an access policy and reports its changes.
    func setPolicy(
        _ policy: AccessPolicy?, replacing old: AccessPolicy?, in opened: OpenRepository,
        message: String
    ) throws {
        let state = try opened.repository.setAccessPolicy(
            policy, replacing: .some(old), message: message, writer: writer)
        try output.result(
            [
                "transaction": .integer(state.number), "policy": policy?.json ?? .null,
                "id": .id(policy?.id),
            ], lines: PolicyView(style: output.style).changes(from: old, to: policy))
        try output.note("transaction \(state.number)")
    }
}

extension AccessPolicy {
    /// Creates an access policy; reports an invalid one as a usage error.
    static func made(_ body: () throws(JSONSchemaError) -> AccessPolicy) throws(CommandError)
        -> AccessPolicy
    {
        do throws(JSONSchemaError) { return try body() } catch {
            throw .usage(
                "invalid access policy: \(error.path) \(error.reason)", remedy: "ftictl policy show"
            )
        }
    }
}
