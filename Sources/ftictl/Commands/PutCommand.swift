import ArgumentParser
import CommandSupport
import Objects
import Refs
import Storage

struct PutCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "put",
        abstract: "Store files, a directory, or JSONL rows as a snapshot, and move a ref to it.",
        discussion: ArgumentHelp.discussion(
            """
            The content of a single directory becomes the tree; files, and each of several paths, \
            keep their own names. With --key the rows of one .jsonl file become a table. The \
            version before becomes the parent. Content that is unchanged makes no transaction, \
            unless a message, metrics, params or inputs are new.
            """,
            examples: [
                "ftictl put models/candidate ./output -m 'first try' --metric recall@10=0.84",
                "ftictl put features/staging rows.jsonl --key id --vector embedding",
                "ftictl put models/new ./output --input dataset=datasets/sft --param lr=0.1",
            ]))

    @Argument(help: "The ref to move; it is made when there is none.")
    var ref: String

    @Argument(help: ArgumentHelp("What to store.", valueName: "path"))
    var paths: [String]

    @OptionGroup var metadata: MetadataOptions

    @Option(
        help: ArgumentHelp(
            "Members of each row that are its key, joined with #; makes a table.",
            valueName: "field[,field]"))
    var key: String?

    @Option(help: ArgumentHelp("The member of each row that is its vector.", valueName: "field"))
    var vector: String?

    @Flag(help: "Store what a symbolic link among the paths points at.")
    var follow = false

    @Flag(
        name: .customLong("no-cache"),
        help: "Read every file, also those that have not changed since they were stored.")
    var isAnew = false

    @OptionGroup var override: OverrideOption

    @OptionGroup var options: GlobalOptions

    func validate() throws {
        if vector != nil, key == nil { throw ValidationError("--vector needs --key") }
        if key != nil, paths.count != 1 {
            throw ValidationError("--key takes one .jsonl file")
        }
    }

    func run(_ context: CommandContext) throws {
        let name = try RefName(ref)
        let metrics = try metadata.parsedMetrics()
        let params = try metadata.parsedParams()
        let repository = try context.open()
        let inputs = try metadata.parsedInputs { try repository.snapshotID($0) }
        let parent = repository.state.target(of: name)
        let before = try parent.map { try repository.snapshot($0) }
        let transaction = try repository.begin(context.writer, moving: [name])
        let objects = transaction.objects
        let content =
            try key.map {
                try rows(key: $0, into: objects, before: before, context)
            } ?? files(into: objects, repository: repository.state.repositoryID, context)
        var snapshot = Snapshot(
            kind: name.namespace.kind, content: content, parents: parent.map { [$0] } ?? [],
            inputs: inputs, producer: .init(pipeline: "ftictl", version: Version.text),
            params: params, metrics: metrics, created: context.now,
            message: metadata.cleanMessage ?? "")
        if let parent, let before, isUnchanged(snapshot, since: before) {
            // Who made it so may have died before it was durable.
            try repository.repository.log.makeDurable()
            return try report(Put(id: parent, commit: nil, statistics: nil), content, context)
        }
        // A log never runs backwards, and neither do the snapshots in it.
        if let before, snapshot.created < before.created { snapshot.created = before.created }
        let id = try objects.write(snapshot.encoded, hint: .structured)
        let commit = try transaction.commit(
            [RefUpdate(name, expected: parent.map { .exactly($0) } ?? .absent, new: id)],
            message: snapshot.message, overriding: override.reason)
        try override.note(commit, context.output)
        try report(Put(id: id, commit: commit, statistics: objects.statistics), content, context)
    }

    private func rows(
        key: String, into objects: ObjectWriter, before: Snapshot?, _ context: CommandContext
    ) throws -> Content {
        let fields = key.split(separator: ",", omittingEmptySubsequences: false)
        let rows = RowSource(
            keyFields: fields.map(String.init), vectorField: vector,
            predecessor: before?.content.table)
        return try rows.store(paths[0], follow: follow, into: objects, context.progress)
    }

    private func files(
        into objects: ObjectWriter, repository: RandomBits, _ context: CommandContext
    ) throws -> Content {
        let file = isAnew ? nil : context.statCache(of: repository)
        let cache = file.map {
            StatCache(
                $0.read(limit: StatCache.sizeLimit), repository: repository.hex,
                moment: context.now)
        }
        let walk = try SourceWalk(paths, followLinks: follow)
        for path in walk.skipped { try context.output.note("left out the repository \(path)") }
        let total = walk.size
        let done = ByteCount()
        let progress = context.progress
        let summary = try objects.importTree(walk, cache: cache) { count in
            progress.update("storing", bytes: done.add(count), of: total)
        }
        progress.finish()
        // A cache that cannot be written costs time, nothing else.
        if let bytes = cache?.encoded() { try? file?.replace(bytes) }
        return summary.content
    }

    /// Whether the content is the same and nothing was said that the version before does not say.
    private func isUnchanged(_ snapshot: Snapshot, since before: Snapshot) -> Bool {
        snapshot.content == before.content
            && (metadata.message == nil || snapshot.message.utf8.elementsEqual(before.message.utf8))
            && (snapshot.metrics.isEmpty || snapshot.metrics == before.metrics)
            && (snapshot.params.isEmpty || snapshot.params == before.params)
            && (snapshot.inputs.isEmpty || snapshot.inputs == before.inputs)
    }

    private struct Put {
        let id: ObjectID
        let commit: Commit?
        let statistics: ObjectWriter.Statistics?
    }

    private func report(_ put: Put, _ content: Content, _ context: CommandContext) throws {
        let output = context.output
        output.made(transaction: put.commit?.number)
        let newBytes = put.statistics?.newBytes ?? 0
        let storedBytes = put.statistics?.storedBytes ?? 0
        if output.isJSON {
            return try output.emit([
                "id": .id(put.id), "unchanged": .bool(put.commit == nil),
                "transaction": put.commit?.number.map { .integer($0) } ?? .null,
                "refs": .array(put.commit?.refs.map(\.json) ?? []),
                "gates": .array(put.commit?.gates.map(\.json) ?? []),
                "newBytes": .integer(newBytes), "storedBytes": .integer(storedBytes),
            ])
        }
        guard let commit = put.commit, let number = commit.number else {
            return try output.line(
                "unchanged  \(output.style.cyan(ref))  \(output.style.yellow(put.id.short))")
        }
        let place = output.style.dim("transaction \(Quantity.count(number))")
        try output.line(
            "\(output.style.cyan(ref))  \(output.style.yellow(put.id.short))  \(place)")
        try output.line(
            "\(content.summary); \(Quantity.bytes(newBytes)) new, "
                + "\(Quantity.bytes(storedBytes)) stored")
        for warning in commit.warnings { try output.note("warning: \(warning)") }
    }
}
