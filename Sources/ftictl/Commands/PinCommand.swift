import ArgumentParser
import CommandSupport
import Objects
import Refs
import Storage

struct PinCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "pin",
        abstract: "Write a lock file of resolved ids, or compare one with what its refs are now.",
        discussion: ArgumentHelp.discussion(
            """
            All revisions are resolved in one state of the log. With a release its features and its \
            model are pinned as well. --check exits with 1 when a revision names something else \
            now, or a pinned snapshot is gone. A lease in the repository keeps what is pinned, \
            whatever refs do, until --release removes it.
            """,
            examples: [
                "ftictl pin models/current features/prod -o fti.lock",
                "ftictl pin releases/prod -o fti.lock",
                "ftictl pin --check fti.lock",
                "ftictl pin --release fti.lock",
            ]))

    @Argument(help: ArgumentHelp("What to pin.", valueName: "rev"))
    var revisions: [String] = []

    @Option(name: [.short, .long], help: ArgumentHelp("Where to write.", valueName: "file"))
    var output = "fti.lock"

    @Option(help: ArgumentHelp("The lock file to compare.", valueName: "file"))
    var check: String?

    @Option(
        help: ArgumentHelp("The lock file whose versions need not be kept.", valueName: "file"))
    var release: String?

    @OptionGroup var options: GlobalOptions

    func validate() throws {
        if check != nil, release != nil { throw ValidationError("--check or --release, not both") }
        if check != nil || release != nil, !revisions.isEmpty {
            throw ValidationError("the revisions are in the file: name none")
        }
        if check == nil, release == nil, revisions.isEmpty {
            throw ValidationError("name what to pin")
        }
    }

    func run(_ context: CommandContext) throws {
        if let check { return try compare(check, context) }
        if let release { return try endLease(of: release, context) }
        let repository = try context.open()
        var pins: [LockFile.Pin] = []
        for revision in revisions {
            for pin in try pinned(revision, in: repository)
            where !pins.contains(where: { $0.revision.utf8.elementsEqual(pin.revision.utf8) }) {
                pins.append(pin)
            }
        }
        // What is pinned is told to others: a power cut must not take it back.
        try repository.repository.log.makeDurable(repository.state, now: context.now)
        let lock = LockFile(
            repository: repository.state.repositoryID, transaction: repository.state.number,
            pins: pins, lease: try lease(for: pins, in: repository, context))
        try LocalFile.write(output, lock.encoded)
        if context.output.isJSON {
            return try context.output.emit([
                "path": .string(output), "transaction": .integer(lock.transaction),
                "pins": .array(
                    pins.map { pin in
                        [
                            "revision": .string(pin.revision), "id": .id(pin.id),
                            "kind": .string(pin.kind.rawValue),
                        ]
                    }),
            ])
        }
        for line in columns(pins, context.output.style).lines { try context.output.line(line) }
        try context.output.note("wrote \(output)")
    }

    /// A revision with, when it is a release, what that binds: named from the release, so that `--check` asks
    /// the release and not the refs that its parts came from.
    private func pinned(
        _ revision: String, in repository: OpenRepository
    ) throws -> [LockFile.Pin] {
        let id = try repository.snapshotID(revision)
        let snapshot = try repository.snapshot(id)
        let whole = LockFile.Pin(revision: revision, id: id, kind: snapshot.kind)
        guard snapshot.kind == .release else { return [whole] }
        let release = try Release(of: snapshot, in: try repository.objects)
        return [
            whole,
            LockFile.Pin(
                revision: "\(revision)^\(Release.featuresRole)", id: release.features,
                kind: .features),
            LockFile.Pin(
                revision: "\(revision)^\(Release.modelRole)", id: release.model, kind: .model),
        ]
    }

    private func columns(_ pins: [LockFile.Pin], _ style: Style) -> Columns {
        var columns = Columns([.left, .left, .left])
        for pin in pins {
            columns.append([
                Columns.Cell(pin.revision.printable(), style.cyan),
                Columns.Cell(pin.id.short, style.yellow),
                Columns.Cell(pin.kind.rawValue, style.magenta),
            ])
        }
        return columns
    }

    private func lockFile(_ path: String) throws -> LockFile {
        let bytes = try LocalFile.read(path, limit: LockFile.byteLimit)
        do throws(JSONSchemaError) { return try LockFile(decoding: bytes) } catch {
            throw CommandError.usage(
                "\(path) is not a lock file: \(error.path) \(error.reason)",
                remedy: "ftictl pin REV... -o fti.lock writes one")
        }
    }

    private func check(_ lock: LockFile, at path: String, of repository: RandomBits) throws {
        guard lock.repository == repository else {
            throw CommandError.usage(
                "\(path) pins versions of another repository (\(lock.repository.hex.prefix(12)))",
                remedy: "name that repository with --repo")
        }
    }

    /// Takes a lease for what is pinned, or the one of the lock file that is replaced; nil when the repository
    /// cannot be written.
    private func lease(
        for pins: [LockFile.Pin], in repository: OpenRepository, _ context: CommandContext
    ) throws -> RandomBits? {
        let replaced = try? lockFile(output)
        let isSame = replaced?.repository == repository.state.repositoryID
        let name =
            (isSame ? replaced?.lease : nil) ?? RandomBits(from: { UInt64.random(in: 0 ... .max) })
        let lease = Lease(
            name: name, purpose: "pin \(output)", snapshots: pins.map(\.id), seconds: nil)
        do throws(RefError) { try repository.repository.take(lease) } catch {
            guard case .storage(let cause) = error else { throw error }
            try context.output.note(
                "warning: nothing keeps these versions from being collected: \(cause.message)")
            return nil
        }
        return name
    }

    private func endLease(of path: String, _ context: CommandContext) throws {
        let lock = try lockFile(path)
        let repository = try context.open()
        try check(lock, at: path, of: repository.state.repositoryID)
        if let lease = lock.lease { try repository.repository.release(lease) }
        if context.output.isJSON {
            return try context.output.emit([
                "path": .string(path), "released": .bool(lock.lease != nil),
            ])
        }
        try context.output.line(
            lock.lease == nil
                ? "\(path) has no lease" : "what \(path) pins is kept no longer for its sake")
    }

    private func compare(_ path: String, _ context: CommandContext) throws {
        let lock = try lockFile(path)
        let repository = try context.open()
        try check(lock, at: path, of: repository.state.repositoryID)
        var differences: [JSON] = []
        for pin in lock.pins {
            let current = try? repository.snapshotID(pin.revision)
            let isThere = try repository.objects.size(of: pin.id) != nil
            guard current != pin.id || !isThere else { continue }
            differences.append([
                "revision": .string(pin.revision), "pinned": .id(pin.id), "current": .id(current),
                "exists": .bool(isThere),
            ])
            guard !context.output.isJSON else { continue }
            let now = current.map { "is \($0.short) now" } ?? "names nothing now"
            try context.output.line(
                "\(pin.revision.printable())  pinned \(pin.id.short), \(now)"
                    + (isThere ? "" : "; the pinned snapshot is gone"))
        }
        if context.output.isJSON {
            try context.output.emit([
                "ok": .bool(differences.isEmpty), "differences": .array(differences),
            ])
        } else if differences.isEmpty {
            try context.output.line("\(Quantity.count(lock.pins.count, "pin")) as they were")
        }
        if !differences.isEmpty { throw ExitCode.negative }
    }
}
