public import Objects
public import Refs
public import Storage

/// A problem that a verification found.
public struct Finding: Hashable, Sendable {
    /// What can be done about a finding.
    public enum Kind: Hashable, Sendable {
        /// Bytes are damaged or missing; an undamaged copy of the repository helps.
        case damage
        /// A checkpoint or the hint of the log is damaged or wrong; the log itself suffices to rebuild it.
        case cache
        /// A file that no ref needs is damaged; a repair mends or deletes it.
        case idle
        /// A lease is unreadable.
        case lease(remedy: String)
        /// A forged entry points a ref at an object that its namespace does not allow.
        case misdirectedRef(remedy: String?)
        /// A ref moved although a gate refuses the move.
        case bypassedGate(RefName, remedy: String?)
        /// A version that no collection was allowed to remove is gone.
        case lostVersion
    }

    /// Where a finding is; its description is a path below the repository, except for ``object(_:)`` and ``other(_:)``.
    public enum Place: Hashable, Sendable, CustomStringConvertible {
        /// An entry of the log with a file of its own.
        case entry(Int)
        /// A segment of the log.
        case segment(BlobName)
        /// A checkpoint of the state after an entry of the log.
        case checkpoint(BlobName, number: Int)
        /// The hint of the log.
        case hint
        /// A file in a folder of the log that is no part of a log.
        case stray(BucketFolder, path: String)
        /// A pack, live or removed.
        case pack(ObjectID)
        /// A whole folder.
        case folder(BucketFolder)
        /// The reserve for an entry when the disk is full.
        case reserve
        /// A lease, or the folder of leases.
        case lease(path: String)
        /// An object, wherever it is stored.
        case object(ObjectID)
        /// Anything else that an error names.
        case other(String)

        /// See ``Place``.
        public var description: String {
            switch self {
            case .entry(let number): LogFile.place(of: number)
            case .segment(let name), .checkpoint(let name, _): name.description
            case .hint: LogFile.tip.description
            case .reserve: LogFile.reserve.description
            case .pack(let name): "packs/\(name.hex)"
            case .folder(let folder): folder.rawValue
            case .object(let id): id.hex
            case .stray(_, let path), .lease(let path), .other(let path): path
            }
        }

        /// Whether it is in the folder of checkpoints.
        var isCheckpoint: Bool {
            switch self {
            case .checkpoint, .stray(.checkpoints, _): true
            default: false
            }
        }

        /// Whether the log itself suffices to rebuild it.
        var isLogCache: Bool { self == .hint || isCheckpoint }
    }

    /// The kind of the finding, which decides its remedy.
    public let kind: Kind
    /// The file, folder or object in which the problem is.
    public internal(set) var place: Place
    /// The problem in words, for people.
    public let problem: String
    /// The damaged bytes of the file, as narrowly as is known; nil for the whole file.
    public internal(set) var range: Range<Int>?
    /// The refs, snapshots and commands that it affects; empty when none is known.
    public internal(set) var affects: [String] = []

    init(
        _ kind: Kind = .damage, at place: Place, range: Range<Int>? = nil, _ problem: String,
        affects: [String] = []
    ) {
        self.kind = kind
        self.place = place
        self.problem = problem
        self.range = range
        self.affects = affects
    }

    /// The next step, a command line where one exists; nil when none is known.
    public var remedy: String? {
        switch kind {
        case .damage: "ftictl verify --repair --from COPY"
        case .cache, .idle: "ftictl verify --repair"
        case .lease(let remedy): remedy
        case .misdirectedRef(let remedy): remedy
        case .bypassedGate(let name, let remedy):
            "ftictl rollback \(name), or \(remedy ?? "satisfy the gate")"
        case .lostVersion:
            "ftictl reflog shows who removed packs; ftictl verify --repair --from COPY brings it back"
        }
    }
}

/// The findings of a verification: each problem once, with everything that it affects.
struct FindingList {
    private(set) var findings: [Finding] = []
    private var indexes: [ObjectError: Int] = [:]
    private var affected: [Int: Set<String>] = [:]

    mutating func add(_ more: [Finding]) { findings += more }

    /// Adds the damage of a pack.
    mutating func add(_ damage: PackDamage) {
        let index = index(of: damage.error, at: .pack(damage.pack))
        // Damage elsewhere, in something that an object is made from, has no range.
        if let range = damage.range, findings[index].range == nil {
            (findings[index].place, findings[index].range) = (.pack(damage.pack), range)
        }
    }

    /// Adds the damage of a snapshot or its content, under the names that people know it by.
    mutating func add(_ damage: SnapshotVerifier.Damage, _ names: [String]) {
        let index = index(of: damage.error, at: damage.error.place)
        for name in names {
            let path = damage.path.isEmpty ? name : "\(name):\(damage.path)"
            if affected[index, default: []].insert(path).inserted {
                findings[index].affects.append(path)
            }
        }
    }

    private mutating func index(of error: ObjectError, at place: Finding.Place) -> Int {
        if let index = indexes[error] { return index }
        indexes[error] = findings.count
        findings.append(Finding(at: place, error.message))
        return findings.count - 1
    }
}

extension ObjectError {
    /// The object or the pack that the error is about.
    fileprivate var place: Finding.Place {
        switch self {
        case .missing(let id), .collected(let id, _), .corrupt(let id, _), .tooLarge(let id, _, _):
            .object(id)
        case .malformed(let id, _, _, _): id.map { .object($0) } ?? .other("(unknown)")
        case .damagedPack(let name, _), .packGone(let name): .pack(name)
        case .invalid(let what, _): .other(what)
        case .storage(let error): .other(error.message)
        }
    }
}
