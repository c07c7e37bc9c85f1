@testable internal import Objects
@testable internal import Refs

extension FuzzTarget {
    /// Signed entries and checkpoints: no key does what the policy forbids it, and no signature counts unless its key
    /// made it.
    ///
    /// The first byte of the input selects the kind and the signer. The first line of an entry follows; the target
    /// computes the second. Without a signer, the second line is also part of the input, and the target corrects its
    /// hash. A signature follows a checkpoint.
    static let signatures = FuzzTarget(
        "signatures", longestInput: 3072,
        words: [
            "{\"type\":\"ref\",\"name\":\"features/prod\"", "\"old\":null", "\"since\":0",
            "{\"type\":\"policy\",\"policy\":null}", "{\"type\":\"approve\"", "\"expires\":\"",
            "{\"type\":\"override\",\"gates\":[", "\"reason\":\"", "\"key\":\"", "\"sig\":\"",
            "\"policy\":\"\(FuzzKeys.policyID)\"", FuzzKeys.digits, FuzzKeys.stateHash,
        ]
    ) { _ in
        try entrySeeds() + checkpointSeeds()
    } run: { input throws(FuzzFinding) in
        guard input.count > 2 else { return }
        let rest = Array(input.extracting(1..<input.count))
        let signer = Int(input[0] >> 2) % 8
        if input[0] & 3 == 3 {
            try checkCheckpoint(rest, signer)
        } else {
            try checkEntry(rest, signer < FuzzKeys.keys.count ? FuzzKeys.keys[signer] : nil)
        }
    }

    // MARK: Entries

    private static func checkEntry(_ input: [UInt8], _ signer: SecretKey?) throws(FuzzFinding) {
        let lines = input.split(separator: 0x0A, omittingEmptySubsequences: false).map(Array.init)
        let line = lines[0]
        var seal = JSONObject()
        if signer == nil, lines.count > 1 {
            let second = lines[1]
            seal = (try? JSON(parsing: second.span))?.object ?? seal
        }
        seal["sha256"] = .string(ObjectID(of: line.span).hex)
        let bytes = line + [0x0A] + JSON.object(seal).canonicalBytes + [0x0A]
        guard let number = (try? JSON(parsing: line.span))?["n"]?.integer, number > 0,
            var entry = try? LogEntry(decoding: bytes, number: number)
        else { return }
        if let signer {
            guard let signed = try? entry.signed(by: signer, repository: FuzzKeys.repository) else {
                throw FuzzFinding("an entry cannot be signed")
            }
            entry = signed
            try FuzzFinding.unless(
                (try? LogEntry(decoding: entry.encoded, number: number)) == entry,
                "a signed entry does not read back")
        } else {
            try FuzzFinding.unless(entry.encoded == bytes, "a signed entry has two encodings")
        }
        var state = FuzzKeys.signedState
        state.number = number - 1
        guard let previous = entry.previous else { return }
        state.entryHash = previous
        let before = state
        do throws(RefError) { try state.apply(entry) } catch {
            _ = (error.message, error.remedy)
            return try FuzzFinding.unless(
                state.refs == before.refs && state.accessPolicy == before.accessPolicy
                    && state.approvals == before.approvals, "a refused entry changes the state")
        }
        try checkRights(entry, before)
    }

    /// Checks the rights of an accepted entry, independently of the log's code.
    private static func checkRights(_ entry: LogEntry, _ state: State) throws(FuzzFinding) {
        guard let signature = entry.signature,
            let index = FuzzKeys.keys.prefix(3).firstIndex(where: { $0.publicKey == signature.key })
        else { throw FuzzFinding("an entry without rights is accepted") }
        // Signatures are deterministic.
        let expected = try? FuzzKeys.keys[index].sign(
            entry.signedBytes(repository: FuzzKeys.repository))
        try FuzzFinding.unless(expected == signature, "a signature counts that its key never made")
        var overrides = false
        for case .override in entry.actions { overrides = true }
        for action in entry.actions {
            let isAllowed: Bool
            switch action {
            case .ref(let name, _, _, _):
                isAllowed =
                    (index == 0 || index == 1 && name.namespace == .features)
                    && (name != FuzzKeys.approved || overrides)
            case .accessPolicy, .override: isAllowed = index == 0
            case .pack, .unpack: isAllowed = index < 2
            case .retain(let rules):
                isAllowed = index == 0 || rules.keepsAtLeast(state.retention)
            case .approve(_, _, _, let policy, let expires):
                isAllowed = policy == state.accessPolicy?.id && expires > entry.clock
            case .format: isAllowed = false
            }
            try FuzzFinding.unless(isAllowed, "key \(index) may do \(action)")
        }
    }

    private static func entrySeeds() throws -> [[UInt8]] {
        let state = FuzzKeys.signedState
        guard let id = ObjectID(hex: FuzzKeys.digits), let prod = FuzzKeys.approved,
            let policy = state.accessPolicy, let end = Timestamp(milliseconds: 86_400_000)
        else { return [] }
        let other = ObjectID(of: [1].span)
        let wishes: [(Int, [Action])] = [
            (1, [.ref(try RefName("features/a"), old: nil, new: other, since: nil)]),
            (0, [.ref(prod, old: id, new: other, since: 0), .override(gates: ["x"], reason: "y")]),
            (1, [.ref(prod, old: id, new: nil, since: 0)]),
            (2, [.approve(prod, old: id, new: other, accessPolicy: policy.id, expires: end)]),
            (0, [.retain(RetentionRules(Retention(milliseconds: 0, count: 1)))]),
            (1, [.retain(.standard)]), (0, [.accessPolicy(nil)]), (0, [.accessPolicy(policy)]),
            (3, [.ref(try RefName("models/a"), old: nil, new: other, since: nil)]),
        ]
        return try wishes.flatMap { signer, actions in
            let entry = LogEntry(
                number: 1, previous: state.entryHash, base: 0, time: state.time, writer: "w",
                message: "m", nonce: FuzzKeys.repository, actions: actions)
            let signed = try entry.signed(
                by: FuzzKeys.keys[signer], repository: FuzzKeys.repository)
            let line = Array(entry.encoded.prefix { $0 != 0x0A })
            return [[UInt8(signer << 2)] + line, [7 << 2] + signed.encoded.dropLast()]
        }
    }

    // MARK: Checkpoints

    private static func checkCheckpoint(_ input: [UInt8], _ signer: Int) throws(FuzzFinding) {
        let line = Array(input.prefix { $0 != 0x0A })
        guard input.last == 0x0A,
            let number = (try? JSON(parsing: line.span))?["n"]?.integer, number >= 0
        else { return }
        var bytes = input
        if signer < FuzzKeys.keys.count {
            let plain = CheckpointName(number: number, hash: ObjectID(of: bytes.span))
            guard let state = Checkpoint.decode(bytes, name: plain),
                let signature = try? FuzzKeys.keys[signer].sign(
                    Checkpoint.signedBytes(bytes[...], of: state))
            else { return }
            var object = JSONObject()
            signature.add(to: &object)
            bytes += JSON.object(object).canonicalBytes + [0x0A]
        }
        let name = CheckpointName(number: number, hash: ObjectID(of: bytes.span), isSigned: true)
        guard let state = Checkpoint.decode(bytes, name: name) else { return }
        if signer < FuzzKeys.keys.count {
            return try FuzzFinding.unless(
                state.certifier == FuzzKeys.keys[signer].publicKey,
                "a signed checkpoint has no certifier")
        }
        guard let certifier = state.certifier else { return }
        let body = Checkpoint.body(bytes, name: name)
        let isOurs = FuzzKeys.keys.contains { key in
            guard key.publicKey == certifier,
                let signature = try? key.sign(Checkpoint.signedBytes(body, of: state))
            else { return false }
            var object = JSONObject()
            signature.add(to: &object)
            return JSON.object(object).canonicalBytes + [0x0A] == bytes[body.endIndex...]
        }
        try FuzzFinding.unless(isOurs, "a signature counts that its key never made")
    }

    private static func checkpointSeeds() throws -> [[UInt8]] {
        let state = FuzzKeys.signedState
        let bytes = try Checkpoint.encode(state)
        let signature = try FuzzKeys.keys[0].sign(Checkpoint.signedBytes(bytes[...], of: state))
        var object = JSONObject()
        signature.add(to: &object)
        return [
            [3] + bytes, [3 | 7 << 2] + bytes + JSON.object(object).canonicalBytes + [0x0A],
        ]
    }
}

extension FuzzKeys {
    static var policyID: String { signedState.accessPolicy?.id.hex ?? "" }
    static var stateHash: String { signedState.entryHash.hex }
}
