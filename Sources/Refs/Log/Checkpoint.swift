internal import Objects
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
