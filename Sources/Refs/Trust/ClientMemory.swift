public import Objects
internal import Storage

/// What one client has seen of the repository in one place, kept outside of the repository: by it a log that went
/// backwards or forked is noticed, a clock that was set back revives no approval, and what was checked once is not checked
/// again.
///
/// The file is durable. One that is not there is a first contact; one that is damaged is reported and then counts as
/// absent; one that cannot be written is no error.
public struct ClientMemory: Sendable {
    private let folder: PrivateFolder
    private let name: String
    private let now: @Sendable () -> Timestamp
    private let isForgetful: Bool
    private let report: @Sendable (String) -> Void

    /// The most bytes that the file may have: a state with some 100,000 packs.
    private static let byteLimit = 32 << 20
    /// A transaction of less age may be visible before it is durable: after a power cut its absence is no rollback.
    private static let settlingMilliseconds = 60_000

    /// The memory in a file, whether or not there is one.
    ///
    /// - Parameters:
    ///   - path: An absolute path, which stands for the place of the repository.
    ///   - now: Tells the time.
    ///   - isForgetful: Whether what it says is ignored and replaced: somebody knows why the log went backwards.
    ///   - report: Told in a sentence when what was remembered is lost; may be told again until something is remembered
    ///     anew.
    public init(
        at path: String, now: @escaping @Sendable () -> Timestamp, isForgetful: Bool = false,
        report: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) ?? path.startIndex
        folder = PrivateFolder(String(path[..<slash]))
        name = String(path[slash...].dropFirst())
        self.now = now
        self.isForgetful = isForgetful
        self.report = report
    }

    /// Forgets what was in this place before: a new repository was made there.
    public func clear() { try? folder.remove(name) }

    package func recall() -> Remembered? {
        guard !isForgetful else { return nil }
        do throws(StorageError) {
            guard let file = try folder.read(name, limit: Self.byteLimit) else { return nil }
            guard file.isOwn else {
                lost("others can write it")
                return nil
            }
            guard let remembered = Remembered(decoding: file.bytes) else {
                lost(file.bytes.isEmpty ? "it is empty" : "it is damaged")
                return nil
            }
            if remembered.isTorn { lost("the state in it is damaged") }
            return remembered
        } catch {
            lost(error.message)
            return nil
        }
    }

    private func lost(_ reason: String) {
        report(
            "what this client remembers of the repository cannot be read, so that a log that went backwards may not be "
                + "noticed: \(folder.path)/\(name): \(reason)")
    }

    /// The newest time at which this client is known to have looked at a repository.
    func newestTime(of repository: RandomBits) -> Timestamp? {
        recall().flatMap { $0.repositoryID == repository ? $0.time : nil }
    }

    /// Remembers a state that was seen, and when: at each new transaction, and once more when an approval in the state
    /// has expired since.
    ///
    /// - Parameters:
    ///   - known: What ``recall()`` gave.
    ///   - isDurable: Whether the newest entry is known to survive a power cut.
    package func record(_ state: State, after known: Remembered?, isDurable: Bool) {
        let known = known.flatMap { $0.repositoryID == state.repositoryID ? $0 : nil }
        let now = now()
        let hasLapse = state.approvals.contains { approval in
            approval.expires <= now && known.map { approval.expires > $0.time } ?? true
        }
        let isNew = known.map { $0.number < state.number || $0.isTorn } ?? true
        guard isNew || hasLapse else { return }
        let age = now.milliseconds - state.time.milliseconds
        if isNew, isDurable || !(0..<Self.settlingMilliseconds).contains(age) {
            try? folder.replace(name, Remembered(state, after: known, at: now).encoded)
        } else if hasLapse, let known {
            try? folder.replace(name, known.seen(at: now).encoded)
        }
    }
}

/// What a client remembers of a repository: the newest entry that it has seen, and where somebody demands signatures,
/// a state that it has checked itself.
///
/// A line of canonical JSON, then that state as a checkpoint has it.
package struct Remembered {
    package let repositoryID: RandomBits
    /// The newest entry that was seen.
    package let number: Int
    package let entryHash: ObjectID
    /// The newest time that this client's clock has shown when something was remembered.
    private(set) var time: Timestamp
    /// Whether a state was remembered that cannot be read any more.
    let isTorn: Bool
    /// Whether a policy has demanded signatures.
    let isSigned: Bool
    /// A state at or before ``number`` that was folded and checked by this client.
    let checkpoint: State?
    /// Its bytes; empty without.
    let checkpointBytes: [UInt8]

    /// The version of the format.
    private static let version = 1
    /// A state that was checked is kept anew when it is so many entries old: reading these takes no longer than
    /// writing it.
    private static let interval = 16

    /// What is remembered once a state was seen.
    ///
    /// - Parameters:
    ///   - known: What was remembered before of the same repository.
    ///   - now: What the client's clock shows.
    init(_ state: State, after known: Remembered?, at now: Timestamp) {
        time = max(known?.time ?? now, now)
        isTorn = false
        repositoryID = state.repositoryID
        number = state.number
        entryHash = state.entryHash
        isSigned = state.policyRoot != nil
        if let known, let old = known.checkpoint, state.number - old.number < Self.interval {
            checkpoint = old
            checkpointBytes = known.checkpointBytes
        } else if isSigned, let bytes = try? Checkpoint.encode(state) {
            checkpoint = state
            checkpointBytes = bytes
        } else {
            checkpoint = nil
            checkpointBytes = []
        }
    }

    /// The same, seen again later.
    func seen(at now: Timestamp) -> Remembered {
        var copy = self
        copy.time = max(time, now)
        return copy
    }

    var encoded: [UInt8] {
        let header: JSON = [
            "type": "memory", "version": .integer(Self.version),
            "repository": .string(repositoryID.hex), "n": .integer(number),
            "entry": .string(entryHash.hex), "time": .string(time.description),
            "signed": .bool(isSigned),
            "checkpoint": checkpoint.map { .integer($0.number) } ?? .null,
            "sha256": .string(ObjectID(of: checkpointBytes.span).hex),
        ]
        return header.canonicalBytes + [0x0A] + checkpointBytes
    }

    /// Reads what is remembered; nil when it is unreadable. A state that is torn is left out.
    init?(decoding bytes: [UInt8]) {
        guard let end = bytes.firstIndex(of: 0x0A),
            let object = (try? JSON(canonical: Array(bytes[..<end])))?.object
        else { return nil }
        var reader = JSONObjectReader(object)
        guard (try? reader.string("type")) == "memory",
            (try? reader.count("version")) == Self.version,
            let repository = (try? reader.string("repository")).flatMap({ RandomBits(hex: $0) }),
            let number = try? reader.count("n"), let entry = try? reader.objectID("entry"),
            let time = try? reader.timestamp("time"),
            let isSigned = reader.take("signed")?.bool,
            let hash = try? reader.objectID("sha256")
        else { return nil }
        repositoryID = repository
        self.number = number
        entryHash = entry
        self.time = time
        self.isSigned = isSigned
        let rest = Array(bytes[(end + 1)...])
        let hasCheckpoint = object["checkpoint"] != .null
        if let at = try? reader.count("checkpoint"),
            let state = Checkpoint.decode(rest, name: CheckpointName(number: at, hash: hash)),
            state.repositoryID == repository, at <= number
        {
            checkpoint = state
            checkpointBytes = rest
            isTorn = false
        } else {
            checkpoint = nil
            checkpointBytes = []
            isTorn = hasCheckpoint
        }
    }
}
