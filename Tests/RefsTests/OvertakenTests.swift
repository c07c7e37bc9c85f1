import Objects
import Refs
import Storage
import TestSupport
import Testing

@Suite("A race lost to a collection is a conflict")
struct OvertakenTests {
    /// A repository in which, after a state was read, `models/a` moved and its former target was collected.
    private func overtaken() throws -> (repository: Repository, state: State, old: ObjectID) {
        let bucket = MemoryBucket()
        let repository = try Repository.create(in: bucket, writer: testWriter())
        try repository.put("models/a", text: "1", writer: testWriter(seed: 2))
        try repository.put("models/b", text: "b", writer: testWriter(seed: 3))
        let state = try repository.state()
        let old = try #require(state.target(of: try RefName("models/a")))
        let other = Repository(in: bucket)
        try other.put("models/a", text: "2", writer: testWriter(seed: 4))
        _ = try collectAll(other)
        // Without the packs that the first process has open.
        return (Repository(in: bucket), state, old)
    }

    @Test("reading a ref's former target in order to write is a conflict once the ref has moved")
    func reading() throws {
        let (repository, state, old) = try overtaken()
        let resolver = Resolver(repository, state: state, now: epoch)
        let error = refError {
            try resolver.writing([]) {
                _ = try resolver.read(try resolver.resolve("models/a").id ?? old)
            }
        }
        guard case .conflict(let name, _, _, let transaction, _)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(name.text == "models/a")
        #expect(transaction == 3)
        #expect(error?.fault == .conflict)
    }

    @Test("an id that was named and then collected is missing, not a conflict")
    func named() throws {
        let (repository, state, old) = try overtaken()
        let resolver = Resolver(repository, state: state, now: epoch)
        let error = refError {
            try resolver.writing([try RefName("models/b")]) { _ = try resolver.read(old) }
        }
        #expect(error?.fault == .missing)
        let moved = refError {
            _ = try repository.begin(writer: testWriter(seed: 8)).commit([
                RefUpdate(try RefName("models/c"), new: old)
            ])
        }
        #expect(moved?.fault == .missing)
    }

    @Test(
        "a move to another ref's former target is at worst a conflict, whatever happens meanwhile"
    )
    func promotion() throws {
        let bucket = MemoryBucket()
        let repository = try Repository.create(in: bucket, writer: testWriter())
        try repository.put("models/a", text: "1", writer: testWriter(seed: 2))
        func promote(_ repository: Repository) throws {
            let state = try repository.state()
            let resolver = Resolver(repository, state: state, now: epoch)
            try resolver.writing([]) {
                let id = try resolver.snapshot(try Revision("models/a"))
                _ = try resolver.read(id)
                _ = try repository.begin(on: state, writer: testWriter(seed: 9)).commit([
                    RefUpdate(try RefName("models/c"), new: id)
                ])
            }
        }
        let counted = HookedBucket(try bucket.copy())
        try promote(Repository(in: counted))
        var conflicts = 0
        for call in 0..<counted.calls {
            let copy = try bucket.copy()
            let hooked = HookedBucket(copy)
            hooked.before(call) {
                let other = Repository(in: copy)
                try other.put("models/a", text: "2", writer: testWriter(seed: 4))
                _ = try collectAll(other)
            }
            if let error = refError({ try promote(Repository(in: hooked)) }) {
                #expect(error.fault == .conflict, "call \(call): \(error.message)")
                conflicts += 1
            }
            #expect(hooked.hasHappened, "call \(call)")
            try expectWhole(copy, "call \(call)")
        }
        #expect(conflicts > 0)
    }
}
