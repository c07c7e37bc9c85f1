public import Objects
internal import Storage

/// A client's memory of the repository in one place, stored outside the repository. It lets the client detect a log
/// that was rolled back or forked, keeps a clock that was set back from reviving approvals, and saves repeated checks.
///
/// The file is durable. A missing file means a first contact; a damaged one is reported and counts as missing; failing
/// to write it is not an error.
public struct ClientMemory: Sendable {
    private let folder: PrivateFolder
    private let name: String
    private let now: @Sendable () -> Timestamp
    private let isForgetful: Bool
    private let report: @Sendable (String) -> Void

    /// The maximum number of bytes that the file may have: enough for a state with 100,000 packs.
    private static let byteLimit = 32 << 20
    /// The age in milliseconds below which a visible transaction may not be durable yet: if it is missing after a power
    /// cut, that is no rollback.
    private static let settlingMilliseconds = 60_000

    /// The memory in a file, which need not exist.
    ///
    /// - Parameters:
    ///   - path: An absolute path, which stands for the place of the repository.
    ///   - now: The clock.
    ///   - isForgetful: Whether to ignore and replace the memory: the user knows why the log was rolled back.
    ///   - report: Receives a sentence when the memory is lost, perhaps several times until the memory is written
    ///     again.
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

    /// Forgets the repository that was in this place before a new one was created there.
    public func clear() { try? folder.remove(name) }

    package func recall() -> Remembered? {
        guard !isForgetful else { return nil }
        do throws(StorageError) {
            guard let file = try folder.read(name, limit: Self.byteLimit) else { return nil }
            guard file.isOwn else {
                lost("other users can write it")
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
            "this client's memory of the repository is unreadable, so a rollback of the log may go unnoticed: "
                + "\(folder.path)/\(name): \(reason)")
    }

    /// The newest time at which this client saw a repository.
    func newestTime(of repository: RandomBits) -> Timestamp? {
        recall().flatMap { $0.repositoryID == repository ? $0.time : nil }
    }

    /// Remembers a state and the time at each new transaction that is durable, and the time once more when an approval
    /// in the state has expired.
    ///
    /// - Parameters:
    ///   - known: The result of ``recall()``.
    ///   - isDurable: Whether the newest entry is known to survive a power cut; otherwise its age decides.
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

/// The contents of the memory: the newest entry that the client has seen and, once an access policy has demanded
/// signatures, a state that the client has checked itself.
///
/// A line of canonical JSON, followed by the state in the encoding of a checkpoint.
package struct Remembered {
    package let repositoryID: RandomBits
    /// The number of the newest entry that was seen.
    package let number: Int
    package let entryHash: ObjectID
    /// The newest time of this client's clock when something was remembered.
    private(set) var time: Timestamp
    /// Whether the state in the file is unreadable.
    let isTorn: Bool
    /// Whether an access policy has demanded signatures.
    let isSigned: Bool
    /// A state at or before ``number`` that this client has checked.
    let checkpoint: State?
    /// The bytes of the state; empty without one.
    let checkpointBytes: [UInt8]

    private static let version = 1
    /// The age in entries at which the checked state is replaced: reading that many entries takes no longer than
    /// writing the state.
    private static let interval = 16

    /// The memory after a state was seen.
    ///
    /// - Parameters:
    ///   - known: The previous memory of the same repository.
    ///   - now: The client's clock.
    init(_ state: State, after known: Remembered?, at now: Timestamp) {
        time = max(known?.time ?? now, now)
        isTorn = false
        repositoryID = state.repositoryID
        number = state.number
        entryHash = state.entryHash
        isSigned = state.rootKey != nil
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

    /// A copy with a later time.
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

    /// Decodes the memory, and leaves out a torn state; nil when the rest is unreadable.
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
