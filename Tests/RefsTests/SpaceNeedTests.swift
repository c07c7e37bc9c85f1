@testable import Maintenance
import Objects
import Refs
import Storage
import Testing

@Suite("The embedding spaces that rankers need")
struct SpaceNeedTests {
    private static let ranker = ["config.json": Array(#"{"type":"ranker"}"#.utf8)]

    private let gated: GatedRepository
    private let repository: Repository
    private let one: ObjectID
    private let two: ObjectID
    private let plain: ObjectID

    init() throws {
        gated = try GatedRepository()
        repository = gated.repository
        one = try repository.put("features/one", Version(.features, "1", space: "one"))
        two = try repository.put("features/two", Version(.features, "2", space: "two"))
        plain = try repository.put("features/plain", Version(.features, "no vectors"))
    }

    private func model(
        _ inputs: [String: ObjectID] = [:], space: String? = nil,
        files: [String: [UInt8]] = ranker
    ) throws -> ObjectID {
        try repository.put(
            "models/a",
            Version(
                .model, "\(UInt64.random(in: 0 ... .max))", inputs: inputs, space: space,
                files: files))
    }

    private func passes(_ model: ObjectID, beside features: ObjectID?) throws -> Bool {
        if let features { try repository.move(["features/prod": features]) }
        return try gated.refusals(["models/current": model]).isEmpty
    }

    private func releases(_ model: ObjectID, with features: ObjectID) throws -> Bool {
        let objects = try repository.objects(in: try repository.state())
        let error = refError {
            _ = try Release(
                .init(features: features, ranker: model), in: objects)
        }
        if let error { #expect(error.fault == .refused) }
        return error == nil
    }

    @Test("a ranker inherits the space of its features, or of its dataset's features")
    func inherited() throws {
        let dataset = try repository.put(
            "datasets/a", Version(.dataset, "d", inputs: ["features": one]))
        for inputs in [["features": one], ["dataset": dataset]] {
            let ranker = try model(inputs)
            #expect(try releases(ranker, with: one))
            #expect(try !releases(ranker, with: two))
            #expect(try releases(ranker, with: plain))
            #expect(try passes(ranker, beside: one))
        }
        let ranker = try model(["features": one])
        let objects = try repository.objects(in: try repository.state())
        #expect(
            try Release(.init(features: plain, ranker: ranker), in: objects).space
                == Snapshot(one, in: objects).space)
        let other = try model(["features": two])
        let refusal = try #require(try gated.refusals(["models/current": other]).first)
        #expect(refusal.remedy?.hasSuffix("\(two.short) features/prod") == true)
        #expect(try gated.refusals(["models/current": other, "features/prod": two]).isEmpty)
    }

    @Test("a ranker without a space fits no features with one until it is put with its features")
    func undeclared() throws {
        let ranker = try model()
        #expect(try passes(ranker, beside: nil))
        #expect(try passes(ranker, beside: plain))
        // Features with a space are refused beside it too.
        let refusal = try #require(try gated.refusals(["features/prod": one]).first)
        #expect(refusal.found.hasSuffix("models/current a ranker of no space"))
        let good = try model(["features": one])
        #expect(try gated.refusals(["features/prod": one, "models/current": good]).isEmpty)
        let back = try #require(try gated.refusals(["models/current": ranker]).first)
        #expect(back.found.hasPrefix("it is a ranker of no space"))
        #expect(back.remedy?.contains("--input features=REV") == true)
        #expect(try !releases(ranker, with: one))
        #expect(try releases(ranker, with: plain))
        #expect(try gated.refusals(["models/current": try model(["features": plain])]).count == 1)
    }

    @Test(
        "a model that generates or reranks needs no space",
        arguments: [
            [:], ["config.json": Array(#"{"type":"llama"}"#.utf8)],
            ["config.json": Array("{".utf8)], ["config.json": Array(#"["ranker"]"#.utf8)],
            ["weights/config.json": Array(#"{"type":"ranker"}"#.utf8)],
        ])
    func others(files: [String: [UInt8]]) throws {
        let generator = try model(["features": two], files: files)
        #expect(try passes(generator, beside: one))
        #expect(try releases(generator, with: one))
    }

    @Test("a space that a model declares counts, whatever it was made from")
    func declared() throws {
        let model = try model(["features": two], space: "one")
        #expect(try passes(model, beside: one))
        #expect(try releases(model, with: one))
        #expect(try !releases(model, with: two))
    }

    @Test("the space of an input is found by roles")
    func byRoles() throws {
        let dataset = try repository.put(
            "datasets/a", Version(.dataset, "d", inputs: ["features": one]))
        let id = try model(["dataset": dataset, "base": plain], files: [:])
        let objects = try repository.objects(in: try repository.state())
        let snapshot = try Snapshot(id, in: objects)
        let space = try Snapshot(one, in: objects).space
        for (path, expected) in [
            ("dataset.features", space), ("dataset", nil), ("base", nil), ("features", nil),
            ("", nil), ("dataset.features.x", nil),
        ] {
            #expect(try SpaceNeed.inherited(from: path, of: snapshot, in: objects) == expected)
        }
    }
}

@Suite("Refs with invalid targets")
struct MisdirectedRefTests {
    @Test(
        "readers refuse an invalid target, verify finds it, and it can be fixed",
        arguments: ["a features snapshot", "not a snapshot"])
    func misdirected(found: String) throws {
        let bucket = MemoryBucket()
        let writer = testWriter()
        let repository = try Repository.create(in: bucket, writer: writer)
        let model = try repository.put("models/a", Version(.model, "m"))
        try repository.put("features/a", Version(.features, "f", files: ["f": [1, 2, 3]]))
        let state = try repository.state()
        let wrong =
            found == "not a snapshot"
            ? ObjectID(of: [1, 2, 3].span) : try #require(try repository.target("features/a"))
        let name = try RefName("models/a")
        let entry = LogEntry(
            number: state.number + 1, previous: state.entryHash, base: state.number,
            time: state.time, writer: "mallory@test", message: "",
            nonce: RandomBits(from: { 5 }),
            actions: [.ref(name, old: model, new: wrong, since: state.lastTransaction(of: name))])
        #expect(try bucket.create(entryName(entry.number), entry.encoded) == .created)
        let now = try repository.state()
        let resolver = Resolver(repository, state: now, now: epoch)
        let expected = RefError.misdirected(name, wrong, found: found)
        for revision in ["models/a", "models/a@{now}", "models/a:f", "models/a^dataset"] {
            #expect(refError { _ = try resolver.resolve(revision) } == expected)
        }
        #expect(expected.fault == .damaged)
        #expect(try resolver.snapshot(try Revision("models/a@{1}")) == model)
        #expect(try resolver.resolve("features/a").snapshot != nil)
        let report = try RepositoryVerifier(repository).verify(full: false)
        #expect(report.findings.map(\.affects) == [["models/a"]])
        #expect(report.findings.first?.remedy == expected.remedy)
        _ = try repository.begin(writer: writer).commit([RefUpdate(name, new: model)])
        #expect(try RepositoryVerifier(repository).verify(full: false).isSound)
        // Once it is history, it does not stop a collection either.
        _ = try repository.collect(CollectionOptions(), writer: writer)
        _ = try collectAll(repository)
    }
}
