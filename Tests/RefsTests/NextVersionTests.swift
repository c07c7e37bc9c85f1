import Objects
import Storage
import Testing

@testable import Refs

/// The steps that every publishing command and pipeline shares.
@Suite struct NextVersionTests {
    private let repository: Repository
    private let name: RefName

    init() throws {
        repository = try Repository.create(in: MemoryBucket(), writer: testWriter())
        name = try RefName("models/a")
    }

    private func snapshot(
        _ text: String, message: String = "", metrics: [String: Double] = [:],
        created: Timestamp = epoch, in objects: ObjectWriter
    ) throws -> Snapshot {
        var builder = TreeBuilder()
        let id = try objects.write(Array(text.utf8), hint: .bulk)
        builder.add(try RelativePath("f"), size: text.utf8.count, id: id)
        return Snapshot(
            kind: .model, content: try builder.write(into: objects).content,
            producer: .init(pipeline: "test", version: "1"), metrics: metrics, created: created,
            message: message)
    }

    private func publish(
        _ text: String, message: String = "", metrics: [String: Double] = [:],
        created: Timestamp = epoch, incidental: Set<NextVersion.Member> = []
    ) throws -> (id: ObjectID, commit: Commit) {
        let transaction = try repository.begin(writer: testWriter())
        let version = try transaction.store(
            NextVersion(
                of: name,
                try snapshot(
                    text, message: message, metrics: metrics, created: created,
                    in: transaction.objects), incidental: incidental))
        return (version.id, try transaction.publish([version], message: message))
    }

    @Test("a version has the previous one as its parent, and is never dated before it")
    func order() throws {
        let later = try #require(Timestamp(milliseconds: epoch.milliseconds + 1000))
        let first = try publish("one", created: later)
        let second = try publish("two", created: epoch)
        let objects = try repository.objects(in: try repository.state())
        let read = try Snapshot(second.id, in: objects)
        #expect(read.parents == [first.id] && read.created == later)
        #expect(try Snapshot(first.id, in: objects).parents.isEmpty)
    }

    @Test("an unchanged version makes no entry; incidental fields do not count")
    func unchanged() throws {
        let first = try publish("one", message: "m", metrics: ["a": 1])
        let number = try repository.state().number
        let same = try publish("one", message: "m", metrics: ["a": 1])
        #expect(same.id == first.id && same.commit.isUnchanged)
        let unsaid = try publish("one", incidental: [.message, .metrics])
        #expect(unsaid.id == first.id && unsaid.commit.isUnchanged)
        #expect(try repository.state().number == number)
        #expect(try publish("one", message: "m", metrics: ["a": 2]).id != first.id)
        #expect(try publish("two", incidental: [.message, .metrics]).id != first.id)
    }

    @Test("a ref that moved since the transaction began is a conflict")
    func conflict() throws {
        let transaction = try repository.begin(writer: testWriter())
        let version = try transaction.store(
            NextVersion(of: name, try snapshot("mine", in: transaction.objects)))
        _ = try publish("theirs")
        #expect {
            try transaction.publish([version], message: "")
        } throws: { error in
            guard case RefError.conflict = error else { return false }
            return true
        }
    }
}
