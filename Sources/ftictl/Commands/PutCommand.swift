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
            keep their own names; a pipe, such as <(command) or /dev/stdin, is read to its end. A \
            symbolic link in a directory is stored as what it leads to, if that lies in the same \
            project (.git, .dvc), folder of the Hugging Face cache, or else directory. What the \
            patterns of .ftiignore files match is left out, as git does with .gitignore; so are .git, \
            .cache/huggingface, __pycache__, .DS_Store and .ipynb_checkpoints. With --key the rows of one .jsonl file become a table. The \
            version before becomes the parent. Content that is unchanged makes no transaction, \
            unless a message, metrics, params or inputs are new.
            """,
            examples: [
                "ftictl put models/candidate ./output -m 'first try' --metric recall@10=0.84",
                "ftictl put features/staging rows.jsonl --key id --vector embedding",
                "ftictl put models/base ~/.cache/huggingface/hub/models--a--b/snapshots/abc",
                "ftictl put models/new ./output --exclude 'checkpoint-*/' --exclude '*.tmp'",
                "ftictl put models/new ./output --input dataset=datasets/sft --param lr=0.1",
            ]))

    @Argument(help: "The ref to move; it is made when there is none.", completion: .revisions)
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

    @Flag(help: "Store what symbolic links point at, wherever it lies.")
    var follow = false

    @Option(
        parsing: .unconditionalSingleValue,
        help: ArgumentHelp(
            "Leave out what a pattern of .gitignore syntax matches; may be repeated.",
            valueName: "pattern"))
    var exclude: [String] = []

    @Flag(
        name: .customLong("no-default-excludes"),
        help: "Store what is left out by default, too.")
    var includesAll = false

    @Flag(
        name: .customLong("rename-invalid"),
        help: "Store entries whose names cannot be stored under others, made by escaping with %.")
    var renamesInvalid = false

    @Flag(
        name: .customLong("no-cache"),
        help: "Read every file, also those that have not changed since they were stored.")
    var isAnew = false

    @OptionGroup var override: OverrideOption

    @OptionGroup var options: GlobalOptions

    func validate() throws {
        if vector != nil, key == nil { throw ValidationError("--vector needs --key") }
        if key != nil, paths.separated.count != 1 {
            throw ValidationError("--key takes one .jsonl file")
        }
        if key != nil, !exclude.isEmpty || renamesInvalid {
            throw ValidationError("--exclude and --rename-invalid are about files, not rows")
        }
    }

    func run(_ context: CommandContext) throws {
        let name = try RefName(ref)
        let metrics = try metadata.parsedMetrics()
        let params = try metadata.parsedParams()
        let repository = try context.open()
        try repository.writing([name]) {
            try put(name, metrics: metrics, params: params, in: repository, context)
        }
    }

    private func put(
        _ name: RefName, metrics: [String: Double], params: JSONObject,
        in repository: OpenRepository, _ context: CommandContext
    ) throws {
        let inputs = try metadata.parsedInputs { try repository.snapshotID($0) }
        let parent = repository.state.target(of: name)
        let before = try parent.map { try repository.snapshot($0, of: name) }
        let transaction = try repository.begin(context.writer, moving: [name])
        let objects = transaction.objects
        var walk: InputListing?
        let content: Content
        if let key {
            content = try rows(key: key, into: objects, before: before, context)
        } else {
            let found = try findFiles(context.output)
            walk = found
            content = try files(
                found, into: objects, repository: repository.state.repositoryID, context)
        }
        var snapshot = Snapshot(
            kind: name.namespace.kind, content: content, inputs: inputs,
            producer: .init(pipeline: "ftictl", version: Version.text),
            params: params, metrics: metrics, created: context.now,
            message: metadata.cleanMessage ?? "")
        snapshot.space = try metadata.space(of: snapshot, in: objects)
        let version = try transaction.store(
            NextVersion(of: name, snapshot, incidental: unsaid(in: snapshot)))
        let commit = try transaction.publish(
            [version], message: snapshot.message, overriding: override.reason)
        try override.note(commit, context.output)
        let put = Put(id: version.id, commit: commit, statistics: objects.statistics, walk: walk)
        try report(put, content, context)
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

    private func findFiles(_ output: Output) throws -> InputListing {
        var options = InputOptions()
        options.followLinks = follow
        options.excludes = exclude.separated
        options.usesDefaultExcludes = !includesAll
        options.renamesInvalid = renamesInvalid
        let walk = try InputListing.walking(paths.separated, options)
        try tell(of: walk, output)
        try refuseNothing(walk)
        return walk
    }

    private func files(
        _ walk: InputListing, into objects: ObjectWriter, repository: RandomBits,
        _ context: CommandContext
    ) throws -> Content {
        let file = isAnew ? nil : context.statCache(of: repository)
        let cache = file.map {
            StatCache(
                $0.read(limit: StatCache.sizeLimit), repository: repository.hex,
                moment: context.now)
        }
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

    /// Refuses a version of nothing where patterns left out all that there was.
    private func refuseNothing(_ walk: InputListing) throws {
        guard walk.entries.isEmpty, walk.excluded.count > 0 else { return }
        throw CommandError.usage(
            "patterns leave out everything that there is to store",
            remedy: "ftictl put REF PATH with fewer --exclude, or with another .ftiignore")
    }

    /// Says what is not stored as it was found.
    private func tell(of walk: InputListing, _ output: Output) throws {
        for path in walk.skipped { try output.note("left out the repository \(path)") }
        let excluded = walk.excludedByDefault
        if excluded.count > 0 {
            let first = excluded.paths.prefix(3).joined(separator: ", ")
            let rest = excluded.count > 3 ? ", ..." : ""
            try output.note(
                "left out \(Quantity.count(excluded.count, "entry", plural: "entries")) by default: "
                    + "\(first)\(rest) (--no-default-excludes stores them)")
        }
        if walk.excluded.count > 0 {
            try output.note(
                "left out \(Quantity.count(walk.excluded.count, "entry", plural: "entries")) by patterns"
            )
        }
        for name in walk.renamed.paths { try output.note("renamed \(name)") }
        if walk.renamed.count > walk.renamed.paths.count {
            let rest = walk.renamed.count - walk.renamed.paths.count
            try output.note("renamed \(Quantity.count(rest)) more")
        }
    }

    /// What the command line does not say, and need not be as before.
    private func unsaid(in snapshot: Snapshot) -> Set<NextVersion.Member> {
        var members: Set<NextVersion.Member> = [.cursor, .index]
        if metadata.message == nil { members.insert(.message) }
        if snapshot.metrics.isEmpty { members.insert(.metrics) }
        if snapshot.params.isEmpty { members.insert(.params) }
        if snapshot.inputs.isEmpty { members.insert(.inputs) }
        if snapshot.space == nil { members.insert(.space) }
        return members
    }

    private struct Put {
        let id: ObjectID
        let commit: Commit
        let statistics: ObjectWriter.Statistics
        /// What was found; nil for rows.
        let walk: InputListing?
    }

    private func report(_ put: Put, _ content: Content, _ context: CommandContext) throws {
        let output = context.output
        let commit = put.commit
        output.made(transaction: commit.number)
        let newBytes = commit.isUnchanged ? 0 : put.statistics.newBytes
        let storedBytes = commit.isUnchanged ? 0 : put.statistics.storedBytes
        if output.isJSON {
            return try output.emit([
                "id": .id(put.id), "unchanged": .bool(commit.isUnchanged),
                "transaction": commit.number.map { .integer($0) } ?? .null,
                "refs": .array(commit.refs.map(\.json)),
                "gates": .array(commit.gates.map(\.json)),
                "newBytes": .integer(newBytes), "storedBytes": .integer(storedBytes),
                "excluded": .integer(
                    (put.walk?.excluded.count ?? 0) + (put.walk?.excludedByDefault.count ?? 0)),
                "renamed": .integer(put.walk?.renamed.count ?? 0),
            ])
        }
        let id = output.style.yellow(put.id.short)
        guard let number = commit.number else {
            return try output.line("unchanged  \(output.style.cyan(ref))  \(id)")
        }
        let place = output.style.dim("transaction \(Quantity.count(number))")
        try output.line(
            "\(output.style.cyan(ref))  \(id)  \(place)")
        try output.line(
            "\(content.summary); \(Quantity.bytes(newBytes)) new, "
                + "\(Quantity.bytes(storedBytes)) stored")
        for warning in commit.warnings { try output.note("warning: \(warning)") }
    }
}
