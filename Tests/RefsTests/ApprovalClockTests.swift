@testable import Maintenance
import Foundation
import Objects
import Refs
import Storage
import Testing

@Suite("The clock by which approvals expire")
struct ApprovalClockTests {
    /// The clock of the bucket.
    private let place = TestClock()
    /// The mover's clock.
    private let clock = TestClock()
    private let name: RefName
    private let admin: SecretKey
    private let features: SecretKey
    private let training: SecretKey
    private let bucket: MemoryBucket
    private let client: Client

    init() throws {
        name = try RefName("models/current")
        admin = try testKey("ada", seed: 201)
        features = try testKey("feature-bot", seed: 202)
        training = try testKey("training-bot", seed: 203)
        let place = place
        bucket = MemoryBucket { place.now.milliseconds }
        client = try Client(clock: clock)
        let repository = try Repository.create(in: bucket, writer: testWriter(clock: clock))
        let policy = try AccessPolicy(
            isSigned: true,
            keys: [
                AccessPolicy.Key(name: "ada", publicKey: admin.publicKey, isAdmin: true),
                AccessPolicy.Key(
                    name: "feature-bot", publicKey: features.publicKey, namespaces: [.features]),
                AccessPolicy.Key(
                    name: "training-bot", publicKey: training.publicKey, namespaces: [.models]),
            ],
            gates: [try Gate(#"{"ref":"models/current","type":"approvals","count":1}"#)])
        try repository.setAccessPolicy(policy, writer: writer(admin))
    }

    private func writer(_ key: SecretKey, clock: TestClock? = nil) -> Writer {
        testWriter(key.name, clock: clock ?? self.clock, seed: .random(in: 0 ... .max))
            .signing(with: key)
    }

    private var repository: Repository { Repository(in: bucket) }

    private func advance(seconds: Int) {
        clock.advance(seconds: seconds)
        place.advance(seconds: seconds)
    }

    private func put(_ ref: String, _ kind: Snapshot.Kind, by key: SecretKey) throws -> ObjectID {
        try repository.put(
            ref, Version(kind, "\(UInt64.random(in: 0 ... .max))"), writer: writer(key))
    }

    private func approve(_ id: ObjectID, seconds: Int) throws {
        let end = Timestamp(milliseconds: clock.now.milliseconds + seconds * 1000)
        try repository.approve(
            name, new: id, expires: try #require(end), on: try repository.state(),
            writer: writer(features))
    }

    private func promote(_ id: ObjectID, in repository: Repository? = nil) -> RefError? {
        refError {
            _ = try (repository ?? self.repository).begin(writer: writer(training)).commit([
                RefUpdate(name, new: id)
            ])
        }
    }

    /// Appends an entry dated as its writer likes.
    private func append(dated text: String, by key: SecretKey) throws {
        let kind: Snapshot.Kind = key.publicKey == training.publicKey ? .model : .features
        _ = try repository.put(
            "\(RefNamespace(kind).rawValue)/x", Version(kind, text),
            writer: writer(key, clock: TestClock(text)))
    }

    @Test("an approval expires by the bucket's clock even when the mover's clock is set back")
    func placeClock() throws {
        let model = try put("models/a", .model, by: training)
        try approve(model, seconds: 60)
        advance(seconds: 61)
        let right = try #require(promote(model))
        #expect(right.message.contains("it has none; expired: feature-bot"))
        clock.advance(seconds: -3600)
        #expect(promote(model)?.fault == .refused)
        // A new approval by a lagging clock counts as usual.
        try approve(model, seconds: 60)
        #expect(promote(model) == nil)
    }

    @Test("the bucket knows the age of an approval whose entry is in a segment")
    func gathered() throws {
        let model = try put("models/a", .model, by: training)
        try approve(model, seconds: 600)
        for _ in 0..<140 { _ = try put("features/a", .features, by: features) }
        let given = try #require(try repository.state().approvals.first?.transaction)
        #expect(try bucket.read(entryName(given), limit: .max) == nil)
        advance(seconds: 601)
        clock.advance(seconds: -3600)
        #expect(promote(model)?.fault == .refused)
    }

    @Test("a client that saw an approval expire does not count it again")
    func memory() throws {
        let model = try put("models/a", .model, by: training)
        try approve(model, seconds: 60)
        // The bucket's clock is wrong as well: the whole machine was set back.
        clock.advance(seconds: 61)
        _ = try client.open(bucket).state()
        clock.advance(seconds: -3600)
        #expect(promote(model, in: client.open(bucket))?.fault == .refused)
        #expect(promote(model, in: client.open(bucket, accepting: true)) == nil)
    }

    @Test("an approval that has not expired counts, also in a later copy")
    func copied() throws {
        let model = try put("models/a", .model, by: training)
        try approve(model, seconds: 600)
        advance(seconds: 590)
        #expect(promote(model, in: Repository(in: try bucket.copy())) == nil)
        #expect(promote(model) == nil)
    }

    @Test("an entry dated far in the future ends no approval of refs that its key cannot move")
    func farFuture() throws {
        let model = try put("models/a", .model, by: training)
        try approve(model, seconds: 600)
        try append(dated: "9999-12-31T23:59:59.000Z", by: features)
        #expect(promote(model) == nil)
        let next = try put("models/a", .model, by: training)
        try approve(next, seconds: 60)
        advance(seconds: 61)
        // Later entries still advance the time.
        #expect(promote(next)?.fault == .refused)
        try approve(next, seconds: 60)
        #expect(promote(next) == nil)
        #expect(try LogVerifier(repository.log).verify().findings.isEmpty)
        let state = try repository.state()
        #expect(state.refs[name]?.time == clock.now)
    }

    @Test("an entry dated far in the future by a key that can move the ref stops no later approval")
    func farFutureInside() throws {
        let model = try put("models/a", .model, by: training)
        try append(dated: "9999-12-31T23:59:59.000Z", by: training)
        try approve(model, seconds: 60)
        #expect(promote(model) == nil)
    }

    @Test("a reader drops an approval at the first entry after its end")
    func expiredForReaders() throws {
        let model = try put("models/a", .model, by: training)
        try approve(model, seconds: 60)
        advance(seconds: 61)
        _ = try put("models/b", .model, by: training)
        #expect(try repository.state().approvals.isEmpty)
    }
}
