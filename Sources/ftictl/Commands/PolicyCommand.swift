import ArgumentParser
import CommandSupport
import Objects
import Refs
import Storage

struct PolicyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "policy",
        abstract: "Who may write what, and what moves of refs must satisfy.",
        discussion: ArgumentHelp.discussion(
            """
            The policy is in the log, and every reader checks each transaction by the policy before it. \
            Only an admin of the policy changes it.
            """,
            examples: [
                "ftictl policy init", "ftictl policy show > policy.json",
                "ftictl policy set policy.json",
            ]),
        subcommands: [
            PolicyInitCommand.self, PolicyShowCommand.self, PolicySetCommand.self,
            PolicyRemoveCommand.self,
        ])
}

struct PolicyInitCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "init",
        abstract: "Begin a policy: every transaction is signed, and your key is the admin.",
        discussion: ArgumentHelp.discussion(
            "A key is made when you have none.", examples: ["ftictl policy init"]))

    @OptionGroup var options: GlobalOptions

    func run(_ context: CommandContext) throws {
        let opened = try context.open()
        let old = opened.state.accessPolicy
        if old?.isSigned ?? false {
            throw CommandError(
                .refused, "this repository has a policy already", remedy: "ftictl policy show")
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
        try context.setPolicy(policy, replacing: old, in: opened, message: "begin a policy")
    }
}

struct PolicyShowCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Print the policy, in the form that policy set takes.",
        discussion: ArgumentHelp.discussion(
            "", examples: ["ftictl policy show", "ftictl policy show > policy.json"]))

    @OptionGroup var options: GlobalOptions

    func run(_ context: CommandContext) throws {
        guard let policy = try context.open().state.accessPolicy else {
            throw CommandError.missing(
                "this repository has no policy: anybody may write anything",
                remedy: "ftictl policy init")
        }
        if context.output.isJSON { return try context.output.emit(policy.json) }
        for line in PolicyView(style: context.output.style).lines(policy) {
            try context.output.line(line)
        }
    }
}

struct PolicySetCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "set", abstract: "Replace the policy by that of a file.",
        discussion: ArgumentHelp.discussion(
            "The file is JSON, as policy show prints it.",
            examples: ["ftictl policy set policy.json"]))

    @Argument(help: "The file.")
    var file: String

    @OptionGroup var options: GlobalOptions

    func run(_ context: CommandContext) throws {
        let bytes = try LocalFile.read(file, limit: AccessPolicy.byteLimit)
        let policy: AccessPolicy
        do throws(JSONSchemaError) { policy = try AccessPolicy(decoding: bytes) } catch {
            throw CommandError.usage(
                "\(file) is not a policy: \(error.path) \(error.reason)",
                remedy: "ftictl policy show prints one")
        }
        let opened = try context.open()
        try context.setPolicy(
            policy, replacing: opened.state.accessPolicy, in: opened, message: "set the policy")
    }
}

struct PolicyRemoveCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "remove", abstract: "Remove the policy: anybody may write anything again.",
        discussion: ArgumentHelp.discussion("", examples: ["ftictl policy remove"]))

    @OptionGroup var options: GlobalOptions

    func run(_ context: CommandContext) throws {
        let opened = try context.open()
        guard let old = opened.state.accessPolicy else {
            throw CommandError.missing(
                "this repository has no policy", remedy: "ftictl policy init")
        }
        try context.setPolicy(nil, replacing: old, in: opened, message: "remove the policy")
    }
}
