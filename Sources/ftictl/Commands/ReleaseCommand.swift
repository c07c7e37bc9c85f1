import ArgumentParser
import CommandSupport
import Objects
import Refs
import Storage

struct ReleaseCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "release",
        abstract:
            "Bind features, a model and a prompt to a release, and point a ref at it.",
        discussion: ArgumentHelp.discussion(
            """
            A release is a snapshot that names one features snapshot, one model and their embedding space, and \
            holds the prompt. Parts that do not fit each other are refused with the reason.
            """,
            examples: [
                "ftictl release releases/prod --features features/prod --model models/a",
                "ftictl release releases/b --features 3fa9 --model 81c0 --prompt p.txt",
            ]))

    @Argument(help: "The ref to move; created if missing.", completion: .revisions)
    var ref: String

    @Option(help: ArgumentHelp("The features to bind.", valueName: "rev"), completion: .revisions)
    var features: String

    @Option(help: ArgumentHelp("The model to bind.", valueName: "rev"), completion: .revisions)
    var model: String

    @Option(help: ArgumentHelp("A text file with the prompt.", valueName: "file"))
    var prompt: String?

    @Option(
        name: [.short, .long], parsing: .unconditional, help: "The message of this version.")
    var message: String?

    @OptionGroup var override: OverrideOption

    @OptionGroup var options: GlobalOptions

    func validate() throws {
        if let message, message.utf8.count > Snapshot.messageLimit {
            throw ValidationError(
                "the message has \(message.utf8.count) bytes, more than \(Snapshot.messageLimit)")
        }
    }

    func run(_ context: CommandContext) throws {
        let name = try RefName(ref)
        guard name.namespace == .releases else {
            throw CommandError.usage(
                "\(name) is not a ref of releases",
                remedy: "choose a name below releases/, such as releases/prod")
        }
        let text = try prompt.map(readPrompt)
        let repository = try context.open()
        try repository.writing([name]) { try bind(name, text, in: repository, context) }
    }

    private func bind(
        _ name: RefName, _ text: [UInt8]?, in repository: OpenRepository, _ context: CommandContext
    ) throws {
        let parts = (try repository.snapshotID(features), try repository.snapshotID(model))
        let transaction = try repository.begin(context.writer)
        let release = try transaction.bind(features: parts.0, model: parts.1, prompt: text)
        for caution in try release.cautions(in: transaction.objects) {
            try context.output.note("note: \(caution)")
        }
        let (id, commit) = try transaction.publish(
            release, as: name, by: .init(pipeline: "ftictl", version: Version.text),
            created: context.now, description: message,
            message: message ?? GeneratedMessage.text("release", ["\(features) with \(model)"]),
            overriding: override.reason)
        try override.note(commit, context.output)
        try report(id, release, commit, context)
    }

    private func readPrompt(_ path: String) throws -> [UInt8] {
        let bytes = try LocalFile.read(path, limit: Release.promptLimit)
        guard String(validating: bytes, as: UTF8.self) != nil, !bytes.contains(0) else {
            throw CommandError.usage("\(path) is not a text file in UTF-8")
        }
        return bytes
    }

    private func report(
        _ id: ObjectID, _ release: Release, _ commit: Commit, _ context: CommandContext
    ) throws {
        let output = context.output
        if output.isJSON {
            return try output.emit([
                "id": .id(id), "unchanged": .bool(commit.isUnchanged),
                "transaction": commit.number.map { .integer($0) } ?? .null,
                "refs": .array(commit.refs.map(\.json)),
                "gates": .array(commit.gates.map(\.json)), "features": .id(release.features),
                "model": .id(release.model), "space": .id(release.space),
                "prompt": .id(release.prompt),
            ])
        }
        let short = output.style.yellow(id.short)
        guard let number = commit.number else {
            return try output.line("unchanged  \(output.style.cyan(ref))  \(short)")
        }
        let place = output.style.dim("transaction \(Quantity.count(number))")
        try output.line("\(output.style.cyan(ref))  \(short)  \(place)")
        var columns = Columns([.left, .left, .left])
        func row(_ name: String, _ id: ObjectID?, _ revision: String) {
            guard let id else { return }
            columns.append([
                "  \(name)", output.style.yellow(id.short),
                output.style.cyan(revision.printable()),
            ])
        }
        row("features", release.features, features)
        row("model", release.model, model)
        row("space", release.space, "")
        row("prompt", release.prompt, prompt ?? "")
        for line in columns.lines { try output.line(line) }
        for warning in commit.warnings { try output.note("warning: \(warning)") }
    }
}
