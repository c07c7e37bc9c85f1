@testable import Maintenance
import Objects
import Refs
import Storage
import Testing

@Suite("Transactions")
struct RepositoryTests {
    @Test("a new repository has a log of one entry and no refs")
    func fresh() throws {
        let repository = try Repository.create(in: MemoryBucket(), writer: testWriter())
        let state = try repository.state()
        #expect(state.number == 0)
        #expect(state.refs.isEmpty)
        #expect(try state.packs.isEmpty)
        let again = refError {
            _ = try Repository.create(in: repository.bucket, writer: testWriter(seed: 9))
        }
        #expect(again == .repositoryExists(location: "memory"))
    }

    @Test("opening an empty bucket finds no repository")
    func missing() {
        let error = refError { _ = try Repository(in: MemoryBucket()).state() }
        #expect(error?.fault == .missing)
    }

    @Test("a transaction moves all its refs in one entry, with its pack")
    func several() throws {
        let repository = try Repository.create(in: MemoryBucket(), writer: testWriter())
        let commit = try repository.put(
            "models/a", "models/b", text: "one", message: "both", writer: testWriter(seed: 2))
        #expect(commit.number == 1)
        #expect(commit.refs.map(\.name.text) == ["models/a", "models/b"])
        let state = try repository.state()
        #expect(state.target(of: try RefName("models/a")) == commit.refs[0].new)
        #expect(state.refs[try RefName("models/b")]?.transaction == 1)
        #expect(try state.packs.count == 1)
        let entry = try repository.log.entry(1)
        #expect(entry.message == "both")
        #expect(entry.changes == commit.refs)
        let id = try #require(commit.refs[0].new)
        #expect(try Snapshot(id, in: try repository.objects(in: state)).kind == .model)
    }

    @Test("a commit that changes nothing makes no entry")
    func unchanged() throws {
        let repository = try Repository.create(in: MemoryBucket(), writer: testWriter())
        let id = try #require(
            try repository.put("models/a", text: "one", writer: testWriter()).refs[0].new)
        let commit = try repository.begin(writer: testWriter()).commit([
            RefUpdate(try RefName("models/a"), expected: .exactly(id), new: id)
        ])
        #expect(commit.isUnchanged)
        #expect(try repository.state().number == 1)
        let empty = try repository.begin(writer: testWriter()).commit([])
        #expect(empty.isUnchanged)
    }

    @Test("a ref that moved since the transaction began is a conflict, and nothing happens")
    func conflict() throws {
        let clock = TestClock()
        let writer = testWriter(clock: clock)
        let repository = try Repository.create(in: MemoryBucket(), writer: writer)
        let first = try repository.put("models/a", text: "one", writer: writer).refs[0].new
        let late = try repository.begin(writer: writer)
        let id = try writeSnapshot(.model, "late", into: late.objects)
        let other = try writeSnapshot(.model, "other", into: late.objects)
        let second = try repository.put("models/a", text: "two", writer: writer).refs[0].new
        clock.advance(seconds: 2)
        let error = refError {
            _ = try late.commit([
                RefUpdate(try RefName("models/b"), new: other),
                RefUpdate(try RefName("models/a"), new: id),
            ])
        }
        #expect(
            error
                == .conflict(
                    try RefName("models/a"), expected: .exactly(try #require(first)),
                    actual: second, transaction: 2, ageMilliseconds: 2000))
        #expect(error?.message.contains("transaction 2, 2 s ago") == true)
        #expect(try repository.state().number == 2)
        #expect(try repository.state().target(of: try RefName("models/b")) == nil)
    }

    @Test("a failed expectation is a conflict")
    func expectations() throws {
        let writer = testWriter()
        let repository = try Repository.create(in: MemoryBucket(), writer: writer)
        let id = try #require(
            try repository.put("models/a", text: "one", writer: writer).refs[0].new)
        let zero = try #require(ObjectID(hex: String(repeating: "0", count: 64)))
        for (name, expected) in [
            ("models/a", Expectation.absent), ("models/a", .exactly(zero)), ("models/b", .present),
        ] {
            let error = refError {
                _ = try repository.begin(writer: writer).commit([
                    RefUpdate(try RefName(name), expected: expected, new: id)
                ])
            }
            #expect(error?.fault == .conflict)
        }
        #expect(try repository.state().number == 1)
    }

    @Test("a ref points only at a complete snapshot of its kind")
    func admission() throws {
        let writer = testWriter()
        let repository = try Repository.create(in: MemoryBucket(), writer: writer)
        let absent = try #require(ObjectID(hex: String(repeating: "0", count: 64)))
        func attempt(
            _ name: String, _ make: (ObjectWriter) throws -> ObjectID
        ) throws -> RefError? {
            let transaction = try repository.begin(writer: writer)
            let id = try make(transaction.objects)
            return refError {
                _ = try transaction.commit([RefUpdate(try RefName(name), new: id)])
            }
        }
        let kind = try attempt("features/x") { try writeSnapshot(.model, "m", into: $0) }
        #expect(kind?.fault == .refused)
        let file = try attempt("models/x") { try $0.write([1, 2, 3], hint: .bulk) }
        #expect(file?.fault == .refused)
        let input = try attempt("models/x") {
            try writeSnapshot(.model, "m", into: $0, inputs: ["dataset": absent])
        }
        #expect(input?.fault == .missing)
        #expect(input?.message.contains(absent.short) == true)
        #expect(try attempt("models/x") { _ in absent }?.fault == .missing)
        #expect(try repository.state().number == 0)
        #expect(try repository.bucket.list(.packs).isEmpty)
    }

    @Test("a removed ref can be created again and keeps one history")
    func removal() throws {
        let writer = testWriter()
        let repository = try Repository.create(in: MemoryBucket(), writer: writer)
        let name = try RefName("models/a")
        let one = try repository.put("models/a", text: "one", writer: writer).refs[0].new
        try repository.put("models/b", text: "other", writer: writer)
        _ = try repository.begin(writer: writer).commit([
            RefUpdate(name, expected: .present, new: nil)
        ])
        #expect(try repository.state().refs[name] == nil)
        let two = try repository.put("models/a", text: "two", writer: writer).refs[0].new
        var history = repository.log.history(of: name, in: try repository.state())
        let versions = try history.next(10)
        #expect(versions.map(\.target) == [two, nil, one])
        #expect(versions.map(\.entry.number) == [4, 3, 1])
    }

    @Test("an entry from the far future does not hide when later ones were made (H16, B141)")
    func skew() throws {
        let wrong = TestClock("2099-01-01T00:00:00.000Z")
        let clock = TestClock("2026-08-01T00:00:00.000Z")
        let repository = try Repository.create(
            in: MemoryBucket(), writer: testWriter(clock: clock))
        let name = try RefName("models/a")
        let day = 86_400
        var values: [ObjectID] = []
        for (text, by) in [("one", clock), ("two", wrong), ("three", clock), ("four", clock)] {
            clock.advance(seconds: day)
            let commit = try repository.put("models/a", text: text, writer: testWriter(clock: by))
            values.append(try #require(commit.refs[0].new))
            #expect(commit.warnings.isEmpty == ["one", "two"].contains(text))
        }
        let entries = try (0...4).map { try repository.log.entry($0) }
        #expect(entries.map { $0.skew != nil } == [false, false, false, true, true])
        // The error does not grow: the time stays the same.
        #expect(entries[4].time == wrong.now)
        #expect(entries[4].moment(asOf: clock.now.milliseconds) == clock.now)
        #expect(entries[4].moment(asOf: wrong.now.milliseconds) == wrong.now)
        #expect(try LogVerifier(repository.log).verify().findings.isEmpty)
        let resolver = Resolver(repository, state: try repository.state(), now: clock.now)
        for (moment, value) in [("now", 3), ("12 hours ago", 2), ("3 days ago", 0)] {
            #expect(
                try resolver.snapshot(try Revision("\(name)@{\(moment)}")) == values[value])
        }
        // Clocks may differ by five minutes before the entry records it.
        let near = try Repository.create(in: MemoryBucket(), writer: testWriter(clock: clock))
        let ahead = TestClock("2026-08-01T00:00:00.000Z")
        ahead.advance(seconds: 4 * day + 300)
        try near.put("models/a", text: "one", writer: testWriter(clock: ahead))
        let commit = try near.put("models/a", text: "two", writer: testWriter(clock: clock))
        #expect(commit.warnings.isEmpty)
        #expect(try near.log.entry(2).skew == nil)
        #expect(try near.log.entry(2).time == ahead.now)
    }

    @Test("log times never go back, and a lagging clock is reported")
    func time() throws {
        let clock = TestClock("2099-01-01T00:00:00.000Z")
        let repository = try Repository.create(
            in: MemoryBucket(), writer: testWriter(clock: clock))
        let commit = try repository.put("models/a", text: "one", writer: testWriter())
        #expect(commit.state.time == clock.now)
        #expect(commit.warnings.count == 1)
        let quiet = try repository.put("models/a", text: "two", writer: testWriter(clock: clock))
        #expect(quiet.warnings.isEmpty)
    }

    @Test("undo reverts one transaction, and repeating it reverts the undo")
    func undo() throws {
        let writer = testWriter()
        let repository = try Repository.create(in: MemoryBucket(), writer: writer)
        #expect(
            refError { _ = try repository.log.reversal(in: try repository.state()) }
                == .nothingToUndo(nil))
        try repository.put("models/a", text: "one", writer: writer)
        let before = try repository.state()
        try repository.put("models/a", "models/b", text: "two", writer: writer)
        let after = try repository.state()
        for expected in [before, after] {
            let state = try repository.state()
            let reversal = try repository.log.reversal(in: state)
            #expect(reversal.transaction == state.number)
            _ = try repository.begin(on: state, writer: writer).commit(reversal.updates)
            let now = try repository.state()
            #expect(now.refs.mapValues(\.target) == expected.refs.mapValues(\.target))
        }
        let stale = refError { _ = try repository.log.reversal(of: 1, in: after) }
        #expect(stale?.fault == .conflict)
    }

    @Test("a message beyond its limit is refused as usage")
    func longMessage() throws {
        let repository = try Repository.create(in: MemoryBucket(), writer: testWriter())
        let error = refError {
            try repository.put(
                "models/a", text: "one", message: String(repeating: "m", count: 70_000),
                writer: testWriter())
        }
        #expect(error?.fault == .usage)
    }
}
