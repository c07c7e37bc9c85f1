import ArgumentParser
import CommandSupport
import Objects
import Refs
import Storage

struct ReleaseCommand: Command {
    static let configuration = CommandConfiguration(
        "release",
        abstract: "Bind features, a model and a prompt in a release, and point a ref at it.",
        discussion: """
            A release is a snapshot that names one features snapshot, one model and their embedding \
            space, and holds the prompt. Versions that do not fit together are refused, and the \
            error says why.
            """,
        examples: [
            "ftictl release releases/prod --features features/prod --model models/a",
            "ftictl release releases/b --features 3fa9 --model 81c0 --prompt p.txt",
        ])

    @Argument(help: .refToMove, completion: .revisions)
    var ref: String

    @Option(help: ArgumentHelp("The features to bind.", valueName: "rev"), completion: .revisions)
    var features: String

    @Option(help: ArgumentHelp("The model to bind.", valueName: "rev"), completion: .revisions)
    var model: String

    @Option(help: ArgumentHelp("A text file with the prompt.", valueName: "file"))
    var prompt: String?

    @OptionGroup var description: MessageOption

    @OptionGroup var override: OverrideOption

    @OptionGroup var options: GlobalOptions

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
            created: context.now, description: description.message,
            message: description.message
                ?? GeneratedMessage.text("release", ["\(features) with \(model)"]),
            overriding: override.reason)
        try override.note(commit, context.output)
        try context.output.report(
            id, of: name, commit, lines: lines(release, context.output.style),
            extra: [
                "features": .id(release.features), "model": .id(release.model),
                "space": .id(release.space), "prompt": .id(release.prompt),
            ])
    }

    private func readPrompt(_ path: String) throws -> [UInt8] {
        let bytes = try LocalFile.read(path, limit: Release.promptLimit)
        guard String(validating: bytes, as: UTF8.self) != nil, !bytes.contains(0) else {
            throw CommandError.usage("\(path) is not a text file in UTF-8")
        }
        return bytes
    }

    /// The parts that the release binds, with the revisions that named them.
    private func lines(_ release: Release, _ style: Style) -> [String] {
        var columns = Columns([.left, .left, .left])
        for (name, id, revision) in [
            ("features", release.features, features), ("model", release.model, model),
            ("space", release.space, ""), ("prompt", release.prompt, prompt ?? ""),
        ] as [(String, ObjectID?, String)] {
            guard let id else { continue }
            columns.append(["  \(name)", style.yellow(id.short), style.cyan(revision.printable())])
        }
        return columns.lines
    }
}
