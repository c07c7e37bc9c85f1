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
            whatever refs do, until --release removes it; --leases lists those that are there.
            """,
            examples: [
                "ftictl pin models/current features/prod -o fti.lock",
                "ftictl pin releases/prod -o fti.lock",
                "ftictl pin --check fti.lock",
                "ftictl pin --release fti.lock",
            ]))

    @Argument(help: ArgumentHelp("What to pin.", valueName: "rev"), completion: .revisions)
    var revisions: [String] = []

    @Option(name: [.short, .long], help: ArgumentHelp("Where to write.", valueName: "file"))
    var output = LockFile.usualName

    @Option(help: ArgumentHelp("The lock file to compare.", valueName: "file"))
    var check: String?

    @Option(
        help: ArgumentHelp(
            "The lock file whose versions need not be kept, or the name of a lease.",
            valueName: "file"))
    var release: String?

    @Flag(help: "List what leases keep.")
    var leases = false

    @OptionGroup var options: GlobalOptions

    func validate() throws {
        let questions = [check != nil, release != nil, leases].count { $0 }
        if questions > 1 { throw ValidationError("one of --check, --release and --leases") }
        if questions == 1, !revisions.isEmpty {
            throw ValidationError("--check, --release and --leases take no revisions")
        }
        if questions == 0, revisions.isEmpty { throw ValidationError("name what to pin") }
    }

    func run(_ context: CommandContext) throws {
        if let check { return try compare(check, context) }
        if let release { return try endLease(of: release, context) }
        if leases { return try listLeases(context) }
        let repository = try context.open()
        try repository.writing { try pin(in: repository, context) }
    }

    private func pin(in repository: OpenRepository, _ context: CommandContext) throws {
        guard !output.utf8.elementsEqual("-".utf8) else {
            throw CommandError.usage(
                "a lock file is written to a file, not to standard output",
                remedy: "ftictl pin REV... -o \(LockFile.usualName)")
        }
        var pins: [LockFile.Pin] = []
        var known: Set<[UInt8]> = []
        for revision in revisions.separated {
            for pin in try pinned(revision, in: repository)
            where known.insert(Array(pin.revision.utf8)).inserted { pins.append(pin) }
        }
        // What is pinned is told to others: a power cut must not take it back.
        try repository.repository.log.makeDurable()
        let lock = try write(pins, of: repository, context)
        if context.output.isJSON {
            return try context.output.emit([
                "path": .string(output), "transaction": .integer(lock.transaction),
                "lease": lock.lease.map { .string($0.hex) } ?? .null,
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
                style.cyan(pin.revision.printable()),
                style.yellow(pin.id.short),
                style.magenta(pin.kind.rawValue),
            ])
        }
        return columns
    }

    private func check(_ lock: LockFile, at path: String, of repository: RandomBits) throws {
        guard lock.repository == repository else {
            throw CommandError.usage(
                "\(path) pins versions of another repository (\(lock.repository.hex.prefix(12)))",
                remedy: "name that repository with --repo")
        }
    }

    /// How long a lease lasts, in seconds, until its lock file is written.
    private static let provisional = 600

    /// Writes the lock file, and takes a lease for what is pinned where the repository can be written.
    ///
    /// A new lease comes before the file and the lease of a file that is replaced goes after it, so that at no moment
    /// a lock file is there whose versions nothing keeps; what a crash leaves of the new one expires.
    private func write(
        _ pins: [LockFile.Pin], of opened: OpenRepository, _ context: CommandContext
    ) throws -> LockFile {
        let repository = opened.repository
        let replaced = try replacedLock()
        var lease: Lease? = Lease(
            name: RandomBits(from: { UInt64.random(in: 0 ... .max) }), purpose: "pin \(output)",
            snapshots: pins.map(\.id), seconds: Self.provisional)
        do throws(RefError) { if let lease { try repository.take(lease) } } catch {
            guard case .storage(let cause) = error else { throw error }
            try context.output.warn(
                "nothing keeps these versions from being collected: \(cause.message)")
            lease = nil
        }
        let lock = LockFile(
            repository: opened.state.repositoryID, transaction: opened.state.number, pins: pins,
            lease: lease?.name)
        do throws(StorageError) { try LocalFile.write(output, lock.encoded) } catch {
            if var lease {
                if case .durabilityUnknown = error {
                    // It is there all the same, and needs its lease.
                    lease.seconds = nil
                    try? repository.take(lease)
                } else {
                    try? repository.release(lease.name)
                }
            }
            throw error
        }
        if var lease {
            lease.seconds = nil
            do throws(RefError) { try repository.take(lease) } catch {
                try context.output.warn(
                    "\(output.printable()) is written, and its versions are kept for "
                        + "\(Self.provisional) seconds only: pin again")
                throw error
            }
        }
        if lease != nil, let replaced, let old = replaced.lease,
            replaced.repository == lock.repository
        {
            try? repository.release(old)
        }
        return lock
    }

    /// The lock file in the place of the new one; nil when there is nothing.
    ///
    /// - Throws: `usage` when something else is there.
    private func replacedLock() throws -> LockFile? {
        do { return try LockFile(at: output, edited: true) } catch let error as StorageError {
            guard error.isAbsence else { throw error }
            return nil
        }
    }

    private func endLease(of path: String, _ context: CommandContext) throws {
        let repository = try context.open()
        let lease: RandomBits?
        if let name = RandomBits(hex: path) {
            lease = try repository.repository.leases().first { $0.name == name }?.name
        } else {
            let lock = try LockFile(at: path)
            try check(lock, at: path, of: repository.state.repositoryID)
            lease = try repository.repository.leases().first { $0.name == lock.lease }?.name
        }
        if let lease { try repository.repository.release(lease) }
        if context.output.isJSON {
            return try context.output.emit([
                "path": .string(path), "released": .bool(lease != nil),
            ])
        }
        try context.output.line(
            lease == nil
                ? "\(path.printable()) has no lease"
                : "what \(path.printable()) pins is kept no longer for its sake")
    }

    private func listLeases(_ context: CommandContext) throws {
        let style = context.output.style
        var columns = Columns([.left, .left, .left])
        for lease in try context.open().repository.leases() {
            if context.output.isJSON {
                try context.output.emit(lease.json)
                continue
            }
            columns.append([
                style.yellow(lease.name.hex),
                lease.seconds.map { "for \($0) s" } ?? "until it is released",
                lease.purpose.printable(),
            ])
        }
        for line in columns.lines { try context.output.line(line) }
    }

    private func compare(_ path: String, _ context: CommandContext) throws {
        let lock = try LockFile(at: path)
        let repository = try context.open()
        try check(lock, at: path, of: repository.state.repositoryID)
        let comparison = try PinComparison(lock, in: repository)
        let differences = comparison.differences
        if context.output.isJSON {
            try context.output.emit([
                "ok": .bool(differences.isEmpty), "kept": .bool(comparison.isKept),
                "differences": .array(differences.map(\.json)),
            ])
        } else {
            for difference in differences { try context.output.line(difference.line) }
        }
        if differences.isEmpty, !context.output.isJSON {
            let count = lock.pins.count
            try context.output.line(
                "\(Quantity.count(count, "pin")) as \(count == 1 ? "it was" : "they were")")
        }
        if !comparison.isKept, !context.output.isJSON {
            try context.output.note(
                comparison.lease == nil
                    ? "note: no lease keeps these versions from being collected"
                    : "note: these versions are kept for a few minutes only: pin again")
        }
        if !differences.isEmpty { throw ExitCode.negative }
    }
}
