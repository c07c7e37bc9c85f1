@testable internal import Objects
@testable internal import Refs

extension FuzzTarget {
    private static let policyWords = [
        "\"type\":\"policy\"", "\"version\":1", "\"signed\":true", "\"keys\":[", "\"gates\":[",
        "\"name\":\"", "\"public\":\"", "\"admin\":true", "\"write\":[\"features\"",
        "\"ref\":\"models/*\"", "\"ref\":\"releases/prod\"", "\"type\":\"metric\"", "\"metric\":\"",
        "\"atLeast\":", "\"atMost\":", "\"type\":\"input\"", "\"path\":\"dataset.features\"",
        "\"ancestorOf\":\"", "\"type\":\"space\"", "\"with\":\"", "\"type\":\"evidence\"",
        "\"requires\":[\"params.x\"", "\"type\":\"formats\"", "\"allow\":[\"safetensors\"",
        "\"type\":\"approvals\"", "\"count\":", "\"by\":[",
    ]

    /// Policies: an accepted one survives a round trip in the canonical form, which the log requires.
    static let policies = FuzzTarget("policies", words: policyWords) { _ in
        let keys = FuzzKeys.policy(gates: []).json.canonicalBytes
        let gates = gateSeeds.joined(separator: ",")
        return [keys, Array("{\"signed\":false,\"gates\":[\(gates)]}".utf8)]
            + gateSeeds.map {
                Array("{\"type\":\"policy\",\"signed\":false,\"gates\":[\($0)]}".utf8)
            }
    } run: { input throws(FuzzFinding) in
        let bytes = Array(input)
        let policy: AccessPolicy
        do throws(JSONSchemaError) { policy = try AccessPolicy(decoding: bytes) } catch {
            _ = (error.path, error.reason)
            return
        }
        let written = policy.json.canonicalBytes
        guard let again = try? AccessPolicy(decoding: written) else {
            throw FuzzFinding("an encoded policy is refused")
        }
        try FuzzFinding.unless(
            again == policy && again.id == policy.id && again.json.canonicalBytes == written,
            "a policy does not survive a round trip")
        var wrapped = JSONObject()
        wrapped["policy"] = policy.json
        var reader = JSONObjectReader(wrapped)
        guard let taken = try? AccessPolicy.take("policy", from: &reader), taken == policy else {
            throw FuzzFinding("the log refuses an encoded policy")
        }
        try FuzzFinding.unless(
            !policy.isSigned || policy.keys.contains { $0.isAdmin },
            "no admin could change a policy")
        for gate in policy.gates {
            try FuzzFinding.unless(
                (try? RefPattern(gate.refs.description)) == gate.refs,
                "a pattern does not read back")
            if let only = gate.refs.only {
                try FuzzFinding.unless(gate.refs.matches(only), "a ref does not match itself")
            }
        }
    }

    private static let gateSeeds = [
        #"{"ref":"models/*","type":"metric","metric":"recall@10","atLeast":0.8,"atMost":1}"#,
        #"{"ref":"models/current","type":"input","path":"dataset.features","ancestorOf":"features/prod"}"#,
        #"{"ref":"models/current","type":"space","with":"features/prod"}"#,
        #"{"ref":"models/*","type":"evidence","requires":["metrics.a","params.b","inputs.dataset.features"]}"#,
        #"{"ref":"models/*","type":"formats","allow":["safetensors","gguf"]}"#,
        #"{"ref":"releases/*","type":"approvals","count":1,"by":["ada"]}"#,
    ]

    /// Leases: an accepted one survives a round trip.
    static let leases = FuzzTarget(
        "leases",
        words: [
            "\"type\":\"lease\"", "\"version\":1", "\"purpose\":\"", "\"snapshots\":[",
            "\"seconds\":null", "\"seconds\":600", FuzzKeys.digits,
            "\"serving\":{\"replica\":\"", "\"parked\":{\"reason\":\"", "\"draining\":[",
        ]
    ) { _ in
        guard let id = ObjectID(hex: FuzzKeys.digits),
            let replica = Replica(name: "a", follows: "releases/prod", address: "127.0.0.1:8080")
        else { return [] }
        let serving = ServedState(
            replica: replica, snapshots: ["release": id], transaction: 7, since: .epoch,
            draining: [id],
            parked: .init(snapshots: ["release": id], reason: "does not fit", since: .epoch))
        return [nil, serving].map { serving in
            Lease(
                name: FuzzKeys.repository, purpose: "fti-inference", snapshots: [id, id],
                seconds: serving.map { _ in 600 }, serving: serving
            ).encoded
        }
    } run: { input throws(FuzzFinding) in
        let name = FuzzKeys.repository
        guard let lease = Lease(decoding: Array(input), name: name) else { return }
        try FuzzFinding.unless(
            Lease(decoding: lease.encoded, name: name) == lease,
            "a lease does not survive a round trip")
        try FuzzFinding.unless(
            lease.seconds.map { 1...Lease.longest ~= $0 } ?? true,
            "a lease lasts longer than any may")
    }

    /// Client memories and secret key files: accepted ones survive a round trip.
    ///
    /// The first byte of the input selects one. The target corrects the hash of the remembered state.
    static let memories = FuzzTarget(
        "memories",
        words: [
            "\"type\":\"memory\"", "\"version\":1", "\"signed\":true", "\"checkpoint\":",
            "\"entry\":\"", "\"n\":", "\"type\":\"fti-secret-key\"", "\"secret\":\"",
            FuzzKeys.digits,
        ]
    ) { example in
        let states = [FuzzKeys.state, FuzzKeys.signedState]
        return states.map { [0] + Remembered($0, after: nil, at: $0.time).encoded }
            + FuzzKeys.keys.map { [1] + $0.file }
    } run: { input throws(FuzzFinding) in
        guard input.count > 1 else { return }
        var bytes = Array(input.extracting(1..<input.count))
        if input[0] & 1 == 1 {
            guard let key = try? SecretKey(file: bytes, path: "key") else { return }
            guard let again = try? SecretKey(file: key.file, path: "key"),
                again.publicKey == key.publicKey, "\(key)" == "***"
            else { throw FuzzFinding("a key does not survive a round trip") }
            return
        }
        if let end = bytes.firstIndex(of: 0x0A),
            var object = (try? JSON(parsing: input.extracting(1..<end + 1)))?.object
        {
            let rest = Array(bytes[(end + 1)...])
            object["sha256"] = .string(ObjectID(of: rest.span).hex)
            bytes = JSON.object(object).canonicalBytes + [0x0A] + rest
        }
        guard let memory = Remembered(decoding: bytes) else { return }
        guard let again = Remembered(decoding: memory.encoded), again.number == memory.number,
            again.entryHash == memory.entryHash, again.isSigned == memory.isSigned,
            again.time == memory.time,
            again.checkpoint?.refs == memory.checkpoint?.refs
        else { throw FuzzFinding("a memory does not survive a round trip") }
        try FuzzFinding.unless(
            memory.checkpoint.map {
                $0.number <= memory.number && $0.repositoryID == memory.repositoryID
            } ?? true, "a checkpoint is newer than its memory, or of another repository")
    }
}
