import Objects
import Storage
import TestSupport
import Testing

@testable import Refs

/// Use cases that programs without the command line call.
@Suite struct UseCaseTests {
    private let bucket = MemoryBucket()
    private let repository: Repository
    private let current: RefName

    init() throws {
        repository = try Repository.create(in: bucket, writer: testWriter())
        current = try RefName("models/current")
    }

    // MARK: Moves

    @Test("a promotion moves refs, and a rehearsal only reports the move")
    func promotion() throws {
        let model = try repository.put("models/candidate", Version(.model, "m"))
        let moves = [(from: try Revision("models/candidate"), to: current)]
        let state = try repository.state()
        let rehearsed = try repository.promote(
            moves, in: state, by: testWriter(), MoveOptions(isRehearsal: true))
        guard case .rehearsed(let rehearsal) = rehearsed else {
            Issue.record("a rehearsal was committed")
            return
        }
        #expect(rehearsal.refs == [RefChange(name: current, old: nil, new: model)])
        #expect(rehearsal.refusal == nil)
        #expect(try repository.state().number == state.number)
        let committed = try repository.promote(
            moves, in: state, by: testWriter(), MoveOptions(message: "go"))
        guard case .committed(let commit) = committed else {
            Issue.record("not committed")
            return
        }
        #expect(try repository.log.entry(try #require(commit.number)).message == "go")
        #expect(try repository.target("models/current") == model)
    }

    @Test("a rollback moves a ref to its previous version, and a second one further back")
    func rollback() throws {
        let versions = try ["1", "2", "3"].map {
            try repository.put("models/current", Version(.model, $0))
        }
        for expected in [versions[1], versions[0]] {
            _ = try repository.rollBack([current], in: try repository.state(), by: testWriter())
            #expect(try repository.target("models/current") == expected)
        }
    }

    @Test("moves on an old state are a conflict when the ref has moved since")
    func conflict() throws {
        try repository.put("models/current", Version(.model, "1"))
        let state = try repository.state()
        try repository.put("models/current", Version(.model, "2"))
        let error = refError {
            _ = try repository.delete([current], in: state, by: testWriter())
        }
        #expect(error?.fault == .conflict)
    }

    // MARK: Releases

    @Test("an unchanged release makes no transaction, and cautions are about unrelated features")
    func release() throws {
        let old = try repository.put("features/old", Version(.features, "old"))
        let features = try repository.put("features/prod", Version(.features, "f"))
        let model = try repository.put(
            "models/a", Version(.model, "m", inputs: ["features": old]))
        let name = try RefName("releases/prod")
        var ids: [ObjectID] = []
        for _ in 0..<2 {
            let transaction = try repository.begin(writer: testWriter())
            let prompt = try transaction.objects.write(Array("Be brief.".utf8), hint: .bulk)
            let release = try transaction.bind(
                .init(features: features, ranker: model, prompt: .init(.text, prompt)))
            let cautions = try release.cautions(in: transaction.objects)
            #expect(cautions.count == 2)
            #expect(cautions.last?.contains(old.short) == true)
            let (id, commit) = try transaction.publish(
                release, as: name, by: .init(pipeline: "test", version: "1"), created: epoch,
                description: nil, message: "release")
            #expect(commit.isUnchanged == !ids.isEmpty)
            ids.append(id)
        }
        #expect(Set(ids).count == 1)
    }

    // MARK: Pins

    private func pin(
        _ id: ObjectID, replacing old: LockFile? = nil, in repository: Repository,
        write: ([UInt8]) throws(StorageError) -> Void
    ) throws -> PinOutcome {
        let state = try repository.state()
        return try repository.pin(
            try repository.pins(of: [("models/current", id)], in: state), in: state,
            replacing: old, purpose: "test", write: write)
    }

    @Test("a pin takes a lease that stays, and releases the lease of the file it replaces")
    func pin() throws {
        let id = try repository.put("models/current", Version(.model, "m"))
        var written: [UInt8] = []
        let first = try pin(id, in: repository) { written = $0 }
        #expect(try LockFile(decoding: written) == first.lock)
        #expect(first.lock.pins.map(\.id) == [id])
        #expect(try repository.lease(first.lock.lease)?.seconds == nil)
        let second = try pin(id, replacing: first.lock, in: repository) { written = $0 }
        #expect(try repository.leases().map(\.name) == [second.lock.lease])
        guard case .untilReleased = second.protection else {
            Issue.record("not protected")
            return
        }
    }

    @Test("a pin whose file cannot be written leaves no lease behind")
    func unwrittenPin() throws {
        let id = try repository.put("models/current", Version(.model, "m"))
        let error = refError {
            _ = try pin(id, in: repository) { (_) throws(StorageError) in
                throw .system(operation: "write", path: "fti.lock", errno: 28)
            }
        }
        #expect(error?.fault == .io)
        #expect(try repository.leases().isEmpty)
    }

    @Test("in a repository that cannot be written, a pin has no lease and says so")
    func readOnlyPin() throws {
        let id = try repository.put("models/current", Version(.model, "m"))
        var written: [UInt8] = []
        let outcome = try pin(id, in: Repository(in: ReadOnlyBucket(base: bucket))) { written = $0 }
        #expect(outcome.lock.lease == nil)
        #expect(try LockFile(decoding: written).lease == nil)
        guard case .none = outcome.protection else {
            Issue.record("protected without a lease")
            return
        }
    }

    @Test("a pinned release brings its parts, and every revision is pinned once")
    func pinnedRelease() throws {
        let features = try repository.put("features/prod", Version(.features, "f"))
        let model = try repository.put("models/a", Version(.model, "m"))
        let transaction = try repository.begin(writer: testWriter())
        let (id, _) = try transaction.publish(
            try transaction.bind(.init(features: features, ranker: model)),
            as: try RefName("releases/prod"), by: .init(pipeline: "test", version: "1"),
            created: epoch, description: nil, message: "")
        let pins = try repository.pins(
            of: [("releases/prod", id), ("releases/prod", id)], in: try repository.state())
        #expect(
            pins.map(\.revision)
                == ["releases/prod", "releases/prod^features", "releases/prod^model"])
        #expect(pins.map(\.id) == [id, features, model])
    }
}

/// A bucket on a read-only file system.
private struct ReadOnlyBucket: ForwardingBucket {
    let base: any Bucket

    func willCall(_ call: BucketCall) throws(StorageError) {
        switch call {
        case .synchronize, .synchronizeLog: return
        default: guard call.isChange else { return }
        }
        throw .system(operation: "write", path: "a read-only file system", errno: 30)
    }
}
