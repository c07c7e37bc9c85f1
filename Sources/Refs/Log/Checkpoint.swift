package import Objects
internal import Storage

/// A state as it is stored: a cache that can be deleted at any time, and never an authority.
///
/// The first line is canonical JSON with everything but the packs, of which each has a line of its own
/// (``PackLedger``).
package enum Checkpoint {
    /// How many entries lie between two checkpoints of so many bytes.
    ///
    /// Opening reads this many small files at most, some 20 µs each. A large state takes longer to write and to
    /// read than a few entries, so it is written less often: neither side pays more than twice what it must.
    static func interval(size: Int) -> Int {
        var interval = 16
        while interval < 4096, interval * bytesPerEntry < size { interval *= 2 }
        return interval
    }

    /// A checkpoint's bytes that take as long as reading one entry.
    private static let bytesPerEntry = 2 << 10
    /// The most bytes that a checkpoint may have: a million packs.
    package static let byteLimit = 256 << 20

    /// The bytes that stand for a state.
    package static func encode(_ state: State) throws(RefError) -> [UInt8] {
        let refs = state.refs.sorted { $0.key < $1.key }.map { name, ref -> JSON in
            [
                "name": .string(name.text), "target": .string(ref.target.hex),
                "transaction": .integer(ref.transaction), "time": .string(ref.time.description),
            ]
        }
        let removed = state.removedRefs.sorted { $0.key < $1.key }.map { name, number -> JSON in
            ["name": .string(name.text), "transaction": .integer(number)]
        }
        let header: JSON = [
            "type": "checkpoint", "version": .integer(State.formatVersion),
            "n": .integer(state.number), "entry": .string(state.entryHash.hex),
            "time": .string(state.time.description), "repository": .string(state.repositoryID.hex),
            "refs": .array(refs), "removed": .array(removed), "policy": state.policy?.json ?? .null,
            "root": state.policyRoot.map { .string($0.hex) } ?? .null,
            "signedSince": state.signedSince.map { .integer($0) } ?? .null,
            "listed": .array(state.listedKeys.sorted().map { .string($0.hex) }),
            "approvals": .array(state.approvals.map(\.json)),
        ]
        return header.canonicalBytes + [0x0A] + PackLedger.lines(try state.packLedger.live())
    }

    /// The lines of a checkpoint without its signature, if its name says that it has one.
    package static func body(_ bytes: [UInt8], name: CheckpointName) -> ArraySlice<UInt8> {
        guard name.isSigned, let end = bytes.dropLast().lastIndex(of: 0x0A) else {
            return bytes[...]
        }
        return bytes[...end]
    }

    /// What a signature of a checkpoint signs.
    static func signedBytes(_ body: ArraySlice<UInt8>, of state: State) -> [UInt8] {
        var bytes = Array("fti-checkpoint-v1\0".utf8) + state.repositoryID.bytes
        bytes.append(bigEndian: state.number)
        state.entryHash.append(to: &bytes)
        let lines = Array(body)
        ObjectID(of: lines.span).append(to: &bytes)
        return bytes
    }

    /// Who vouches for a checkpoint; nil when nobody does.
    private static func certifier(_ bytes: [UInt8], name: CheckpointName, of state: State)
        -> PublicKey?
    {
        let body = body(bytes, name: name)
        guard name.isSigned,
            let object = (try? JSON(canonical: Array(bytes[body.endIndex...].dropLast())))?.object
        else { return nil }
        var reader = JSONObjectReader(object)
        guard let signature = try? Signature.take(from: &reader),
            (try? reader.finish()) != nil,
            signature.isValid(for: signedBytes(body, of: state))
        else { return nil }
        return signature.key
    }

    /// Reads a checkpoint; nil when it is not what its name says or not readable.
    package static func decode(_ bytes: [UInt8], name: CheckpointName) -> State? {
        let body = body(bytes, name: name)
        guard ObjectID(of: bytes.span) == name.hash, let end = body.firstIndex(of: 0x0A),
            let object = try? JSON(canonical: Array(bytes[..<end])).object
        else { return nil }
        var reader = JSONObjectReader(object)
        guard
            var state = try? state(
                &reader, packs: body[(end + 1)...], name: name, size: bytes.count),
            state.number == name.number
        else { return nil }
        state.certifier = certifier(bytes, name: name, of: state)
        return state
    }

    private static func state(
        _ reader: inout JSONObjectReader, packs: ArraySlice<UInt8>, name: CheckpointName, size: Int
    ) throws -> State {
        guard try reader.string("type") == "checkpoint",
            try reader.count("version") == State.formatVersion,
            let repository = RandomBits(hex: try reader.string("repository"))
        else { throw reader.error("type", "is not that of a checkpoint of this format") }
        var refs: [RefName: RefState] = [:]
        for value in try reader.array("refs") {
            var ref = JSONObjectReader(value.object ?? JSONObject(), path: "refs")
            refs[try RefName(try ref.string("name"))] = RefState(
                target: try ref.objectID("target"), transaction: try ref.count("transaction"),
                time: try ref.timestamp("time"))
            try ref.finish()
        }
        var removed: [RefName: Int] = [:]
        for value in try reader.array("removed") {
            var ref = JSONObjectReader(value.object ?? JSONObject(), path: "removed")
            removed[try RefName(try ref.string("name"))] = try ref.count("transaction")
            try ref.finish()
        }
        let policy = try AccessPolicy.take("policy", from: &reader)
        var root: PublicKey?
        if case .string(let text)? = reader.take("root") {
            root = PublicKey(hex: text)
            guard root != nil else { throw reader.error("root", "must be an Ed25519 key") }
        }
        let signedSince = try reader.countOrNull("signedSince")
        var listed: Set<PublicKey> = []
        for value in try reader.array("listed") {
            guard let key = value.string.flatMap({ PublicKey(hex: $0) }) else {
                throw reader.error("listed", "must be Ed25519 keys")
            }
            listed.insert(key)
        }
        var approvals: [Approval] = []
        for value in try reader.array("approvals") {
            var approval = JSONObjectReader(value.object ?? JSONObject(), path: "approvals")
            approvals.append(try Approval(&approval))
        }
        let state = State(
            number: try reader.count("n"), entryHash: try reader.objectID("entry"),
            time: try reader.timestamp("time"), repositoryID: repository, refs: refs,
            removedRefs: removed, policy: policy, policyRoot: root, signedSince: signedSince,
            listedKeys: listed, pendingApprovals: Approvals(approvals),
            packLedger: PackLedger(lines: packs, place: name.blob.description), checkpoint: name,
            checkpointSize: size)
        try reader.finish()
        return state
    }
}

/// What `log/tip` says: the newest entry that somebody has seen durable.
///
/// It may lag and must never lead, so a log that ends before it has lost its tail.
package struct TipHint: Hashable {
    package let number: Int
    package let entryHash: ObjectID
    let checkpoint: CheckpointName?

    /// The bytes that every hint has, so that one can be written over another: room for the longest.
    package static let byteCount = 256

    package init(number: Int, entryHash: ObjectID, checkpoint: CheckpointName?) {
        self.number = number
        self.entryHash = entryHash
        self.checkpoint = checkpoint
    }

    /// `NUMBER HASH CHECKPOINT CHECKSUM`, spaces, and a line feed: the checksum is the SHA-256 of what is before
    /// its space.
    package var encoded: [UInt8] {
        let text = "\(number) \(entryHash.hex) \(checkpoint?.text ?? "-")"
        let bytes = Array("\(text) \(ObjectID(of: Array(text.utf8).span).hex)".utf8)
        return bytes + [UInt8](repeating: 0x20, count: Self.byteCount - 1 - bytes.count) + [0x0A]
    }

    /// Reads a hint, or gives nil: garbage is no hint.
    init?(decoding bytes: [UInt8]) {
        guard bytes.count == Self.byteCount else { return nil }
        let words = bytes.dropLast().split(separator: 0x20).map {
            String(decoding: $0, as: UTF8.self)
        }
        guard words.count == 4, let number = LogFile.number(words[0].utf8),
            let entryHash = ObjectID(hex: words[1])
        else { return nil }
        self.init(
            number: number, entryHash: entryHash, checkpoint: CheckpointName(words[2]))
        guard encoded == bytes else { return nil }
    }
}

extension TipHint {
    /// Whether bytes are what a crash leaves of a hint that was being written over another: the beginning of one and
    /// the end of another, or the beginning of one and zeros or nothing. Anything else that is no hint is damage.
    ///
    /// - Parameters:
    ///   - entries: The newest entries, of which one or two the hints were about.
    ///   - checkpoints: The checkpoints that the hints may name.
    package static func isTorn(
        _ bytes: [UInt8], about entries: [(number: Int, hash: ObjectID)],
        checkpoints: [CheckpointName]
    ) -> Bool {
        guard bytes.count <= byteCount else { return false }
        let names: [CheckpointName?] = [nil] + checkpoints
        var beginning = 0
        var end = 0
        for (number, hash) in entries {
            for name in names {
                let hint = TipHint(number: number, entryHash: hash, checkpoint: name).encoded
                beginning = max(beginning, zip(hint, bytes).prefix { $0 == $1 }.count)
                guard bytes.count == byteCount else { continue }
                end = max(end, zip(hint.reversed(), bytes.reversed()).prefix { $0 == $1 }.count)
            }
        }
        return beginning + end >= byteCount || bytes.dropFirst(beginning).allSatisfy { $0 == 0 }
    }
}

/// The hint and the checkpoints: what makes opening fast, and is never needed.
extension Log {
    /// The hint; nil when there is none, or garbage.
    package func readHint() throws(RefError) -> TipHint? {
        do {
            // A writer may be at it: what is a mixture of two hints now is a hint a moment later.
            for _ in 0..<3 {
                guard let bytes = try bucket.read(LogFile.tip, limit: TipHint.byteCount) else {
                    return nil
                }
                if let hint = TipHint(decoding: bytes) { return hint }
            }
            return nil
        } catch {
            if error.concernsOneFile { return nil }
            throw .storage(error)
        }
    }

    /// The state that a checkpoint holds; nil when it is unreadable or the log contradicts it.
    func checkpointed(
        _ name: CheckpointName?, _ reader: inout EntryReader
    ) throws(RefError) -> State? {
        guard let name, let state = read(name), try agrees(state, &reader) else { return nil }
        return state
    }

    /// The newest usable checkpoint of the folder; those that the log does not reach go to `ahead`.
    func newestListed(
        ahead: inout [State], _ reader: inout EntryReader
    ) throws(RefError) -> State? {
        for name in try checkpointNames() {
            guard let state = read(name) else { continue }
            if try agrees(state, &reader) {
                if trust.accepts(state) { return state }
            } else {
                ahead.append(state)
            }
        }
        return nil
    }

    /// The names of the checkpoints in the folder, the newest first.
    func checkpointNames() throws(RefError) -> [CheckpointName] {
        do {
            return try bucket.list(.checkpoints).compactMap { CheckpointName($0.name) }
                .sorted { ($0.number, $0.hash) > ($1.number, $1.hash) }
        } catch {
            if error.concernsOneFile { return [] }
            throw .storage(error)
        }
    }

    /// What a checkpoint holds, or nil: whatever is wrong with it, the log itself is better.
    package func read(_ name: CheckpointName) -> State? {
        guard let bytes = try? bucket.read(name.blob, limit: Checkpoint.byteLimit) else {
            return nil
        }
        return Checkpoint.decode(bytes, name: name)
    }

    func agrees(_ state: State, _ reader: inout EntryReader) throws(RefError) -> Bool {
        guard let entry = try reader.first(from: state.number) else { return false }
        return entry.hash == state.entryHash && entry.time == state.time
    }

    /// Writes a checkpoint when one is due, the hint, and what this client remembers. None is needed, so failures
    /// are ignored.
    func writeCaches(after state: inout State, by writer: Writer) {
        if isCheckpointDue(state), var bytes = try? Checkpoint.encode(state) {
            let isSigned = writer.certify(&bytes, of: state)
            let name = CheckpointName(
                number: state.number, hash: ObjectID(of: bytes.span), isSigned: isSigned)
            // Named by its hash: a crash can lose or tear it, and it then is no checkpoint.
            if (try? bucket.replace(name.blob, bytes)) != nil {
                state.restart(from: name, bytes)
                removeCheckpoints(before: name)
            }
        }
        let hint = TipHint(
            number: state.number, entryHash: state.entryHash, checkpoint: state.checkpoint)
        try? bucket.overwrite(LogFile.tip, hint.encoded)
        if let memory = trust.memory {
            memory.record(state, after: memory.recall(), isDurable: true)
        }
    }

    /// Whether the writer of the newest entry is to write a checkpoint: one in so many is, and if that
    /// one dies before it does, the next that notices.
    private func isCheckpointDue(_ state: State) -> Bool {
        let interval = Checkpoint.interval(size: state.checkpointSize)
        let distance = state.number - (state.checkpoint?.number ?? 0)
        return state.number > 0 && state.number % interval == 0 || distance >= 2 * interval
    }

    /// Keeps the newest checkpoint and one before it, for readers whose hint lags, and the newest that somebody
    /// vouches for, for those who come for the first time.
    private func removeCheckpoints(before newest: CheckpointName) {
        guard let names = try? checkpointNames() else { return }
        let signed = newest.isSigned ? newest : names.first(where: \.isSigned)
        for name in names.filter({ $0.number < newest.number }).dropFirst() where name != signed {
            try? bucket.delete(name.blob)
        }
    }
}
