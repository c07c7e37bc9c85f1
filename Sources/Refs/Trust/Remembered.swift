package import Objects

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
