import ArgumentParser
import Artifacts
import CommandSupport
import Objects
import Refs
import Storage

struct ReleaseCommand: Command {
    static let configuration = CommandConfiguration(
        "release",
        abstract: "Bind features, models and a prompt in a release, and point a ref at it.",
        discussion: """
            A release is a snapshot that names one features snapshot, a ranker, a generator or \
            both, optionally a reranker, and the embedding space, and holds the prompt and the \
            canary. Versions that do not fit together are refused, and the error says why. With \
            --from, roles without an option keep what another release binds to them.
            """,
        examples: [
            "ftictl release releases/prod --features features/prod --ranker models/a",
            "ftictl release releases/prod --from releases/prod --features 3fa9",
            "ftictl release releases/b --features 3fa9 --generator 81c0 --prompt p.json",
        ])

    @Argument(help: .refToMove, completion: .revisions)
    var ref: String

    @Option(
        help: ArgumentHelp("The release whose parts to keep.", valueName: "rev"),
        completion: .revisions)
    var from: String?

    @Option(help: ArgumentHelp("The features to bind.", valueName: "rev"), completion: .revisions)
    var features: String?

    @Option(
        help: ArgumentHelp("The ranker to bind, a model.", valueName: "rev"),
        completion: .revisions)
    var ranker: String?

    @Option(
        help: ArgumentHelp("Another name of --ranker.", valueName: "rev"), completion: .revisions)
    var model: String?

    @Option(
        help: ArgumentHelp(
            "The cross-encoder to bind, a model that reorders the best chunks.", valueName: "rev"),
        completion: .revisions)
    var reranker: String?

    @Option(
        help: ArgumentHelp("The language model to bind.", valueName: "rev"),
        completion: .revisions)
    var generator: String?

    @Option(
        help: ArgumentHelp(
            "The prompt: prompt.json, or a text file with the instructions.", valueName: "file"))
    var prompt: String?

    @Option(
        help: ArgumentHelp(
            "Answers that identify the language model, by fti-inference canary.",
            valueName: "file"))
    var canary: String?

    @OptionGroup var description: MessageOption

    @OptionGroup var override: OverrideOption

    @OptionGroup var options: GlobalOptions

    private var chosenRanker: String? { ranker ?? model }

    func validate() throws {
        guard ranker == nil || model == nil else {
            throw ValidationError("--model is another name of --ranker: give one of them")
        }
        guard from == nil else { return }
        if features == nil {
            throw ValidationError("give --features, or --from with a release")
        }
        if chosenRanker == nil, generator == nil {
            throw ValidationError("give --ranker, --generator or both, or --from with a release")
        }
    }

    func run(_ context: CommandContext) throws {
        let name = try RefName(ref)
        guard name.namespace == .releases else {
            throw CommandError.usage(
                "\(name) is not a ref of releases",
                remedy: "choose a name below releases/, such as releases/prod")
        }
        let files = (try prompt.map(ReleaseFile.prompt), try canary.map(ReleaseFile.canary))
        let repository = try context.open()
        try repository.writing([name]) { try bind(name, files, in: repository, context) }
    }

    private func bind(
        _ name: RefName,
        _ files: (prompt: (form: Release.Prompt.Form, bytes: [UInt8])?, canary: [UInt8]?),
        in repository: OpenRepository, _ context: CommandContext
    ) throws {
        let named = (
            features: try features.map(repository.snapshotID),
            ranker: try chosenRanker.map(repository.snapshotID),
            reranker: try reranker.map(repository.snapshotID),
            generator: try generator.map(repository.snapshotID)
        )
        let base = try from.map { revision in
            let snapshot = try repository.snapshot(try repository.snapshotID(revision))
            return try Release(of: snapshot, named: revision, in: try repository.objects).roles
        }
        guard let features = named.features ?? base?.features else { return }
        var roles = base ?? Release.Roles(features: features)
        roles.features = features
        roles.ranker = named.ranker ?? roles.ranker
        roles.reranker = named.reranker ?? roles.reranker
        roles.generator = named.generator ?? roles.generator
        let transaction = try repository.begin(context.writer)
        if let (form, bytes) = files.prompt {
            roles.prompt = .init(form, try transaction.objects.write(bytes, hint: .bulk))
        }
        if let bytes = files.canary {
            roles.canary = try transaction.objects.write(bytes, hint: .bulk)
        }
        let release = try transaction.bind(roles)
        for caution in try release.cautions(in: transaction.objects) {
            try context.output.note("note: \(caution)")
        }
        let (id, commit) = try transaction.publish(
            release, as: name, by: .init(pipeline: "ftictl", version: Version.text),
            created: context.now, description: description.message,
            message: description.message ?? generatedMessage, overriding: override.reason)
        try override.note(commit, context.output)
        try context.output.report(
            id, of: name, commit, lines: lines(release, context.output.style),
            extra: [
                "features": .id(roles.features), "model": .id(roles.ranker),
                "ranker": .id(roles.ranker), "reranker": .id(roles.reranker),
                "generator": .id(roles.generator),
                "space": .id(release.space), "prompt": .id(roles.prompt?.id),
                "canary": .id(roles.canary),
            ])
    }

    /// The message of the transaction: `release features/prod with models/a`.
    private var generatedMessage: String {
        var named = [features, chosenRanker, reranker, generator].compactMap(\.self)
        if prompt != nil { named.append("a prompt") }
        if canary != nil { named.append("a canary") }
        let parts = named.joined(separator: " with ")
        let base = from.map { named.isEmpty ? $0 : " from \($0)" } ?? ""
        return GeneratedMessage.text("release", [parts + base])
    }

    /// The parts that the release binds, with the revisions or files that named them.
    private func lines(_ release: Release, _ style: Style) -> [String] {
        let roles = release.roles
        let kept = from.map { "from \($0)" } ?? ""
        var columns = Columns([.left, .left, .left])
        for (name, id, source) in [
            ("features", roles.features, features ?? kept),
            ("model", roles.ranker, chosenRanker ?? kept),
            ("reranker", roles.reranker, reranker ?? kept),
            ("generator", roles.generator, generator ?? kept), ("space", release.space, ""),
            ("prompt", roles.prompt?.id, prompt ?? kept),
            ("canary", roles.canary, canary ?? kept),
        ] as [(String, ObjectID?, String)] {
            guard let id else { continue }
            columns.append(["  \(name)", style.yellow(id.short), style.cyan(source.printable())])
        }
        return columns.lines
    }
}

/// Reads and checks the files that a release holds.
private enum ReleaseFile {
    /// Reads a prompt: a file named `*.json`, or with a JSON object that says it is a prompt, has templates; any other is
    /// the text of instructions.
    static func prompt(
        _ path: String
    ) throws -> (form: Release.Prompt.Form, bytes: [UInt8]) {
        let bytes = try LocalFile.read(path, limit: Release.fileLimit)
        if path.utf8.suffix(5).elementsEqual(".json".utf8) || Prompt.isEncoded(in: bytes) {
            let prompt = try reading(path) { () throws(JSONSchemaError) in
                try Prompt(decoding: bytes)
            }
            return (.template, prompt.encoded)
        }
        guard String(validating: bytes, as: UTF8.self) != nil, !bytes.contains(0) else {
            throw CommandError.usage("\(path) is not a text file in UTF-8")
        }
        return (.text, bytes)
    }

    /// Reads a canary.
    static func canary(_ path: String) throws -> [UInt8] {
        let bytes = try LocalFile.read(path, limit: Release.fileLimit)
        let canary = try reading(path) { () throws(JSONSchemaError) in
            try Canary(decoding: bytes)
        }
        return canary.encoded
    }

    private static func reading<Value>(
        _ path: String, _ read: () throws(JSONSchemaError) -> Value
    ) throws(CommandError) -> Value {
        do throws(JSONSchemaError) { return try read() } catch {
            throw .usage("\(path): \(error.path) \(error.reason)")
        }
    }
}
