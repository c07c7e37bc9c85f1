package import Objects
internal import Storage

/// A stored state: a cache that may be deleted at any time, and never an authority.
///
/// The first line is canonical JSON with everything except the packs, which follow on one line each (``PackLedger``). A
/// signed checkpoint ends with a line that holds the signature.
package enum Checkpoint {
    /// How many entries lie between a checkpoint of this size in bytes and the next one.
    ///
    /// Unless a writer crashed, opening reads at most this many small files, about 20 µs each. A large state takes
    /// longer to write and read than a few entries, so it is written less often: neither readers nor writers spend more
    /// than twice the minimum.
    static func interval(size: Int) -> Int {
        var interval = 16
        while interval < 4096, interval * bytesPerEntry < size { interval *= 2 }
        return interval
    }

    /// The bytes of a checkpoint that take as long to read as one entry.
    private static let bytesPerEntry = 2 << 10
    /// The maximum number of bytes that a checkpoint may have: enough for a million packs.
    package static let byteLimit = 256 << 20

    /// The bytes of a checkpoint of a state, without a signature.
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
            "refs": .array(refs), "removed": .array(removed),
            "policy": state.accessPolicy?.json ?? .null,
            "root": state.rootKey.map { .string($0.hex) } ?? .null,
            "signedSince": state.signedSince.map { .integer($0) } ?? .null,
            "listed": .array(state.listedKeys.sorted().map { .string($0.hex) }),
            "approvals": .array(state.approvals.map(\.json)),
        ]
        return header.canonicalBytes + [0x0A] + PackLedger.lines(try state.packLedger.live())
    }

    /// The lines of a checkpoint without the signature that its name announces.
    package static func body(_ bytes: [UInt8], name: CheckpointName) -> ArraySlice<UInt8> {
        guard name.isSigned, let end = bytes.dropLast().lastIndex(of: 0x0A) else {
            return bytes[...]
        }
        return bytes[...end]
    }

    /// The bytes that the signature of a checkpoint covers.
    static func signedBytes(_ body: ArraySlice<UInt8>, of state: State) -> [UInt8] {
        var bytes = Array("fti-checkpoint-v1\0".utf8) + state.repositoryID.bytes
        bytes.append(bigEndian: state.number)
        state.entryHash.append(to: &bytes)
        let lines = Array(body)
        ObjectID(of: lines.span).append(to: &bytes)
        return bytes
    }

    /// The key that vouches for a checkpoint; nil when none does.
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

    /// Decodes a checkpoint; nil when it is unreadable or does not match its name.
    package static func decode(_ bytes: [UInt8], name: CheckpointName) -> State? {
        let body = body(bytes, name: name)
        guard ObjectID(of: bytes.span) == name.hash, let end = body.firstIndex(of: 0x0A),
            let object = try? JSON(canonical: Array(bytes[..<end])).object
        else { return nil }
        var reader = JSONObjectReader(object)
        let packs = body[(end + 1)...]
        guard var state = try? state(&reader, packs: packs, name: name, size: bytes.count),
            state.number == name.number
        else { return nil }
        state.certifier = certifier(bytes, name: name, of: state)
        return state
    }

    private static func state(
        _ reader: inout JSONObjectReader, packs: ArraySlice<UInt8>, name: CheckpointName, size: Int
    ) throws -> State {
        guard try reader.string("type") == "checkpoint",
            try reader.count("version") == State.formatVersion
        else { throw reader.error("type", "is not a checkpoint of this format") }
        let refs = try reader.objects("refs") { (ref) throws(JSONSchemaError) in
            let state = RefState(
                target: try ref.objectID("target"), transaction: try ref.count("transaction"),
                time: try ref.timestamp("time"))
            return (try ref.refName("name"), state)
        }
        let removed = try reader.objects("removed") { (ref) throws(JSONSchemaError) in
            (try ref.refName("name"), try ref.count("transaction"))
        }
        let accessPolicy = try AccessPolicy.take("policy", from: &reader)
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
        let approvals = try reader.objects("approvals", Approval.init)
        let state = State(
            number: try reader.count("n"), entryHash: try reader.objectID("entry"),
            time: try reader.timestamp("time"),
            repositoryID: try reader.randomBits("repository"),
            refs: Dictionary(refs) { $1 }, removedRefs: Dictionary(removed) { $1 },
            accessPolicy: accessPolicy, rootKey: root, signedSince: signedSince,
            listedKeys: listed, pendingApprovals: Approvals(approvals),
            packLedger: PackLedger(lines: packs, place: name.blob.description), checkpoint: name,
            checkpointSize: size)
        try reader.finish()
        return state
    }
}

/// The contents of `log/tip`: the newest entry that a writer knew to be durable.
///
/// It may lag behind the log and never leads it, so a log that ends before its hint has lost entries.
package struct TipHint: Hashable {
    package let number: Int
    package let entryHash: ObjectID
    let checkpoint: CheckpointName?

    /// The length of every hint, with room for the longest, so that one can be written over another.
    package static let byteCount = 256

    package init(number: Int, entryHash: ObjectID, checkpoint: CheckpointName?) {
        self.number = number
        self.entryHash = entryHash
        self.checkpoint = checkpoint
    }

    /// `NUMBER HASH CHECKPOINT CHECKSUM`, padded with spaces, and a line feed. The checksum is the SHA-256 of the text
    /// before it, without the space between them.
    package var encoded: [UInt8] {
        let text = "\(number) \(entryHash.hex) \(checkpoint?.text ?? "-")"
        let bytes = Array("\(text) \(ObjectID(of: Array(text.utf8).span).hex)".utf8)
        return bytes + [UInt8](repeating: 0x20, count: Self.byteCount - 1 - bytes.count) + [0x0A]
    }

    /// Decodes a hint; nil when the bytes are not one.
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
    /// Whether a crash while one hint overwrote another can leave these bytes: the beginning of one and the end of the
    /// other, or the beginning of one and zeros or nothing. Any other malformed hint is damaged.
    ///
    /// - Parameters:
    ///   - entries: The newest entries, which the hints were about.
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

/// The hint and the checkpoints, which make opening fast and are never required.
extension Log {
    /// The hint; nil when there is none, or it is malformed.
    package func readHint() throws(RefError) -> TipHint? {
        do {
            // A read during a write can return a mixture of two hints: read again.
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

    /// The state of a checkpoint; nil when it is unreadable or contradicts the log.
    func checkpointed(
        _ name: CheckpointName?, _ reader: inout EntryReader
    ) throws(RefError) -> State? {
        guard let name, let state = read(name), try agrees(state, &reader) else { return nil }
        return state
    }

    /// The newest usable checkpoint in the folder; newer ones that do not agree with the log go to `ahead`.
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

    /// The names of the checkpoints in the folder, newest first.
    func checkpointNames() throws(RefError) -> [CheckpointName] {
        do {
            return try bucket.list(.checkpoints).compactMap { CheckpointName($0.name) }
                .sorted { ($0.number, $0.hash) > ($1.number, $1.hash) }
        } catch {
            if error.concernsOneFile { return [] }
            throw .storage(error)
        }
    }

    /// The state of a checkpoint; nil on any error, because the log itself can replace it.
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

    /// Writes the hint, a checkpoint when one is due, and what this client remembers. Failures are ignored: the entry
    /// is valid without them.
    func writeCaches(after state: inout State, by writer: Writer) {
        if isCheckpointDue(state), var bytes = try? Checkpoint.encode(state) {
            let isSigned = writer.certify(&bytes, of: state)
            let name = CheckpointName(
                number: state.number, hash: ObjectID(of: bytes.span), isSigned: isSigned)
            // A crash can lose or tear the file; its name contains its hash, so a torn one is ignored.
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

    /// Whether the writer of the newest entry writes a checkpoint: at every multiple of the interval and, if a crashed
    /// writer left that out, as soon as the last checkpoint is two intervals old.
    private func isCheckpointDue(_ state: State) -> Bool {
        let interval = Checkpoint.interval(size: state.checkpointSize)
        let distance = state.number - (state.checkpoint?.number ?? 0)
        return state.number > 0 && state.number % interval == 0 || distance >= 2 * interval
    }

    /// Removes the checkpoints before the newest one, except the last of them, for readers with an older hint, and the
    /// newest signed one, for clients that see the repository for the first time.
    private func removeCheckpoints(before newest: CheckpointName) {
        guard let names = try? checkpointNames() else { return }
        let signed = newest.isSigned ? newest : names.first(where: \.isSigned)
        for name in names.filter({ $0.number < newest.number }).dropFirst() where name != signed {
            try? bucket.delete(name.blob)
        }
    }
}
