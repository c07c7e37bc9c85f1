import Objects
import Storage
import Synchronization
import TestSupport
import Testing

@testable import Refs

/// Services that follow a ref, and the leases by which they protect and announce what they serve.
@Suite struct FollowerTests {
    private let bucket = HookedBucket(MemoryBucket())
    private let repository: Repository
    private let current: RefName
    private let clock = TestClock()

    init() throws {
        repository = try Repository.create(in: bucket, writer: testWriter())
        current = try RefName("models/current")
    }

    @discardableResult
    private func put(_ text: String) throws -> ObjectID {
        try repository.put("models/current", Version(.model, text))
    }

    private func follower(
        _ desk: Desk = Desk(), replica: Replica? = nil
    ) throws -> Follower<Messages> {
        let clock = clock
        return try Follower(
            Messages(name: current, repository: repository, desk: desk), in: repository,
            purpose: "test", leaseSeconds: 600, replica: replica, now: { clock.now })
    }

    private func leased() throws -> [ObjectID] {
        let leases = try repository.leases()
        #expect(leases.count == 1)
        return leases.first?.snapshots ?? []
    }

    @Test(
        "a follower switches to versions that open, rejects others once, and leases what it serves")
    func follow() throws {
        let one = try put("one")
        let follower = try follower()
        #expect(follower.current.opened.text == "one" && follower.follow().isNothing)
        #expect(try leased() == [one])
        let bad = try put("bad")
        let rejection = try #require(follower.follow().rejection)
        #expect(rejection.versions == bad && follower.current.opened.text == "one")
        #expect(!rejection.isTemporary && rejection.since == clock.now)
        clock.advance(seconds: 60)
        #expect(follower.follow().isNothing && follower.rejection?.versions == bad)
        #expect(follower.rejection?.since == rejection.since)
        #expect(follower.transactionsBehind == 1)
        let two = try put("two")
        #expect(follower.follow().isSwitch)
        #expect(follower.current.opened.text == "two" && follower.rejection == nil)
        #expect(follower.current.since == clock.now && follower.transactionsBehind == 0)
        #expect(try follower.current.transaction == repository.state().number)
        #expect(try leased() == [two])
        _ = try repository.delete([current], in: try repository.state(), by: testWriter())
        let gone = try #require(follower.follow().rejection)
        #expect(gone.versions == nil && follower.current.opened.text == "two")
        follower.stop()
        #expect(try repository.leases().isEmpty)
        // A call that was under way when the service stopped must not bring the lease back.
        try put("three")
        #expect(follower.follow().isSwitch)
        #expect(try repository.leases().isEmpty)
    }

    @Test("former versions stay leased until the last request that uses them has ended")
    func drains() throws {
        let one = try put("one")
        let follower = try follower()
        var first: Follower<Messages>.InService? = follower.current
        let two = try put("two")
        #expect(follower.follow().isSwitch)
        var second: Follower<Messages>.InService? = follower.current
        let three = try put("three")
        #expect(follower.follow().isSwitch)
        #expect(Set(try leased()) == [one, two, three] && follower.drainingCount == 2)
        #expect(first?.opened.text == "one" && second?.opened.text == "two")
        first = nil
        #expect(follower.follow().isNothing)
        #expect(Set(try leased()) == [two, three] && follower.drainingCount == 1)
        second = nil
        #expect(follower.follow().isNothing)
        #expect(try leased() == [three] && follower.drainingCount == 0)
    }

    @Test("readers on many threads see whole versions, all of them leased, while a ref moves")
    func readers() throws {
        try put("0")
        let follower = try follower()
        let isDone = Atomic(false)
        let moves = 60
        let unprotected = Atomic(0)
        let served = Mutex<Set<String>>([])
        onThreads(5) { thread in
            if thread == 0 {
                for move in 1...moves {
                    #expect(throws: Never.self) { try put("\(move)") }
                    #expect(follower.follow().isSwitch)
                }
                isDone.store(true, ordering: .relaxed)
                return
            }
            while !isDone.load(ordering: .relaxed) {
                let version = follower.current
                let leased = (try? repository.leases().flatMap(\.snapshots)) ?? []
                if !leased.contains(version.versions) { unprotected.add(1, ordering: .relaxed) }
                #expect(version.versions == version.opened.id)
                served.withLock { _ = $0.insert(version.opened.text) }
            }
        }
        #expect(unprotected.load(ordering: .relaxed) == 0)
        #expect(follower.current.opened.text == "\(moves)")
        #expect(follower.follow().isNothing)
        #expect(try leased().count == 1)
        #expect(served.withLock { !$0.isEmpty })
    }

    @Test("new versions are opened from the ones in service, and serve only once they are warm")
    func warming() throws {
        try put("one")
        let desk = Desk()
        let follower = try follower(desk)
        #expect(desk.warmed == ["one"] && follower.current.opened.predecessor == nil)
        try put("two")
        desk.refuseWarmth = true
        #expect(follower.follow().rejection?.error.fault == .refused)
        #expect(follower.current.opened.text == "one")
        #expect(follower.follow().isNothing)
        // The reason lay outside the repository, where no transaction tells that it has gone.
        desk.refuseWarmth = false
        #expect(follower.follow().isNothing && follower.rejection != nil)
        #expect(follower.follow(retrying: true).isSwitch)
        #expect(desk.warmed == ["one", "two"])
        #expect(follower.current.opened.predecessor == "one")
    }

    @Test("an I/O error is reported once, and tried again when asked, or when the ref moves on")
    func temporaryFailure() throws {
        try put("one")
        let desk = Desk()
        let follower = try follower(desk)
        try put("two")
        desk.failures = 3
        let first = try #require(follower.follow().rejection)
        #expect(first.isTemporary)
        for _ in 0..<5 { #expect(follower.follow().isNothing) }
        #expect(desk.failures == 2)
        for _ in 1..<3 {
            clock.advance(seconds: 1)
            #expect(follower.follow(retrying: true).isNothing)
            #expect(follower.rejection?.since == first.since)
        }
        #expect(follower.follow(retrying: true).isSwitch && follower.rejection == nil)
        try put("three")
        desk.failures = 1
        #expect(follower.follow().rejection != nil)
        try put("four")
        #expect(follower.follow().isSwitch && follower.current.opened.text == "four")
    }

    @Test("versions are opened again when asked, without what was open before")
    func reopening() throws {
        try put("one")
        let desk = Desk()
        let follower = try follower(desk)
        try put("two")
        #expect(follower.follow().isSwitch && follower.current.opened.predecessor == "one")
        #expect(follower.follow(reopening: true).isSwitch)
        #expect(follower.current.opened.text == "two")
        #expect(follower.current.opened.predecessor == nil)
        desk.failures = 1
        #expect(follower.follow(reopening: true).rejection?.isTemporary == true)
        #expect(follower.current.opened.text == "two", "what is open goes on")
    }

    @Test("a log that cannot be read for a while leaves no rejection behind")
    func unreadableLog() throws {
        let switched = SwitchedBucket(base: bucket)
        let repository = Repository(in: switched)
        try put("one")
        let follower = try Follower(
            Messages(name: current, repository: repository, desk: Desk()), in: repository,
            purpose: "test", leaseSeconds: 600)
        switched.isOff.store(true, ordering: .relaxed)
        #expect(follower.follow().rejection?.isTemporary == true)
        switched.isOff.store(false, ordering: .relaxed)
        #expect(follower.follow().isNothing && follower.rejection == nil)
        // The rejection of versions comes back after a failure to read.
        let bad = try put("bad")
        #expect(follower.follow().rejection?.versions == bad)
        switched.isOff.store(true, ordering: .relaxed)
        _ = follower.follow()
        switched.isOff.store(false, ordering: .relaxed)
        #expect(follower.follow().isNothing && follower.rejection?.versions == bad)
    }

    @Test("a repository that cannot be written is followed without a lease")
    func readOnly() throws {
        try put("one")
        bucket.fail(afterChanges: 0)
        let follower = try follower(replica: Replica(name: "a", follows: "models/current"))
        #expect(follower.follow().isNothing && follower.current.opened.text == "one")
        #expect(try repository.leases().isEmpty)
    }

    // MARK: What leases say

    @Test("the lease says what is served, what drains and what was rejected")
    func serving() throws {
        let one = try put("one")
        let replica = try #require(
            Replica(name: "web-1", follows: "models/current", address: "10.0.0.7:8080"))
        let follower = try follower(replica: replica)
        let started = clock.now
        func serving() throws -> ServedState? { try repository.leases().first?.serving }
        #expect(
            try serving()
                == ServedState(
                    replica: replica, snapshots: ["model": one], transaction: 1, since: started))
        clock.advance(seconds: 5)
        let bad = try put("bad")
        _ = follower.follow()
        let parked = try #require(try serving()?.parked)
        #expect(parked.snapshots == ["model": bad] && parked.since == clock.now)
        #expect(parked.reason.contains("bad"))
        let request = follower.current
        let two = try put("two")
        _ = follower.follow()
        let state = try #require(try serving())
        #expect(state.snapshots == ["model": two] && state.draining == [one])
        #expect(state.parked == nil && state.transaction == 3 && state.since == clock.now)
        withExtendedLifetime(request) {}
        _ = follower.follow()
    }

    @Test("following an unmoved ref writes nothing")
    func quiet() throws {
        try put("one")
        let counted = CountingBucket(bucket)
        let repository = Repository(in: counted)
        let follower = try Follower(
            Messages(name: current, repository: repository, desk: Desk()), in: repository,
            purpose: "test", leaseSeconds: 600,
            replica: Replica(name: "web-1", follows: "models/current"))
        // A transaction that moves another ref concerns the service no more.
        try repository.put("models/other", Version(.model, "other"))
        let before = counted.calls.count(where: \.isChange)
        for _ in 0..<20 { #expect(follower.follow().isNothing) }
        #expect(counted.calls.count(where: \.isChange) == before)
    }

    @Test(
        "a name of a replica is bounded printable text",
        arguments: ["", "a\u{1B}[2J", "a\nb", "a\u{202E}b", String(repeating: "a", count: 257)])
    func hostileReplica(_ name: String) {
        #expect(Replica(name: name, follows: "releases/prod") == nil)
        #expect(Replica(name: "a", follows: name) == nil)
        #expect(Replica(name: "a", follows: "releases/prod", address: name) == nil)
    }

    private static let digits = String(repeating: "a1", count: 32)

    @Test("a lease protects as before when what it says about its replica cannot be read")
    func hostileServing() throws {
        let id = try put("one")
        let replica = try #require(Replica(name: "web-1", follows: "models/current"))
        let state = ServedState(
            replica: replica, snapshots: ["model": id], transaction: 1, since: clock.now,
            draining: [id],
            parked: .init(snapshots: [:], reason: "\u{1B}[31mno", since: clock.now))
        let name = RandomBits { 7 }
        let lease = Lease(
            name: name, purpose: "test", snapshots: [id], seconds: 60, serving: state)
        #expect(Lease(decoding: lease.encoded, name: name) == lease)
        #expect(lease.serving?.parked?.reason.contains("\u{1B}") == false)
        let text = String(decoding: lease.encoded, as: UTF8.self)
        for (old, new) in [
            (#""web-1""#, #""a\u001b[2J""#), (#""web-1""#, #"["web-1"]"#),
            (#""web-1""#, "\"" + String(repeating: "x", count: 300) + "\""),
            (#""transaction":1"#, #""transaction":-1"#),
            (#""transaction":1"#, #""transaction":1,"unknown":null"#),
            (#""model":"\#(id.hex)""#, #""model":"x""#),
            (#""model":"#, #""mo\ndel":"#),
            (#""draining":[""#, #""draining":[0,""#),
            (#""since":""#, #""since":"x"#),
        ] {
            #expect(text.contains(old))
            let line = Array(
                text.split(separator: "\n")[0].replacing(old, with: new).utf8)
            let bytes = line + [0x0A] + Array(ObjectID(of: line.span).hex.utf8) + [0x0A]
            let decoded = Lease(decoding: bytes, name: name)
            #expect(decoded?.snapshots == [id] && decoded?.serving == nil, "\(new)")
        }
    }
}

/// What a test decides about the opening of versions, and what it sees of it.
private final class Desk: Sendable {
    private struct Contents {
        var warmed: [String] = []
        var refuseWarmth = false
        var failures = 0
    }

    private let contents = Mutex(Contents())

    var warmed: [String] { contents.withLock(\.warmed) }
    var refuseWarmth: Bool {
        get { contents.withLock(\.refuseWarmth) }
        set { contents.withLock { $0.refuseWarmth = newValue } }
    }
    /// How many times versions cannot be opened for an I/O error.
    var failures: Int {
        get { contents.withLock(\.failures) }
        set { contents.withLock { $0.failures = newValue } }
    }

    func warm(_ text: String) { contents.withLock { $0.warmed.append(text) } }
    func takeFailure() -> Bool {
        contents.withLock { contents in
            guard contents.failures > 0 else { return false }
            contents.failures -= 1
            return true
        }
    }
}

/// Serves the message of the snapshot at a ref; the message "bad" cannot be opened.
private struct Messages: ServedVersions {
    struct Opened: Sendable {
        let id: ObjectID
        let text: String
        /// The text of the version that was in service before.
        let predecessor: String?
    }

    let name: RefName
    let repository: Repository
    let desk: Desk

    func choose(in state: State) throws(RefError) -> ObjectID {
        try state.existingTarget(of: name)
    }

    func snapshots(of versions: ObjectID) -> [String: ObjectID] { ["model": versions] }

    func open(
        _ versions: ObjectID, in state: State, from current: Opened?
    ) throws(RefError) -> Opened {
        if desk.takeFailure() { throw .storage(HookedBucket.failure) }
        let objects = try repository.objects(in: state)
        let message = try wrapping(Snapshot(versions, in: objects), as: RefError.objects).message
        guard message != "bad" else { throw .misfit(reason: message, remedy: "") }
        return Opened(id: versions, text: message, predecessor: current?.text)
    }

    func warm(_ opened: Opened) throws(RefError) {
        if desk.refuseWarmth { throw .misfit(reason: "cold", remedy: "") }
        desk.warm(opened.text)
    }

    func failure(_ error: RefError) -> RefError { error }
}

extension Optional where Wrapped == Follower<Messages>.Change {
    fileprivate var isNothing: Bool { if case .none = self { true } else { false } }
    fileprivate var isSwitch: Bool { if case .switched = self { true } else { false } }
    fileprivate var rejection: Follower<Messages>.Rejection? {
        if case .rejected(let rejection) = self { rejection } else { nil }
    }
}

/// A bucket whose reads fail while it is off.
private final class SwitchedBucket: ForwardingBucket {
    let base: any Bucket
    let isOff = Atomic(false)

    init(base: any Bucket) { self.base = base }

    func willCall(_ call: BucketCall) throws(StorageError) {
        if isOff.load(ordering: .relaxed) { throw HookedBucket.failure }
    }
}
