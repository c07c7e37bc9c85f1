import ArgumentParser
import CommandSupport
import Objects
import Refs
import Storage

struct PinCommand: Command {
    static let configuration = CommandConfiguration(
        "pin",
        abstract:
            "Write a lock file of resolved ids, or compare one with what its revisions name now.",
        discussion: """
            All revisions are resolved in one state of the log. Pinning a release also pins its \
            features and its model. --check exits with 1 if a revision names something else now, or \
            if a pinned snapshot is gone. A lease in the repository keeps the pinned versions, \
            wherever refs move, until --release removes it. --leases lists all leases.
            """,
        examples: [
            "ftictl pin models/current features/prod -o fti.lock",
            "ftictl pin releases/prod -o fti.lock",
            "ftictl pin --check fti.lock",
            "ftictl pin --release fti.lock",
        ])

    @Argument(help: ArgumentHelp("The versions to pin.", valueName: "rev"), completion: .revisions)
    var revisions: [String] = []

    @Option(
        name: [.short, .long], help: ArgumentHelp("The lock file to write.", valueName: "file"))
    var output = LockFile.usualName

    @Option(help: ArgumentHelp("The lock file to compare.", valueName: "file"))
    var check: String?

    @Option(
        help: ArgumentHelp(
            "Remove the lease of this lock file, or the lease with this name.", valueName: "file"))
    var release: String?

    @Flag(help: "List leases and what they keep.")
    var leases = false

    @OptionGroup var options: GlobalOptions

    func validate() throws {
        let questions = [check != nil, release != nil, leases].count { $0 }
        if questions > 1 {
            throw ValidationError("give only one of --check, --release and --leases")
        }
        if questions == 1, !revisions.isEmpty {
            throw ValidationError("--check, --release and --leases take no revisions")
        }
        if questions == 0, revisions.isEmpty { throw ValidationError("name the versions to pin") }
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
                "a lock file cannot be written to standard output",
                remedy: "ftictl pin REV... -o \(LockFile.usualName)")
        }
        let versions = try revisions.separated.map { ($0, try repository.snapshotID($0)) }
        let pins = try repository.repository.pins(of: versions, in: repository.state)
        let outcome = try repository.repository.pin(
            pins, in: repository.state, replacing: try replacedLock(), purpose: "pin \(output)"
        ) { (bytes) throws(StorageError) in try LocalFile.write(output, bytes) }
        try warn(about: outcome.protection, context.output)
        let lock = outcome.lock
        let pinsJSON = pins.map { pin -> JSON in
            [
                "revision": .string(pin.revision), "id": .id(pin.id),
                "kind": .string(pin.kind.rawValue),
            ]
        }
        try context.output.result(
            [
                "path": .string(output), "transaction": .integer(lock.transaction),
                "lease": lock.lease.map { .string($0.hex) } ?? .null, "pins": .array(pinsJSON),
            ], lines: lines(pins, context.output.style))
        try context.output.note("wrote \(output)")
    }

    /// Warns about versions that may be collected; throws if they have a lease that could not be extended.
    private func warn(about protection: PinOutcome.Protection, _ output: Output) throws {
        switch protection {
        case .untilReleased: break
        case .none(let cause):
            try output.warn("nothing keeps these versions from being collected: \(cause.message)")
        case .provisional(let error):
            try output.warn(
                "\(self.output.printable()) was written, but its versions are kept for only "
                    + "\(Repository.provisionalLeaseSeconds) seconds: pin again")
            throw error
        }
    }

    private func lines(_ pins: [LockFile.Pin], _ style: Style) -> [String] {
        var columns = Columns([.left, .left, .left])
        for pin in pins {
            columns.append([
                style.cyan(pin.revision.printable()), style.yellow(pin.id.short),
                style.magenta(pin.kind.rawValue),
            ])
        }
        return columns.lines
    }

    private func check(_ lock: LockFile, at path: String, of repository: RandomBits) throws {
        guard lock.repository == repository else {
            throw CommandError.usage(
                "\(path) pins versions of another repository (\(lock.repository.hex.prefix(12)))",
                remedy: "name that repository with --repo")
        }
    }

    /// The lock file that the new one replaces; nil when there is none.
    ///
    /// - Throws: `usage` when the file is not a lock file.
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
            lease = try repository.repository.lease(name)?.name
        } else {
            let lock = try LockFile(at: path)
            try check(lock, at: path, of: repository.state.repositoryID)
            lease = try repository.repository.lease(lock.lease)?.name
        }
        if let lease { try repository.repository.release(lease) }
        try context.output.result(
            ["path": .string(path), "released": .bool(lease != nil)],
            lease == nil
                ? "\(path.printable()) has no lease"
                : "released the lease of \(path.printable())")
    }

    private func listLeases(_ context: CommandContext) throws {
        let style = context.output.style
        var columns = Columns([.left, .left, .left, .left])
        for lease in try context.open().repository.leases() {
            if context.output.isJSON {
                try context.output.emit(lease.json)
                continue
            }
            columns.append([
                style.yellow(lease.name.hex),
                lease.seconds.map { "for \($0) s" } ?? "until released",
                lease.purpose.printable(),
                lease.serving.map { state in
                    "\(state.replica.name) serves \(state.replica.follows)".printable()
                } ?? "",
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
        try context.output.result(
            [
                "ok": .bool(differences.isEmpty), "kept": .bool(comparison.isKept),
                "differences": .array(differences.map(\.json)),
            ],
            lines: differences.isEmpty
                ? ["\(Quantity.count(lock.pins.count, "pin")) unchanged"]
                : differences.map(\.line))
        if !comparison.isKept {
            try context.output.note(
                comparison.lease == nil
                    ? "note: no lease keeps these versions from being collected"
                    : "note: these versions are kept for only a few minutes: pin again")
        }
        if !differences.isEmpty { throw ExitCode.negative }
    }
}
