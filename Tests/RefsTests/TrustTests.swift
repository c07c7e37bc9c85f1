@testable import Maintenance
import Foundation
import Objects
import Refs
import Storage
import Synchronization
import TestSupport
import Testing

/// The losses that a client reported.
private final class Losses: Sendable {
    private let texts = Mutex<[String]>([])

    func add(_ text: String) { texts.withLock { $0.append(text) } }

    func take() -> [String] {
        texts.withLock { texts in
            defer { texts = [] }
            return texts
        }
    }
}

/// A client with a memory in its own folder.
final class Client {
    private let folder: TemporaryDirectory
    let clock: TestClock
    private let losses = Losses()

    init(clock: TestClock) throws {
        folder = try TemporaryDirectory()
        self.clock = clock
    }

    var path: String { folder("memory") }

    /// The losses reported since the last call.
    func takeLosses() -> [String] { losses.take() }

    func trust(
        roots: Set<PublicKey>? = nil, isStrict: Bool = false, accepting: Bool = false
    ) -> Trust {
        let clock = clock
        let losses = losses
        return Trust(
            memory: ClientMemory(
                at: path, now: { clock.now }, isForgetful: accepting,
                report: { losses.add($0) }),
            roots: roots, isStrict: isStrict)
    }

    func open(_ bucket: MemoryBucket, accepting: Bool = false) -> Repository {
        Repository(in: bucket, trust: trust(accepting: accepting))
    }
}

@Suite("Client trust")
struct TrustTests {
    let signed: SignedRepository
    let client: Client

    init() throws {
        signed = try SignedRepository()
        client = try Client(clock: signed.clock)
    }

    private func commit(_ count: Int, by key: SecretKey? = nil, in bucket: MemoryBucket? = nil)
        throws
    {
        let repository = Repository(in: bucket ?? signed.bucket)
        for _ in 0..<count {
            let text = String(UInt64.random(in: 0...UInt64.max))
            try repository.put(
                "features/a", text: text, writer: signed.writer(key ?? signed.features))
        }
    }

    @Test("a restored older copy is detected, and accepted only on request (B122)")
    func rollback() throws {
        try commit(3)
        let old = try signed.bucket.copy()
        try commit(2)
        #expect(try client.open(signed.bucket).state().number == 6)
        let error = refError { _ = try client.open(old).state() }
        #expect(error == .rolledBack(from: 6, to: 4))
        #expect(error?.fault == .damaged)
        #expect(error?.remedy?.contains("--accept-rollback") == true)
        #expect(try client.open(old, accepting: true).state().number == 4)
        #expect(try client.open(old).state().number == 4)
    }

    @Test("a forked log is detected (B123)", arguments: [1, 40])
    func fork(later: Int) throws {
        try commit(2)
        let other = try signed.bucket.copy()
        try commit(3)
        #expect(try client.open(signed.bucket).state().number == 6)
        try commit(3 + later, in: other)
        #expect(refError { _ = try client.open(other).state() } == .forked(at: 6))
    }

    @Test("rollbacks and forks of unsigned repositories are detected too")
    func unsigned() throws {
        let bucket = MemoryBucket()
        let repository = try Repository.create(in: bucket, writer: signed.unsigned)
        try repository.put("models/a", text: "1", writer: signed.unsigned)
        let old = try bucket.copy()
        try repository.put("models/a", text: "2", writer: signed.unsigned)
        #expect(try client.open(bucket).state().number == 2)
        #expect(refError { _ = try client.open(old).state() } == .rolledBack(from: 2, to: 1))
        for number in 3..<40 {
            try Repository(in: old).put("models/a", text: "\(number)", writer: signed.unsigned)
        }
        #expect(refError { _ = try client.open(old).state() } == .forked(at: 2))
    }

    @Test("another repository in the same place is refused if signatures were required (B124)")
    func replaced() throws {
        let plain = MemoryBucket()
        let writer = testWriter(seed: 70)
        try Repository.create(in: plain, writer: writer).put("models/a", text: "x", writer: writer)
        #expect(try client.open(plain).state().number == 1)
        #expect(try client.open(signed.bucket).state().number == 1)
        try commit(1)
        #expect(try client.open(signed.bucket).state().number == 2)
        #expect(refError { _ = try client.open(plain).state() } == .replaced)
        #expect(try client.open(plain, accepting: true).state().number == 1)
    }

    @Test("rolling back a ref is a new transaction, which clients accept")
    func authorised() throws {
        try commit(2)
        let before = try client.open(signed.bucket).state()
        let old = try #require(
            try signed.repository.log.entry(2).changes.first?.new)
        _ = try signed.repository.begin(writer: signed.writer(signed.features)).commit([
            RefUpdate(try RefName("features/a"), new: old)
        ])
        let after = try client.open(signed.bucket).state()
        #expect(after.number == before.number + 1)
        #expect(after.target(of: try RefName("features/a")) == old)
    }

    @Test("an unsigned checkpoint, or one not signed by an admin, is not trusted")
    func forgedCheckpoint() throws {
        try commit(20)
        let evil = try #require(try signed.repository.log.entry(3).changes.first?.new)
        let listed = try signed.bucket.list(.checkpoints)
        #expect(!listed.isEmpty)
        for entry in listed {
            let name = BlobName(.checkpoints, entry.name)
            let bytes = try #require(try signed.bucket.read(name, limit: .max))
            let text = String(decoding: bytes, as: UTF8.self)
            let state = try signed.repository.state()
            let target = try #require(state.refs.values.first?.target)
            // The target at the checkpoint is that of entry 16, not the current one.
            let real = try #require(try signed.repository.log.entry(16).changes.first?.new)
            _ = target
            let forged = Array(text.replacing(real.hex, with: evil.hex).utf8)
            let id = ObjectID(of: forged.span)
            try signed.bucket.delete(name)
            try signed.bucket.replace(
                BlobName(.checkpoints, "\(entry.name.prefix(20))-\(id.hex).json"), forged)
        }
        // Without the entries since, the forged value would be what a client reads.
        let fresh = try client.open(signed.bucket).state()
        #expect(fresh.number == 21)
        #expect(fresh.target(of: try RefName("features/a")) != evil)
        let problems = try LogVerifier(signed.repository.log).verify().findings.map(\.problem)
        #expect(problems.contains("it contradicts the log"))
    }

    @Test("a first contact starts from a checkpoint signed by an admin")
    func signedCheckpoint() throws {
        try commit(20, by: signed.admin)
        let names = try signed.bucket.list(.checkpoints).map(\.name)
        #expect(names.contains { $0.hasSuffix(".signed.json") })
        // With an entry before the checkpoint lost, only a reader that starts at the checkpoint succeeds.
        try signed.bucket.delete(entryName(5))
        #expect(try client.open(signed.bucket).state().number == 21)
    }

    @Test("a client does not reread what it has checked")
    func warm() throws {
        try commit(20)
        #expect(try client.open(signed.bucket).state().number == 21)
        try signed.bucket.delete(entryName(5))
        #expect(try client.open(signed.bucket).state().number == 21)
        let repository = client.open(signed.bucket)
        try repository.put("features/a", text: "22", writer: signed.writer(signed.features))
        #expect(try client.open(signed.bucket).state().number == 22)
    }

    @Test("at first contact only a policy begun by a trusted key is trusted")
    func roots() throws {
        try commit(3)
        let mine = client.trust(roots: [signed.admin.publicKey])
        #expect(try Repository(in: signed.bucket, trust: mine).state().number == 4)
        let other = Trust(roots: [signed.stranger.publicKey])
        let error = refError { _ = try Repository(in: signed.bucket, trust: other).state() }
        #expect(error?.fault == .damaged)
        #expect(error?.message.contains(signed.admin.publicKey.hex) == true)
        // A client that requires a key refuses an unsigned repository.
        let plain = MemoryBucket()
        _ = try Repository.create(in: plain, writer: signed.unsigned)
        #expect(try Repository(in: plain, trust: other).state().number == 0)
        let strict = Trust(roots: [signed.admin.publicKey], isStrict: true)
        #expect(refError { _ = try Repository(in: plain, trust: strict).state() } != nil)
        // It also refuses one that no longer requires signatures, whichever key began it.
        #expect(try Repository(in: signed.bucket, trust: strict).state().number == 4)
        try signed.repository.setAccessPolicy(nil, writer: signed.writer(signed.admin))
        let opened = refError { _ = try Repository(in: signed.bucket, trust: strict).state() }
        guard case .foreignRoot? = opened else {
            Issue.record("\(opened?.message ?? "it was trusted")")
            return
        }
        // No file is damaged.
        let verified = refError {
            _ = try LogVerifier(Repository(in: signed.bucket, trust: strict).log).verify()
        }
        #expect(verified == opened)
    }

    @Test("a returning client rejects checkpoints of an admin revoked since")
    func revokedAdmin() throws {
        let second = try testKey("eve", seed: 105)
        let keys = [
            AccessPolicy.Key(name: "ada", publicKey: signed.admin.publicKey, isAdmin: true),
            AccessPolicy.Key(name: "eve", publicKey: second.publicKey, isAdmin: true),
            AccessPolicy.Key(
                name: "feature-bot", publicKey: signed.features.publicKey, namespaces: [.features]),
        ]
        let admin = signed.writer(signed.admin)
        try signed.repository.setAccessPolicy(
            try AccessPolicy(isSigned: true, keys: keys, gates: []), writer: admin)
        #expect(try client.open(signed.bucket).state().number == 2)
        // Eve's key is revoked in one history, and she writes checkpoints in another.
        let hers = try signed.bucket.copy()
        try signed.repository.setAccessPolicy(try signed.policy(), writer: admin)
        let evil = Repository(in: hers)
        for number in 0..<300 {
            try evil.put("features/evil", text: "\(number)", writer: signed.writer(second))
            try signed.repository.put(
                "features/a", text: "\(number)", writer: signed.writer(signed.features))
        }
        for name in try signed.bucket.list(.checkpoints) {
            try signed.bucket.delete(BlobName(.checkpoints, name.name))
        }
        for name in try hers.list(.checkpoints) where name.name.hasSuffix(".signed.json") {
            let blob = BlobName(.checkpoints, name.name)
            try signed.bucket.replace(blob, try hers.read(blob, limit: .max) ?? [])
        }
        let seen = try client.open(signed.bucket).state()
        #expect(try seen.target(of: RefName("features/evil")) == nil)
        #expect(try seen.target(of: RefName("features/a")) != nil)
    }

    @Test("an unwritable memory is not an error, and an unreadable one is reported")
    func unwritable() throws {
        try commit(2)
        let clock = signed.clock
        let trust = Trust(memory: ClientMemory(at: "/dev/null/fti/memory", now: { clock.now }))
        #expect(try Repository(in: signed.bucket, trust: trust).state().number == 3)
        #expect(try client.open(signed.bucket).state().number == 3)
        #expect(client.takeLosses().isEmpty)
        for garbage in ["", "{}", "\n", String(repeating: "\0", count: 4096)] {
            try Data(garbage.utf8).write(to: URL(fileURLWithPath: client.path))
            #expect(try client.open(signed.bucket).state().number == 3)
            #expect(client.takeLosses().count == 1)
            // The memory is written again.
            #expect(try client.open(signed.bucket).state().number == 3)
            #expect(client.takeLosses().isEmpty)
        }
        try FileManager.default.setAttributes([.posixPermissions: 0o666], ofItemAtPath: client.path)
        _ = try client.open(signed.bucket).state()
        #expect(client.takeLosses().first?.contains("other users can write it") == true)
        client.trust().memory?.clear()
        #expect(!FileManager.default.fileExists(atPath: client.path))
        _ = try client.open(signed.bucket).state()
        #expect(client.takeLosses().isEmpty)
    }

    @Test("a truncated memory still knows the end of the log")
    func tornMemory() throws {
        try commit(4)
        let old = try signed.bucket.copy()
        try commit(1)
        #expect(try client.open(signed.bucket).state().number == 6)
        let url = URL(fileURLWithPath: client.path)
        let bytes = try Data(contentsOf: url)
        try bytes.dropLast(20).write(to: url)
        #expect(refError { _ = try client.open(old).state() } == .rolledBack(from: 6, to: 5))
        #expect(client.takeLosses().count == 1)
        #expect(try client.open(signed.bucket).state().number == 6)
    }
}
