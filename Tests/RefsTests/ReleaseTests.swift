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
        _ features: ObjectID, _ model: ObjectID?, reranker: ObjectID? = nil,
        generator: ObjectID? = nil,
        prompt text: String? = nil, _ form: Release.Prompt.Form = .text, canary: String? = nil
    ) throws -> ObjectID {
        let transaction = try repository.begin(writer: testWriter())
        func store(_ text: String) throws -> ObjectID {
            try transaction.objects.write(Array(text.utf8), hint: .bulk)
        }
        let release = try transaction.bind(
            Release.Roles(
                features: features, ranker: model, reranker: reranker, generator: generator,
                prompt: try text.map { Release.Prompt(form, try store($0)) },
                canary: try canary.map(store)))
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
            #expect(found.roles.features == features && found.roles.ranker == model)
            #expect(found.space == ObjectID(of: Array("one".utf8).span))
            #expect(
                found.roles.prompt
                    == prompt.map { .init(.text, ObjectID(of: Array($0.utf8).span)) })
            #expect(found.rankerFeatures == features && found.roles.generator == nil)
        }
    }

    @Test("every role reads back, and resolves as an input or a file")
    func roles() throws {
        let features = try repository.put("features/prod", Version(.features, "f", space: "one"))
        let ranker = try repository.put("models/a", Version(.model, "m", space: "one"))
        let reranker = try repository.put("models/reranker", Self.crossEncoder)
        let generator = try repository.put("models/llm", Version(.model, "llm"))
        let id = try release(
            features, ranker, reranker: reranker, generator: generator, prompt: "{}", .template,
            canary: "[]")
        let found = try read(id)
        #expect(
            found.roles
                == Release.Roles(
                    features: features, ranker: ranker, reranker: reranker,
                    generator: generator,
                    prompt: .init(.template, ObjectID(of: Array("{}".utf8).span)),
                    canary: ObjectID(of: Array("[]".utf8).span)))
        let resolver = Resolver(repository, state: try repository.state(), now: epoch)
        for (revision, target) in [
            ("releases/prod^features", features), ("releases/prod^model", ranker),
            ("releases/prod^reranker", reranker), ("releases/prod^generator", generator),
        ] {
            #expect(try resolver.snapshot(try Revision(revision)) == target)
        }
        for name in ["prompt.json", "canary.json"] {
            _ = try resolver.resolve("releases/prod:\(name)")
        }
        let pins = try repository.pins(of: [("releases/prod", id)], in: try repository.state())
        #expect(
            pins.map(\.revision) == [
                "releases/prod", "releases/prod^features", "releases/prod^model",
                "releases/prod^reranker", "releases/prod^generator",
            ])
    }

    @Test("a generator needs no ranker, brings no space, and may not be a ranker itself")
    func generators() throws {
        let features = try repository.put("features/prod", Version(.features, "f", space: "one"))
        let ranker = try repository.put(
            "models/a",
            Version(
                .model, "m", space: "one", files: ["config.json": Array(#"{"type":"ranker"}"#.utf8)]
            ))
        let generator = try repository.put("models/llm", Version(.model, "llm", space: "two"))
        let found = try read(try release(features, nil, generator: generator))
        #expect(found.roles.ranker == nil && found.roles.generator == generator)
        #expect(found.space == ObjectID(of: Array("one".utf8).span))
        let objects = try repository.objects(in: try repository.state())
        #expect(try found.cautions(in: objects).isEmpty)
        for (first, second) in [(nil, ranker), (ranker, ranker), (nil, features), (nil, nil)]
            as [(ObjectID?, ObjectID?)]
        {
            let error = refError { try release(features, first, generator: second) }
            #expect(error?.fault == .refused)
        }
    }

    /// A model with the files of a cross-encoder.
    private static let crossEncoder = Version(
        .model, "cross-encoder",
        files: [
            "config.json": Array(#"{"model_type":"bert"}"#.utf8), "model.safetensors": [1],
        ])

    @Test("a reranker has the files of a model, and is no ranker")
    func rerankers() throws {
        let features = try repository.put("features/prod", Version(.features, "f", space: "one"))
        let ranker = try repository.put("models/a", Version(.model, "m", space: "one"))
        let reranker = try repository.put("models/reranker", Self.crossEncoder)
        let found = try read(try release(features, ranker, reranker: reranker))
        #expect(found.roles.reranker == reranker)
        #expect(found.space == ObjectID(of: Array("one".utf8).span))
        let config = Array(#"{"type":"ranker"}"#.utf8)
        let ours = try repository.put(
            "models/ours",
            Version(
                .model, "r", space: "one",
                files: ["config.json": config, "model.safetensors": [1]]))
        let plain = try repository.put("models/plain", Version(.model, "plain"))
        let weightless = try repository.put(
            "models/weightless",
            Version(.model, "w", files: ["config.json": Array("{}".utf8)]))
        for (wrong, part) in [
            (ours, "is a ranker"), (plain, "has no config.json"),
            (weightless, "has no model.safetensors"), (features, "not a model snapshot"),
        ] {
            let error = refError { try release(features, ranker, reranker: wrong) }
            #expect(error?.fault == .refused && error?.remedy != nil)
            #expect(error?.message.contains(part) == true, "\(error?.message ?? "")")
        }
        // A reranker reorders what a ranker finds: it neither answers nor ranks alone.
        #expect(refError { try release(features, nil, reranker: reranker) }?.fault == .refused)
    }

    @Test("gates on releases reach each role, and gates on spaces compare the features'")
    func gates() throws {
        let gated = try GatedRepository(
            #"{"ref":"releases/*","type":"evidence","requires":["inputs.generator"]}"#,
            #"{"ref":"releases/*","type":"input","path":"generator","ancestorOf":"models/llm"}"#,
            #"{"ref":"releases/*","type":"space","with":"features/prod"}"#)
        let repository = gated.repository
        let features = try repository.put("features/prod", Version(.features, "f", space: "one"))
        let ranker = try repository.put("models/a", Version(.model, "m", space: "one"))
        let llm = try repository.put("models/llm", Version(.model, "llm", space: "two"))
        let other = try repository.put("models/other", Version(.model, "other"))
        func refusals(_ inputs: [String: ObjectID]) throws -> [String] {
            let transaction = try repository.begin(writer: testWriter())
            let id = try Version(.release, "r", inputs: inputs, space: "one")
                .write(into: transaction.objects)
            do throws(RefError) {
                _ = try transaction.commit([RefUpdate(try RefName("releases/prod"), new: id)])
                return []
            } catch {
                guard case .gates(let outcomes) = error else { throw error }
                return outcomes.map(\.gate.condition.type)
            }
        }
        #expect(
            try refusals(["features": features, "model": ranker]) == ["evidence", "input"])
        #expect(
            try refusals(["features": features, "model": ranker, "generator": other])
                == ["input"])
        #expect(try refusals(["features": features, "generator": llm]).isEmpty)
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
            let release = try Release(
                Release.Roles(features: features, ranker: model), in: objects)
            #expect(try release.rankerPrecedesFeatures(in: objects) == precedes)
        }
    }

    @Test("a releases ref points only at releases that fit")
    func admission() throws {
        let features = try repository.put("features/prod", Version(.features, "f", space: "one"))
        let model = try repository.put("models/a", Version(.model, "m", space: "two"))
        let both = ["features": features, "model": model]
        let other = try repository.put("models/b", Version(.model, "n", space: "one"))
        let fitting = ["features": features, "model": other]
        for version in [
            Version(.release, "nothing"), Version(.release, "half", inputs: ["model": model]),
            Version(.release, "two spaces", inputs: both, space: "one"),
            Version(.release, "swapped", inputs: ["features": model, "model": features]),
            Version(.release, "no model", inputs: ["features": features], space: "one"),
            Version(
                .release, "two prompts", inputs: fitting, space: "one",
                files: ["prompt.txt": [0x61], "prompt.json": [0x7B, 0x7D]]),
        ] {
            let error = refError { try repository.put("releases/a", version) }
            switch error {
            case .misfit, .notARelease: break
            default:
                Issue.record("\(version.text): \(error?.message ?? "admitted")")
            }
        }
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
