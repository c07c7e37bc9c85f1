import ArgumentParser
import CommandSupport
import Objects
import Refs
import Storage

struct ReleaseCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "release",
        abstract:
            "Bind features, a model and a prompt that fit each other, and move a ref to that.",
        discussion: ArgumentHelp.discussion(
            """
            A release is a snapshot that names one features snapshot, one model and their embedding \
            space, and holds the prompt. What does not fit is refused, and it is said why.
            """,
            examples: [
                "ftictl release releases/prod --features features/prod --model models/a",
                "ftictl release releases/b --features 3fa9 --model 81c0 --prompt p.txt",
            ]))

    @Argument(help: "The ref to move; it is made when there is none.", completion: .revisions)
    var ref: String

    @Option(help: ArgumentHelp("The features.", valueName: "rev"), completion: .revisions)
    var features: String

    @Option(help: ArgumentHelp("The model.", valueName: "rev"), completion: .revisions)
    var model: String

    @Option(help: ArgumentHelp("A text file: the prompt.", valueName: "file"))
    var prompt: String?

    @Option(
        name: [.short, .long], parsing: .unconditional, help: "What to say of this version.")
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
                "\(name) is not a ref for releases",
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
        let objects = transaction.objects
        let prompt = try text.map { try objects.write($0, hint: .bulk) }
        let release = try Release(
            features: parts.0, model: parts.1, prompt: prompt, in: objects)
        try note(release, in: objects, context)
        let snapshot = try release.snapshot(
            into: objects, producer: .init(pipeline: "ftictl", version: Version.text),
            created: context.now, message: message.map { Secrets.withoutCredentials($0) } ?? "")
        let version = try transaction.store(
            NextVersion(of: name, snapshot, incidental: message == nil ? [.message] : []))
        let commit = try transaction.publish(
            [version],
            message: message ?? GeneratedMessage.text("release", ["\(features) with \(model)"]),
            overriding: override.reason)
        try override.note(commit, context.output)
        try report(version.id, release, commit, context)
    }

    private func readPrompt(_ path: String) throws -> [UInt8] {
        let bytes = try LocalFile.read(path, limit: Release.promptLimit)
        guard String(validating: bytes, as: UTF8.self) != nil, !bytes.contains(0) else {
            throw CommandError.usage("\(path) is not a text file in UTF-8")
        }
        return bytes
    }

    /// Says what is allowed and may still not be meant.
    private func note(
        _ release: Release, in objects: ObjectWriter, _ context: CommandContext
    ) throws {
        if release.space == nil {
            try context.output.note(
                "note: neither features nor model declare an embedding space, so nothing shows that "
                    + "they fit")
        }
        if let made = release.modelFeatures, try !release.modelPrecedesFeatures(in: objects) {
            try context.output.note(
                "note: the model was made from features \(made.short), which are not among the "
                    + "ancestors of \(release.features.short)")
        }
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
