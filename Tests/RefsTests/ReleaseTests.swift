import Objects
import Refs
import Storage
import Testing

@Suite("Releases")
struct ReleaseTests {
    private let repository: Repository

    init() throws {
        repository = try Repository.create(in: MemoryBucket(), writer: testWriter())
    }

    /// Binds two snapshots and moves releases/prod to the result.
    @discardableResult
    private func release(
        _ features: ObjectID, _ model: ObjectID, prompt text: String? = nil
    ) throws -> ObjectID {
        let transaction = try repository.begin(writer: testWriter())
        let release = try transaction.bind(
            features: features, model: model, prompt: text.map { Array($0.utf8) })
        return try transaction.publish(
            release, as: try RefName("releases/prod"), by: .init(pipeline: "test", version: "1"),
            created: epoch, description: nil, message: ""
        ).id
    }

    private func read(_ id: ObjectID) throws -> Release {
        let objects = try repository.objects(in: try repository.state())
        return try Release(of: try Snapshot(id, in: objects), in: objects)
    }

    @Test("a release reads back")
    func roundTrip() throws {
        let features = try repository.put("features/prod", Version(.features, "f", space: "one"))
        let model = try repository.put(
            "models/a", Version(.model, "m", inputs: ["features": features], space: "one"))
        for prompt in [nil, "Be brief."] {
            let id = try release(features, model, prompt: prompt)
            let found = try read(id)
            #expect(found.features == features && found.model == model)
            #expect(found.space == ObjectID(of: Array("one".utf8).span))
            #expect(found.prompt == prompt.map { ObjectID(of: Array($0.utf8).span) })
            #expect(found.modelFeatures == features)
        }
    }

    @Test("a space that only one part declares is the release's space")
    func oneSpace() throws {
        let features = try repository.put("features/prod", Version(.features, "f", space: "one"))
        let model = try repository.put("models/a", Version(.model, "m"))
        #expect(try read(try release(features, model)).space != nil)
        let plain = try repository.put("features/b", Version(.features, "plain"))
        #expect(try read(try release(plain, model)).space == nil)
    }

    @Test("parts of different spaces do not fit, and the error names features that would")
    func spaces() throws {
        let old = try repository.put("features/prod", Version(.features, "f", space: "one"))
        let dataset = try repository.put(
            "datasets/a", Version(.dataset, "d", inputs: ["features": old]))
        let model = try repository.put(
            "models/a", Version(.model, "m", inputs: ["dataset": dataset], space: "one"))
        let new = try repository.put("features/next", Version(.features, "g", space: "two"))
        let error = try #require(refError { try release(new, model) })
        #expect(error.fault == .refused)
        #expect(error.message.contains(new.short) && error.message.contains(model.short))
        #expect(error.remedy?.contains("--features \(old.short) --model \(model.short)") == true)
        #expect(try repository.target("releases/prod") == nil)
    }

    @Test("a part of another kind, or one that is not a snapshot, does not fit")
    func kinds() throws {
        let features = try repository.put("features/prod", Version(.features, "f"))
        let model = try repository.put("models/a", Version(.model, "m"))
        for (first, second) in [(model, features), (model, model), (features, features)] {
            guard case .misfit? = refError({ try release(first, second) }) else {
                Issue.record("\(first.short) and \(second.short) were bound")
                continue
            }
        }
        let objects = try repository.objects(in: try repository.state())
        let tree = try Snapshot(model, in: objects).content.id
        guard case .misfit? = refError({ try release(features, tree) }) else {
            Issue.record("a tree was bound as a model")
            return
        }
    }

    @Test("whether the model came from the release's features or earlier ones is known")
    func ancestry() throws {
        let first = try repository.put("features/prod", Version(.features, "1"))
        let second = try repository.put(
            "features/prod", Version(.features, "2", parents: [first]))
        let third = try repository.put(
            "features/prod", Version(.features, "3", parents: [second]))
        let dataset = try repository.put(
            "datasets/a", Version(.dataset, "d", inputs: ["features": second]))
        let model = try repository.put(
            "models/a", Version(.model, "m", inputs: ["dataset": dataset]))
        let objects = try repository.objects(in: try repository.state())
        for (features, precedes) in [(first, false), (second, true), (third, true)] {
            let release = try Release(features: features, model: model, in: objects)
            #expect(try release.modelPrecedesFeatures(in: objects) == precedes)
        }
    }

    @Test("a releases ref points only at releases that fit")
    func admission() throws {
        let features = try repository.put("features/prod", Version(.features, "f", space: "one"))
        let model = try repository.put("models/a", Version(.model, "m", space: "two"))
        let both = ["features": features, "model": model]
        for version in [
            Version(.release, "nothing"), Version(.release, "half", inputs: ["model": model]),
            Version(.release, "two spaces", inputs: both, space: "one"),
            Version(.release, "swapped", inputs: ["features": model, "model": features]),
        ] {
            let error = refError { try repository.put("releases/a", version) }
            guard case .misfit? = error else {
                Issue.record("\(version.text): \(error?.message ?? "admitted")")
                continue
            }
        }
        let other = try repository.put("models/b", Version(.model, "n", space: "one"))
        let fitting = ["features": features, "model": other]
        let unsaid = refError {
            try repository.put("releases/a", Version(.release, "no space", inputs: fitting))
        }
        guard case .misfit? = unsaid else {
            Issue.record("a release without the space of its parts was admitted")
            return
        }
        try repository.put("releases/a", Version(.release, "fits", inputs: fitting, space: "one"))
    }
}
