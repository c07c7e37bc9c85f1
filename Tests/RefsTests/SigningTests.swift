@testable import Maintenance
import Objects
import Refs
import Storage
import Testing

@Suite("Signed transactions")
struct SigningTests {
    let signed: SignedRepository
    let repository: Repository

    init() throws {
        signed = try SignedRepository()
        repository = signed.repository
    }

    @Test("listed keys commit, and the state has the policy")
    func accepted() throws {
        try repository.put("features/prod", text: "f", writer: signed.writer(signed.features))
        try repository.put("models/a", text: "m", writer: signed.writer(signed.training))
        try repository.put("models/a", text: "n", writer: signed.writer(signed.admin))
        let state = try Repository(in: signed.bucket).state()
        #expect(state.number == 4)
        #expect(state.accessPolicy == (try signed.policy()))
        #expect(state.rootKey == signed.admin.publicKey)
        #expect(try repository.log.entry(2).signature?.key == signed.features.publicKey)
        #expect(try LogVerifier(repository.log).verify().findings.isEmpty)
    }

    @Test("a writer without a key, or with an unknown one, is refused with a remedy")
    func strangers() throws {
        let none = refError {
            try repository.put("features/a", text: "f", writer: signed.unsigned)
        }
        #expect(none == .key(.none))
        #expect(none?.fault == .refused)
        #expect(none?.remedy?.contains("ftictl key new") == true)
        let unknown = refError {
            try repository.put("features/a", text: "f", writer: signed.writer(signed.stranger))
        }
        #expect(unknown?.fault == .refused)
        #expect(
            unknown?.remedy?.contains("ftictl key grant NAME \(signed.stranger.publicKey.hex)")
                == true)
        #expect(try repository.state().number == 1)
    }

    @Test("a pipeline's key cannot move refs of another pipeline")
    func otherNamespace() throws {
        let error = refError {
            try repository.put("models/a", text: "m", writer: signed.writer(signed.features))
        }
        #expect(error?.fault == .refused)
        #expect(error?.message.contains("feature-bot may not move models/a") == true)
        #expect(error?.remedy?.contains("--write features models") == true)
    }

    @Test("only an admin changes the policy")
    func policyChange() throws {
        let error = refError {
            try repository.setAccessPolicy(nil, writer: signed.writer(signed.training))
        }
        #expect(error?.fault == .refused)
        #expect(error?.message.contains("is not an admin") == true)
        try repository.setAccessPolicy(nil, writer: signed.writer(signed.admin))
        try repository.put("models/a", text: "m", writer: signed.unsigned)
        #expect(try repository.state().accessPolicy == nil)
    }

    @Test("a revoked key cannot write, and its earlier entries stay valid")
    func revoked() throws {
        try repository.put("features/a", text: "1", writer: signed.writer(signed.features))
        try repository.setAccessPolicy(
            try signed.policy(without: "feature-bot"), writer: signed.writer(signed.admin))
        let error = refError {
            try repository.put("features/a", text: "2", writer: signed.writer(signed.features))
        }
        #expect(error?.fault == .refused)
        #expect(try Repository(in: signed.bucket).state().number == 3)
        #expect(try LogVerifier(repository.log).verify().findings.isEmpty)
    }

    @Test("a key that may not move a ref is refused before the work")
    func early() throws {
        let name = try RefName("models/a")
        let error = refError {
            _ = try repository.begin(writer: signed.writer(signed.features), moving: [name])
        }
        #expect(error?.fault == .refused)
        #expect(
            refError { _ = try repository.begin(writer: signed.unsigned, moving: [name]) }
                == .key(.none))
        _ = try repository.begin(writer: signed.writer(signed.training), moving: [name])
        #expect(try signed.bucket.list(.packs).isEmpty)
    }

    @Test("a key that is revoked during its transaction cannot commit")
    func revokedMeanwhile() throws {
        let bucket = InterposingBucket(signed.bucket)
        let signed = signed
        bucket.beforeEntry {
            try signed.repository.setAccessPolicy(
                try signed.policy(without: "feature-bot"), writer: signed.writer(signed.admin))
        }
        let error = refError {
            try Repository(in: bucket).put(
                "features/a", text: "1", writer: signed.writer(signed.features))
        }
        #expect(bucket.hasHappened)
        #expect(error?.fault == .refused)
        #expect(try repository.state().number == 2)
        #expect(try repository.state().refs.isEmpty)
    }

    @Test("a key that may only approve stores nothing and removes no pack")
    func approver() throws {
        let policy = try signed.policy()
        let grace = try testKey("grace", seed: 105)
        try repository.setAccessPolicy(
            try AccessPolicy(
                isSigned: true,
                keys: policy.keys + [AccessPolicy.Key(name: "grace", publicKey: grace.publicKey)],
                gates: []), writer: signed.writer(signed.admin))
        try repository.put("models/a", text: "m", writer: signed.writer(signed.admin))
        let state = try repository.state()
        let pack = try #require(try state.packs.first)
        let entry = try LogEntry(
            number: state.number + 1, previous: state.entryHash, base: state.number,
            time: state.time, writer: "grace", message: "", nonce: RandomBits(from: { 1 }),
            actions: [.unpack(pack.name)]
        ).signed(by: grace, repository: state.repositoryID)
        _ = try signed.bucket.create(entryName(entry.number), entry.encoded)
        #expect(refError { _ = try repository.state() }?.fault == .damaged)
    }

    @Test("of two concurrent policy changes, the second is a conflict")
    func racingAdmins() throws {
        let seen = try repository.state().accessPolicy
        try repository.setAccessPolicy(
            try signed.policy(without: "feature-bot"), replacing: .some(seen),
            writer: signed.writer(signed.admin))
        let error = refError {
            try repository.setAccessPolicy(
                try signed.policy(without: "training-bot"), replacing: .some(seen),
                writer: signed.writer(signed.admin))
        }
        #expect(error == .accessPolicyChanged)
        #expect(error?.fault == .conflict)
    }

    @Test("a secret key is never printed")
    func redaction() throws {
        var dumped = ""
        dump(signed.admin, to: &dumped)
        let texts = ["\(signed.admin)", String(reflecting: signed.admin), dumped]
        for text in texts { #expect(text.trimmingDump == "***") }
    }
}

extension String {
    fileprivate var trimmingDump: String { String(filter { $0 == "*" }) }
}
