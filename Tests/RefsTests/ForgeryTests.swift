@testable import Maintenance
import Objects
import Refs
import Storage
import Testing

/// Entries by an attacker who can write the directory, and perhaps has a key, but no permission.
@Suite("Forged transactions")
struct ForgeryTests {
    let signed: SignedRepository
    let first: ObjectID
    let second: ObjectID
    let ref: RefName

    init() throws {
        signed = try SignedRepository()
        ref = try RefName("features/a")
        let repository = signed.repository
        try repository.put("features/a", text: "1", writer: signed.writer(signed.features))
        first = try #require(try repository.state().target(of: ref))
        try repository.put("features/a", text: "2", writer: signed.writer(signed.features))
        second = try #require(try repository.state().target(of: ref))
    }

    /// An entry that follows a state and is valid otherwise.
    private func entry(
        _ actions: [Action], after state: State, time: Timestamp? = nil
    ) throws -> LogEntry {
        LogEntry(
            number: state.number + 1, previous: state.entryHash, base: state.number,
            time: time ?? state.time, writer: "mallory@test", message: "",
            nonce: RandomBits(from: { 7 }), actions: actions)
    }

    private func back(in state: State) -> [Action] {
        [.ref(ref, old: second, new: first, since: state.lastTransaction(of: ref))]
    }

    /// What readers of the log say once the entry is in it, and whether `verify` finds it.
    private func refusal(of entry: LogEntry, in bucket: MemoryBucket? = nil) throws -> RefError? {
        let bucket = try (bucket ?? signed.bucket).copy()
        #expect(try bucket.create(entryName(entry.number), entry.encoded) == .created)
        let repository = Repository(in: bucket)
        let findings = try LogVerifier(repository.log).verify().findings
        let error = refError { _ = try repository.state() }
        #expect((error == nil) == findings.isEmpty)
        if error != nil {
            #expect(error?.fault == .damaged)
            #expect(findings.first?.place.description == entryName(entry.number).description)
        }
        return error
    }

    private func sign(_ entry: LogEntry, _ key: SecretKey, in state: State) throws -> LogEntry {
        try entry.signed(by: key, repository: state.repositoryID)
    }

    @Test("the right key in the right place is accepted, as a control for the other tests")
    func sound() throws {
        let state = try signed.repository.state()
        let entry = try sign(try entry(back(in: state), after: state), signed.features, in: state)
        #expect(try refusal(of: entry) == nil)
    }

    @Test("an entry without a signature, or by an unlisted key (B135)")
    func unsigned() throws {
        let state = try signed.repository.state()
        let bare = try entry(back(in: state), after: state)
        #expect(try refusal(of: bare)?.message.contains("unsigned") == true)
        let foreign = try sign(bare, signed.stranger, in: state)
        #expect(try refusal(of: foreign)?.message.contains("does not list") == true)
    }

    @Test("a signature that was made for something else (B136)")
    func replayed() throws {
        let state = try signed.repository.state()
        let fits = try entry(back(in: state), after: state)
        let elsewhere = try fits.signed(
            by: signed.features, repository: RandomBits(from: { 3 }))
        #expect(try refusal(of: elsewhere)?.message.contains("signature") == true)
        // The signature of another entry, of another number, under this one's first line.
        let other = try signed.repository.log.entry(2)
        let line = String(decoding: other.encoded, as: UTF8.self).split(separator: "\n")[1]
        let text = String(decoding: fits.encoded, as: UTF8.self).split(separator: "\n")[0]
        let seal = line.replacing(other.hash.hex, with: fits.hash.hex)
        let forged = try LogEntry(
            decoding: Array("\(text)\n\(seal)\n".utf8), number: fits.number)
        #expect(try refusal(of: forged)?.message.contains("signature") == true)
    }

    @Test("a forged entry is refused even if others build on it, unless the key's owner does")
    func builtOn() throws {
        let state = try signed.repository.state()
        // Claims the pipeline's key without having it.
        let stolen = try sign(entry(back(in: state), after: state), signed.stranger, in: state)
        let text = String(decoding: stolen.encoded, as: UTF8.self)
        let forged = try LogEntry(
            decoding: Array(
                text.replacing(
                    signed.stranger.publicKey.hex, with: signed.features.publicKey.hex
                ).utf8), number: stolen.number)
        func log(_ keys: [SecretKey]) throws -> Repository {
            let bucket = try signed.bucket.copy()
            var last = forged
            #expect(try bucket.create(entryName(last.number), last.encoded) == .created)
            for key in keys {
                let id = ObjectID(of: Array("\(last.number)".utf8).span)
                let next = LogEntry(
                    number: last.number + 1, previous: last.hash, base: state.number,
                    time: last.time, writer: key.name, message: "",
                    nonce: RandomBits(from: { 8 }), actions: [.unpack(id)])
                last = try sign(next, key, in: state)
                #expect(try bucket.create(entryName(last.number), last.encoded) == .created)
            }
            return Repository(in: bucket)
        }
        let place = entryName(forged.number).description
        for keys in [[], [signed.training], [signed.admin, signed.training, signed.admin]] {
            let repository = try log(keys)
            let error = refError { _ = try repository.state() }
            #expect(error?.message.contains(place) == true, "\(keys.count)")
            #expect(error?.fault == .damaged)
            // No first reader adds to it, either.
            #expect(refError { _ = try repository.log.refreshed(state) } == error)
            let findings = try LogVerifier(repository.log).verify().findings
            #expect(findings.first?.place.description == place)
        }
        // A later signature by the same key vouches for it; only a reader that checks each entry sees the bad one.
        let owned = try log([signed.training, signed.features])
        #expect(try owned.state().number == forged.number + 2)
        #expect(try LogVerifier(owned.log).verify().findings.first?.place.description == place)
    }

    @Test("a signature in which any bit is flipped", arguments: [0, 17, 255, 256, 400, 511])
    func flipped(bit: Int) throws {
        let state = try signed.repository.state()
        let entry = try sign(try entry(back(in: state), after: state), signed.features, in: state)
        var text = String(decoding: entry.encoded, as: UTF8.self)
        let sig = try #require(text.firstMatch(of: /"sig":"([0-9a-f]{128})"/)?.1)
        var digits = Array(sig.utf8)
        let value = try #require(Hexadecimal.value(of: digits[bit / 4]))
        digits[bit / 4] = Array("0123456789abcdef".utf8)[Int(value ^ UInt8(1 << (bit % 4)))]
        text = text.replacing(sig, with: String(decoding: digits, as: UTF8.self))
        let forged = try LogEntry(decoding: Array(text.utf8), number: entry.number)
        #expect(try refusal(of: forged) != nil)
    }

    @Test("a pipeline's key on another pipeline's ref, on the policy, on a gate")
    func beyondRights() throws {
        let state = try signed.repository.state()
        let move = try sign(try entry(back(in: state), after: state), signed.training, in: state)
        #expect(try refusal(of: move)?.message.contains("may not move features/a") == true)
        for action in [
            Action.accessPolicy(nil), .accessPolicy(try signed.policy(without: "feature-bot")),
            .override(gates: ["x"], reason: "y"),
        ] {
            let entry = try sign(try entry([action], after: state), signed.training, in: state)
            #expect(try refusal(of: entry)?.message.contains("not an admin") == true)
        }
    }

    @Test("a revoked key, also with a time before the revocation (B137)")
    func revoked() throws {
        let before = try signed.repository.state()
        try signed.repository.setAccessPolicy(
            try signed.policy(without: "feature-bot"), writer: signed.writer(signed.admin))
        let state = try signed.repository.state()
        let late = try entry(back(in: state), after: state, time: before.time)
        let entry = try sign(late, signed.features, in: state)
        #expect(try refusal(of: entry)?.message.contains("does not list") == true)
    }

    @Test("a first policy that none of its own admins signed")
    func firstPolicy() throws {
        let bucket = MemoryBucket()
        let repository = try Repository.create(in: bucket, writer: signed.unsigned)
        let state = try repository.state()
        let bare = try entry([.accessPolicy(try signed.policy())], after: state)
        #expect(try refusal(of: bare, in: bucket) != nil)
        #expect(try refusal(of: try sign(bare, signed.features, in: state), in: bucket) != nil)
        #expect(try refusal(of: try sign(bare, signed.admin, in: state), in: bucket) == nil)
    }

    @Test("a key or a signature of small order, or in a non-canonical form")
    func smallOrder() throws {
        let zeros = String(repeating: "0", count: 64)
        let one = "01" + String(repeating: "0", count: 62)
        let prime = "ed" + String(repeating: "f", count: 60) + "7f"
        let overPrime = "ee" + String(repeating: "f", count: 60) + "7f"
        let minusOne = "ec" + String(repeating: "f", count: 60) + "7f"
        let order8 = "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"
        let negative = "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85"
        for hex in [zeros, one, prime, overPrime, minusOne, order8, negative] {
            #expect(PublicKey(hex: hex) == nil, "\(hex)")
        }
        #expect(PublicKey(hex: signed.admin.publicKey.hex.uppercased()) == nil)
        #expect(PublicKey(hex: signed.admin.publicKey.hex) == signed.admin.publicKey)

        // S + L is the same number modulo the group's order, and another form of the same signature.
        let state = try signed.repository.state()
        let entry = try sign(try entry(back(in: state), after: state), signed.features, in: state)
        var text = String(decoding: entry.encoded, as: UTF8.self)
        let sig = try #require(text.firstMatch(of: /"sig":"([0-9a-f]{128})"/)?.1)
        let order: [UInt8] = [
            0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9,
            0xde, 0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
        ]
        var bytes = try #require(Hexadecimal.decode(String(sig)))
        var carry = 0
        for index in 0..<32 {
            let sum = Int(bytes[32 + index]) + Int(order[index]) + carry
            bytes[32 + index] = UInt8(sum & 0xFF)
            carry = sum >> 8
        }
        text = text.replacing(sig, with: Hexadecimal.encode(bytes))
        let forged = try LogEntry(decoding: Array(text.utf8), number: entry.number)
        #expect(try refusal(of: forged) != nil)
    }

    // MARK: Approvals

    private func gated() throws -> (SignedRepository, RefName, ObjectID, ObjectID) {
        let pattern = try RefPattern("models/current")
        let signed = try SignedRepository(gates: [
            Gate(
                refs: pattern,
                condition: .approvals(count: 2, keys: nil))
        ])
        let writer = signed.writer(signed.training)
        try signed.repository.put("models/x", text: "x", writer: writer)
        try signed.repository.put("models/y", text: "y", writer: writer)
        let state = try signed.repository.state()
        let x = try #require(state.target(of: try RefName("models/x")))
        let y = try #require(state.target(of: try RefName("models/y")))
        return (signed, try RefName("models/current"), x, y)
    }

    private func move(
        _ name: RefName, to target: ObjectID, in signed: SignedRepository
    ) throws -> RefError? {
        let transaction = try signed.repository.begin(writer: signed.writer(signed.training))
        return refError { _ = try transaction.commit([RefUpdate(name, new: target)]) }
    }

    private func approve(
        _ name: RefName, _ target: ObjectID, by key: SecretKey, in signed: SignedRepository,
        seconds: Int = 3600
    ) throws {
        let state = try signed.repository.state()
        let expires = try #require(
            Timestamp(milliseconds: state.time.milliseconds + seconds * 1000))
        try signed.repository.approve(
            name, new: target, expires: expires, on: state, writer: signed.writer(key))
    }

    @Test("a move needs approvals by different keys, and uses them up")
    func approvals() throws {
        let (signed, name, x, y) = try gated()
        #expect(try move(name, to: x, in: signed)?.fault == .refused)
        try approve(name, x, by: signed.admin, in: signed)
        try approve(name, x, by: signed.admin, in: signed)
        #expect(try move(name, to: x, in: signed)?.fault == .refused)
        try approve(name, x, by: signed.features, in: signed)
        // The approval covers this move and no other.
        #expect(try move(name, to: y, in: signed)?.fault == .refused)
        #expect(try move(name, to: x, in: signed) == nil)
        #expect(try signed.repository.state().approvals.isEmpty)
        // Moved back by an override: the old approvals no longer count.
        let state = try signed.repository.state()
        let away = LogEntry(
            number: state.number + 1, previous: state.entryHash, base: state.number,
            time: state.time, writer: "ada", message: "", nonce: RandomBits(from: { 9 }),
            actions: [
                .ref(name, old: x, new: nil, since: state.lastTransaction(of: name)),
                .override(gates: ["approvals"], reason: "urgent"),
            ])
        let entry = try away.signed(by: signed.admin, repository: state.repositoryID)
        _ = try signed.bucket.create(entryName(entry.number), entry.encoded)
        #expect(try signed.repository.state().target(of: name) == nil)
        #expect(try move(name, to: x, in: signed)?.fault == .refused)
    }

    @Test("an approval ends when it expires and when the policy changes")
    func expiry() throws {
        let (signed, name, x, _) = try gated()
        try approve(name, x, by: signed.admin, in: signed, seconds: 60)
        try approve(name, x, by: signed.features, in: signed, seconds: 3600)
        signed.clock.advance(seconds: 61)
        #expect(try move(name, to: x, in: signed)?.fault == .refused)
        try approve(name, x, by: signed.admin, in: signed)
        let policy = try #require(try signed.repository.state().accessPolicy)
        try signed.repository.setAccessPolicy(
            try AccessPolicy(
                isSigned: true, keys: policy.keys.filter { $0.name != "feature-bot" },
                gates: policy.gates), writer: signed.writer(signed.admin))
        #expect(try signed.repository.state().approvals.isEmpty)
        #expect(try move(name, to: x, in: signed)?.fault == .refused)
    }

    @Test("readers count approvals themselves and reject any that do not fit")
    func forgedApproval() throws {
        let (signed, name, x, y) = try gated()
        try approve(name, x, by: signed.admin, in: signed)
        let state = try signed.repository.state()
        func entry(_ action: Action) throws -> LogEntry {
            try LogEntry(
                number: state.number + 1, previous: state.entryHash, base: state.number,
                time: state.time, writer: "mallory", message: "", nonce: RandomBits(from: { 5 }),
                actions: [action]
            ).signed(by: signed.training, repository: state.repositoryID)
        }
        let policy = try #require(state.accessPolicy).id
        let later = try #require(Timestamp(milliseconds: state.time.milliseconds + 1000))
        for action in [
            Action.ref(name, old: nil, new: x, since: nil),
            .approve(name, old: y, new: x, accessPolicy: policy, expires: later),
            .approve(name, old: nil, new: x, accessPolicy: x, expires: later),
            .approve(name, old: nil, new: x, accessPolicy: policy, expires: state.time),
        ] {
            #expect(try refusal(of: try entry(action), in: signed.bucket) != nil)
        }
        let sound = Action.approve(name, old: nil, new: x, accessPolicy: policy, expires: later)
        #expect(try refusal(of: try entry(sound), in: signed.bucket) == nil)
    }

    @Test("a state from a checkpoint has the same policy and approvals as one from the full log")
    func checkpointed() throws {
        let (signed, name, x, _) = try gated()
        try approve(name, x, by: signed.admin, in: signed)
        for number in 0..<40 {
            try signed.repository.put(
                "models/z", text: "\(number)", writer: signed.writer(signed.admin))
        }
        let state = try Repository(in: signed.bucket).state()
        let whole = try #require(try LogVerifier(signed.repository.log).verify().state)
        #expect(state.accessPolicy == whole.accessPolicy)
        #expect(state.approvals == whole.approvals)
        #expect(state.approvals.count == 1)
        #expect(state.rootKey == whole.rootKey)
        #expect(try LogVerifier(signed.repository.log).verify().findings.isEmpty)
    }
}

@Suite("Old transactions, read one by one")
struct OldEntryTests {
    @Test("a rewritten old entry is refused when a ref's history is read")
    func rewritten() throws {
        let signed = try SignedRepository()
        let client = try Client(clock: signed.clock)
        for number in 1...40 {
            try signed.repository.put(
                "features/a", text: "\(number)", writer: signed.writer(signed.features))
        }
        let name = try RefName("features/a")
        let state = try client.open(signed.bucket).state()
        let old = try signed.repository.log.entry(30)
        let evil = try #require(try signed.repository.log.entry(5).changes.first?.new)
        let change = try #require(old.changes.first)
        let rewritten = LogEntry(
            number: 30, previous: old.previous, base: 29, time: old.time, writer: old.writer,
            message: old.message, nonce: old.nonce,
            actions: [.ref(name, old: evil, new: change.new, since: 29)])
        func read(_ entry: LogEntry) throws -> RefError? {
            let bucket = try signed.bucket.copy()
            try bucket.replace(entryName(30), entry.encoded)
            let repository = client.open(bucket)
            let current = try repository.state()
            #expect(current.number == state.number)
            return refError {
                var history = repository.log.history(of: name, in: current)
                _ = try history.next(20)
            }
        }
        #expect(try read(old) == nil)
        #expect(try read(rewritten)?.fault == .damaged)
        let foreign = try rewritten.signed(by: signed.stranger, repository: state.repositoryID)
        #expect(try read(foreign)?.fault == .damaged)
    }
}
