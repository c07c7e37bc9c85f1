import ArgumentParser
import CommandSupport
import Objects
import Refs
import Storage

struct PutCommand: Command {
    static let configuration = CommandConfiguration(
        "put",
        abstract: "Store files, a directory or JSONL rows as a snapshot, and move a ref to it.",
        discussion: """
            The contents of a single directory become the tree. Files, and each of several paths, \
            keep their own names. A pipe, such as <(command) or /dev/stdin, is read to its end. \
            With --key, the rows of one .jsonl file become a table.

            A symbolic link in a directory is stored as its target if the target lies in the same \
            project (the nearest parent with .git or .dvc) or in the same folder of the Hugging Face \
            cache; outside of both, if it lies in the same directory. .ftiignore files exclude what \
            their patterns match, like .gitignore in git. By default, .git, .cache/huggingface, \
            __pycache__, .DS_Store and .ipynb_checkpoints are excluded too.

            The previous version becomes the parent. Unchanged content makes no transaction, \
            unless the message, metrics, params or inputs are new.
            """,
        examples: [
            "ftictl put models/candidate ./output -m 'first try' --metric recall@10=0.84",
            "ftictl put features/staging rows.jsonl --key id --vector embedding",
            "ftictl put models/base ~/.cache/huggingface/hub/models--a--b/snapshots/abc",
            "ftictl put models/new ./output --exclude 'checkpoint-*/' --exclude '*.tmp'",
            "ftictl put models/new ./output --input dataset=datasets/sft --param lr=0.1",
        ])

    @Argument(help: .refToMove, completion: .revisions)
    var ref: String

    @Argument(help: ArgumentHelp("What to store.", valueName: "path"))
    var paths: [String]

    @OptionGroup var metadata: MetadataOptions

    @Option(
        help: ArgumentHelp(
            "Store a table; these attributes of a row, joined with #, are its key.",
            valueName: "field[,field]"))
    var key: String?

    @Option(help: ArgumentHelp("The attribute of a row that is its vector.", valueName: "field"))
    var vector: String?

    @Flag(help: "Follow symbolic links wherever they lead.")
    var follow = false

    @Option(
        parsing: .unconditionalSingleValue,
        help: ArgumentHelp(
            "Exclude what a pattern in .gitignore syntax matches; may be repeated.",
            valueName: "pattern"))
    var exclude: [String] = []

    @Flag(
        name: .customLong("no-default-excludes"),
        help: "Also store what is excluded by default.")
    var includesAll = false

    @Flag(
        name: .customLong("rename-invalid"),
        help: "Rename entries whose names cannot be stored, escaping with %.")
    var renamesInvalid = false

    @Flag(
        name: .customLong("no-cache"),
        help: "Read every file, even if it has not changed since it was stored.")
    var readsAll = false

    @OptionGroup var override: OverrideOption

    @OptionGroup var options: GlobalOptions

    func validate() throws {
        if vector != nil, key == nil { throw ValidationError("--vector needs --key") }
        if key != nil, paths.separated.count != 1 {
            throw ValidationError("--key takes one .jsonl file")
        }
        if key != nil, !exclude.isEmpty || renamesInvalid {
            throw ValidationError("--exclude and --rename-invalid apply to files, not to rows")
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
            message: metadata.message ?? "")
        snapshot.space = try metadata.space(of: snapshot, in: objects)
        let version = try transaction.store(
            NextVersion(of: name, snapshot, incidental: unset(in: snapshot)))
        let commit = try transaction.publish(
            [version], message: snapshot.message, overriding: override.reason)
        try override.note(commit, context.output)
        let newBytes = commit.isUnchanged ? 0 : objects.statistics.newBytes
        let storedBytes = commit.isUnchanged ? 0 : objects.statistics.storedBytes
        let sizes = "\(Quantity.bytes(newBytes)) new, \(Quantity.bytes(storedBytes)) stored"
        let excluded = (walk?.excluded.count ?? 0) + (walk?.excludedByDefault.count ?? 0)
        try context.output.report(
            version.id, of: name, commit, lines: ["\(content.summary); \(sizes)"],
            extra: [
                "newBytes": .integer(newBytes), "storedBytes": .integer(storedBytes),
                "excluded": .integer(excluded), "renamed": .integer(walk?.renamed.count ?? 0),
            ])
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
        let file = readsAll ? nil : context.statCache(of: repository)
        let cache = file.map {
            StatCache(
                $0.read(limit: StatCache.sizeLimit), repository: repository.hex,
                moment: context.now)
        }
        let total = walk.size
        let progress = context.progress
        let summary = try objects.importTree(walk, cache: cache) { count in
            progress.advance("storing", by: count, of: total)
        }
        progress.finish()
        // A failed write of the cache only costs time later.
        if let bytes = cache?.encoded() { try? file?.replace(bytes) }
        return summary.content
    }

    /// Refuses an empty version if patterns exclude everything.
    private func refuseNothing(_ walk: InputListing) throws {
        guard walk.entries.isEmpty, walk.excluded.count > 0 else { return }
        throw CommandError.usage(
            "nothing to store: patterns exclude every file",
            remedy: "ftictl put REF PATH with fewer --exclude, or with another .ftiignore")
    }

    /// Prints notes about files that are skipped, excluded or renamed.
    private func tell(of walk: InputListing, _ output: Output) throws {
        func entries(_ count: Int) -> String { Quantity.count(count, "entry", plural: "entries") }
        for path in walk.skipped { try output.note("skipped the repository \(path)") }
        let excluded = walk.excludedByDefault
        if excluded.count > 0 {
            let first = excluded.paths.prefix(3).joined(separator: ", ")
            let rest = excluded.count > 3 ? ", ..." : ""
            try output.note(
                "excluded \(entries(excluded.count)) by default: \(first)\(rest) "
                    + "(--no-default-excludes stores them)")
        }
        if walk.excluded.count > 0 {
            try output.note("excluded \(entries(walk.excluded.count)) by patterns")
        }
        for name in walk.renamed.paths { try output.note("renamed \(name)") }
        let rest = walk.renamed.count - walk.renamed.paths.count
        if rest > 0 { try output.note("renamed \(Quantity.count(rest)) more") }
    }

    /// The members that the command line does not set: their absence alone does not make a new version.
    private func unset(in snapshot: Snapshot) -> Set<NextVersion.Member> {
        var members: Set<NextVersion.Member> = [.cursor, .index]
        if metadata.message == nil { members.insert(.message) }
        if snapshot.metrics.isEmpty { members.insert(.metrics) }
        if snapshot.params.isEmpty { members.insert(.params) }
        if snapshot.inputs.isEmpty { members.insert(.inputs) }
        if snapshot.space == nil { members.insert(.space) }
        return members
    }
}
