@testable import Maintenance
import Objects
import Refs
import Storage
import Testing

@Suite("Deleting, renaming and restoring refs")
struct RefEditTests {
    private let clock = TestClock()
    private let writer: Writer
    private let repository: Repository
    private let name: RefName
    private let other: RefName

    init() throws {
        let clock = clock
        writer = testWriter(clock: clock)
        repository = try Repository.create(
            in: MemoryBucket { clock.now.milliseconds }, writer: writer)
        name = try RefName("models/a")
        other = try RefName("models/b")
    }

    private func put(_ text: String, at ref: RefName? = nil) throws -> ObjectID {
        let commit = try repository.put((ref ?? name).text, text: text, writer: writer)
        return try #require(commit.refs.first?.new)
    }

    @discardableResult
    private func commit(
        _ updates: (State) throws -> [RefUpdate]
    ) throws -> Commit {
        let state = try repository.state()
        return try repository.begin(on: state, writer: writer).commit(try updates(state))
    }

    private func delete(_ names: RefName...) throws {
        _ = try repository.delete(names, in: try repository.state(), by: writer)
    }

    private func restore(_ names: RefName...) throws {
        _ = try repository.restore(names, in: try repository.state(), by: writer)
    }

    @Test("a deleted ref is reported as deleted, keeps its history, and can be restored")
    func deletion() throws {
        _ = try put("one")
        let two = try put("two")
        try delete(name)
        let state = try repository.state()
        #expect(state.target(of: name) == nil)
        #expect(state.deletion(of: name) == state.number)
        let resolver = Resolver(repository, state: state, now: clock.now)
        let error = refError { _ = try resolver.resolve("models/a") }
        #expect(error == .deleted(name, transaction: state.number))
        #expect(error?.fault == .missing)
        #expect(error?.remedy == "ftictl ref restore models/a")
        #expect(try resolver.snapshot(try Revision("models/a@{1}")) == two)
        #expect(refError { try delete(name) } == error)
        try restore(name)
        #expect(try repository.target("models/a") == two)
        var history = repository.log.history(of: name, in: try repository.state())
        #expect(try history.next(10).count == 4)
    }

    @Test("missing sources and existing targets are refused")
    func refusals() throws {
        _ = try put("one")
        _ = try put("other", at: other)
        let state = try repository.state()
        let unknown = try RefName("models/c")
        #expect(refError { try delete(unknown) }?.fault == .missing)
        #expect(refError { try restore(unknown) }?.fault == .missing)
        #expect(refError { try restore(name) }?.fault == .conflict)
        func rename(_ old: RefName, _ new: RefName) -> RefError? {
            refError { _ = try repository.rename(old, to: new, in: state, by: writer) }
        }
        #expect(rename(unknown, name)?.fault == .missing)
        #expect(rename(name, other)?.fault == .conflict)
        #expect(rename(name, name)?.fault == .usage)
        #expect(rename(name, try RefName("features/a"))?.fault == .refused)
        // All or none.
        #expect(refError { try delete(name, unknown) }?.fault == .missing)
        #expect(try repository.state().number == state.number)
    }

    @Test("a rename is one entry that removes the old name and adds the new one")
    func rename() throws {
        let one = try put("one")
        _ = try repository.rename(name, to: other, in: try repository.state(), by: writer)
        let entry = try repository.log.entry(try repository.state().number)
        #expect(
            entry.changes == [
                RefChange(name: name, old: one, new: nil),
                RefChange(name: other, old: nil, new: one),
            ])
        #expect(try LogVerifier(repository.log).verify().findings.isEmpty)
        // And back again: a name that was deleted is free.
        _ = try repository.rename(other, to: name, in: try repository.state(), by: writer)
        #expect(try repository.target("models/a") == one)
    }

    @Test("the target of a deleted ref is kept for the retention, and then cannot be restored")
    func retention() throws {
        let one = try put("one")
        _ = try put("other", at: other)
        try delete(name)
        func collect(days: Int) throws {
            var options = CollectionOptions()
            (options.keep, options.keepLast) = (days * 86_400_000, 20)
            _ = try repository.collect(options, writer: writer)
        }
        clock.advance(seconds: 5 * 86_400)
        try collect(days: 6)
        try restore(name)
        #expect(try repository.target("models/a") == one)
        try delete(name)
        clock.advance(seconds: 5 * 86_400)
        try collect(days: 4)
        let deletion = try #require(try repository.state().deletion(of: name))
        let error = refError { try restore(name) }
        #expect(error == .notRestorable(name, deletion: deletion, snapshot: one))
        #expect(error?.fault == .missing)
        #expect(error?.message.contains("was collected since") == true)
        #expect(try repository.target("models/b") != nil)
    }

    // MARK: Undo

    private func undo(_ number: Int) throws {
        try commit { try repository.log.reversal(of: number, in: $0).updates }
    }

    @Test("a transaction can be undone when its ref is back where it moved it")
    func undoAfterRollback() throws {
        let one = try put("one")
        _ = try put("two")
        try commit { _ in [RefUpdate(name, new: one)] }
        try undo(1)
        #expect(try repository.target("models/a") == nil)
    }

    @Test("a refused undo names the transaction in the way, and what to do")
    func undoInTheWay() throws {
        let one = try put("one")
        let two = try put("two")
        let created = refError { try undo(1) }
        #expect(created?.fault == .conflict)
        #expect(
            created?.message
                == "transaction 1 cannot be undone: it moved models/a to \(one.short), and "
                + "transaction 2 moved it to \(two.short)")
        #expect(created?.remedy == "ftictl ref delete models/a")
        _ = try put("three")
        #expect(refError { try undo(2) }?.remedy == "ftictl move models/a \(one.short)")
        try undo(3)
        let again = refError { try undo(3) }
        #expect(
            again?.message
                == "transaction 3 was undone already: models/a is back at \(two.short) since "
                + "transaction 4")
        try delete(name)
        #expect(refError { try undo(2) }?.message.hasSuffix("transaction 5 deleted it") == true)
        try restore(name)
        #expect(refError { try undo(5) }?.message.contains("undone already") == true)
    }

    @Test("a ref that moved away and back is a conflict with an accurate message")
    func movedAndBack() throws {
        let one = try put("one")
        let transaction = try repository.begin(writer: writer)
        let two = try put("two")
        try commit { _ in [RefUpdate(name, new: one)] }
        let error = refError {
            _ = try transaction.commit([RefUpdate(name, expected: .exactly(one), new: two)])
        }
        #expect(error?.fault == .conflict)
        #expect(
            error?.message.hasPrefix("models/a was moved meanwhile, and is at \(one.short) again")
                == true)
    }
}
