import Objects
import Refs
import Storage
import Synchronization
import TestSupport

/// A key derived from a seed.
func testKey(_ name: String, seed: UInt64) throws -> SecretKey {
    let generator = Mutex(SeededGenerator(seed: seed))
    return try SecretKey(name: name, random: { generator.withLock { $0.next() } })
}

extension Writer {
    /// The writer with a key that signs everything.
    func signing(with secret: SecretKey) -> Writer {
        var writer = self
        writer.key = { (_) throws(KeyError) in secret }
        return writer
    }
}

/// A repository whose policy knows an admin and two pipelines.
struct SignedRepository {
    let bucket = MemoryBucket()
    let clock = TestClock()
    let admin: SecretKey
    let features: SecretKey
    let training: SecretKey
    let stranger: SecretKey
    let repository: Repository

    init(gates: [Gate] = []) throws {
        admin = try testKey("ada", seed: 101)
        features = try testKey("feature-bot", seed: 102)
        training = try testKey("training-bot", seed: 103)
        stranger = try testKey("mallory", seed: 104)
        repository = try Repository.create(in: bucket, writer: testWriter(clock: clock, seed: 7))
        try repository.setAccessPolicy(try policy(gates: gates), writer: writer(admin))
    }

    func policy(gates: [Gate] = [], without: String? = nil) throws -> AccessPolicy {
        let keys = [
            AccessPolicy.Key(name: "ada", publicKey: admin.publicKey, isAdmin: true),
            AccessPolicy.Key(
                name: "feature-bot", publicKey: features.publicKey, namespaces: [.features]),
            AccessPolicy.Key(
                name: "training-bot", publicKey: training.publicKey,
                namespaces: [.datasets, .models]),
        ]
        return try AccessPolicy(
            isSigned: true, keys: keys.filter { $0.name != without }, gates: gates)
    }

    func writer(_ key: SecretKey) -> Writer {
        testWriter(key.name, clock: clock, seed: UInt64.random(in: 0...UInt64.max))
            .signing(with: key)
    }

    /// A writer without a key.
    var unsigned: Writer { testWriter("eve", clock: clock, seed: 99) }
}
