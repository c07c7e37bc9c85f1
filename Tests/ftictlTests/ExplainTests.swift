import Artifacts
import Foundation
import Objects
import Refs
import TestSupport
import Testing

/// `ftictl explain` on records of answers as the inference service writes them.
@Suite("Explaining an answer")
struct ExplainTests {
    private let sandbox: Sandbox
    private let repository: Repository

    init() throws {
        sandbox = try Sandbox.withRepository()
        repository = try Repository(opening: sandbox.path(".fti"))
        try sandbox.write(
            "features.yaml",
            """
            ref: features/prod
            sources:
              - files: docs
            chunk: {size: 300, overlap: 0}
            embed: {dimension: 64}
            """)
        try sandbox.write("docs/frost.md", "# Frost\n\nThe frost alarm rings at 2 degrees.\n")
        try sandbox.write("docs/pumps.md", "# Pumps\n\nA dry pump stops after ten seconds.\n")
        try sandbox.write("docs/doors.md", "# Doors\n\nThe door opens at noon.\n")
        try sandbox.write("model", "weights")
        #expect(try sandbox.ftictl("put", "models/llm", "model").status == 0)
        try makeFeatures()
        try release()
    }

    private func makeFeatures() throws {
        let outcome = try sandbox.run(
            Project.executable("fti-feature"), ["run", "features.yaml"])
        #expect(outcome.status == 0, "\(outcome.error)")
    }

    private func release(_ options: String...) throws {
        let outcome = try sandbox.ftictl(
            [
                "release", "releases/prod", "--features", "features/prod", "--generator",
                "models/llm",
            ] + options)
        #expect(outcome.status == 0, "\(outcome.error)")
    }

    /// The record of an answer from what `releases/prod` names.
    private func record(
        _ question: String = "When does the frost alarm ring?", citing documents: String...
    ) throws -> AnswerRecord {
        let state = try repository.state()
        let objects = try repository.objects(in: state)
        let release = try #require(state.target(of: try RefName("releases/prod")))
        let roles = try Release(of: try Snapshot(release, in: objects), in: objects).roles
        let features = try Snapshot(roles.features, in: objects)
        var rows: [FeatureRow] = []
        var cursor = TableCursor(try #require(features.content.table), in: objects)
        while let row = try cursor.next() {
            rows.append(try FeatureRow(attributes: row.attributes))
        }
        let passages = documents.compactMap { name in rows.first { $0.document == name } }
            .enumerated().map { place, row in
                AnswerRecord.Passage(
                    row, number: place + 1, score: 3.5 - Double(place), similarity: 0.5,
                    vectorRank: place + 1, wordsRank: nil)
            }
        #expect(passages.count == documents.count)
        var retrieval = RetrievalSettings()
        retrieval.k = 2
        return AnswerRecord(
            id: "ans-" + String(repeating: "0a", count: 16), replica: "web-1",
            time: Writer.systemClock(), question: question, isAnswered: true,
            answer: "At 2 degrees. [1]", isVerified: false, citations: .init(shown: [1]),
            passages: passages,
            prompt: .init(id: Prompt.builtin.id, messages: [ChatMessage(.user, question)]),
            generator: .openAI(model: "llm", snapshot: roles.generator),
            versions: .init(
                release: release, features: roles.features, space: features.space,
                transaction: state.number, repository: state.repositoryID.hex),
            retrieval: retrieval)
    }

    @discardableResult
    private func write(_ object: JSONObject, to name: String = "answer.json") throws -> String {
        try sandbox.write(name, JSON.object(object).canonicalText)
        return name
    }

    private func explain(_ record: AnswerRecord, _ arguments: String...) throws -> Outcome {
        try sandbox.ftictl(["explain", try write(record.json), "--json"] + arguments)
    }

    private func verdicts(_ explanation: [String: Any], _ member: String) throws -> [String: String]
    {
        let items = try #require(explanation[member] as? [[String: Any]])
        return Dictionary(
            items.map {
                (
                    $0["role"] as? String ?? $0["document"] as? String ?? "",
                    $0["verdict"] as? String ?? ""
                )
            }, uniquingKeysWith: { first, _ in first })
    }

    @Test("an answer from what is in production is as stored, down to its source documents")
    func current() throws {
        let record = try record(citing: "frost.md", "doors.md")
        let outcome = try explain(record)
        #expect(outcome.status == 0, "\(outcome.error)")
        let explanation = try outcome.object()
        #expect(explanation["matches"] as? Bool == true && explanation["here"] as? Bool == true)
        #expect(
            try verdicts(explanation, "versions")
                == Dictionary(
                    uniqueKeysWithValues: ["release", "features", "generator", "space", "prompt"]
                        .map { ($0, "as stored") }))
        #expect(
            try verdicts(explanation, "passages")
                == ["frost.md": "as stored", "doors.md": "as stored"])
        let passage = try #require((explanation["passages"] as? [[String: Any]])?.first)
        let document = Array("# Frost\n\nThe frost alarm rings at 2 degrees.\n".utf8)
        #expect(passage["digest"] as? String == ObjectID(of: document.span).hex)
        #expect(passage["since"] as? String == record.versions.features.hex)
        #expect(passage["cited"] as? Bool == true)
        let text = try sandbox.ftictl("explain", "answer.json")
        for part in [
            record.id, "When does the frost alarm ring?", "At 2 degrees. [1]", "releases/prod",
            "cited  as stored", "rank by vector 1, by words none", "fti-feature",
            "retrieved now from releases/prod", "not verified",
        ] {
            #expect(text.output.contains(part), "\(part)")
        }
    }

    @Test("the order of a reranker is not called a difference: ftictl cannot run it")
    func reranked() throws {
        var record = try record(citing: "doors.md", "frost.md")
        try sandbox.write("reranker/config.json", #"{"model_type": "bert"}"#)
        try sandbox.write("reranker/model.safetensors", "weights")
        #expect(try sandbox.ftictl("put", "models/reranker", "reranker").status == 0)
        try release("--reranker", "models/reranker")
        let state = try repository.state()
        let model = try #require(state.target(of: try RefName("models/reranker")))
        record.versions.release = state.target(of: try RefName("releases/prod"))
        record.rerank = .init(model: model, candidates: 50)
        for index in record.passages.indices { record.passages[index].rerank = 1.25 }
        let explanation = try explain(record).object()
        #expect(explanation["matches"] as? Bool == true)
        #expect(try verdicts(explanation, "versions")["reranker"] == "as stored")
        let now = try #require(explanation["now"] as? [String: Any])
        #expect(now["passages"] is NSNull && now["reranker"] as? String == model.hex)
        let text = try sandbox.ftictl("explain", "answer.json").output
        for part in [
            "reranked 1.25", "is made by the reranker \(model.short), which ftictl cannot run",
            "try: fti-inference ask QUESTION --release",
        ] {
            #expect(text.contains(part), "\(part)")
        }
        // Features that no release binds are reordered by the answer's reranker.
        let features = try explain(record, "--against", "features/prod")
        #expect(features.output.contains("--features features/prod --reranker \(model.short)"))
        // A record without a reranker is not from this release.
        record.rerank = nil
        let other = try explain(record).object()
        #expect(try verdicts(other, "versions")["release"] == "differs")
    }

    @Test("what production retrieves now shows new, gone, moved and changed passages")
    func now() throws {
        let record = try record(citing: "doors.md", "frost.md")
        try sandbox.write("docs/frost.md", "# Frost\n\nThe frost alarm rings at 4 degrees.\n")
        try sandbox.write(
            "docs/alarm.md", "# Frost alarm\n\nWhen frost comes, the frost alarm does ring.\n")
        try makeFeatures()
        try release()
        let outcome = try explain(record, "--against", "releases/prod")
        #expect(outcome.status == 0, "\(outcome.error)")
        let explanation = try outcome.object()
        // The answer is judged by what it was made from.
        #expect(explanation["matches"] as? Bool == true)
        let now = try #require(explanation["now"] as? [String: Any])
        #expect(now["against"] as? String == "releases/prod" && now["release"] is String)
        #expect(now["reason"] is NSNull)
        let hits = try #require(now["passages"] as? [[String: Any]])
        #expect(Set(hits.map { $0["document"] as? String }) == ["alarm.md", "frost.md"])
        for hit in hits {
            let isNew = hit["document"] as? String == "alarm.md"
            #expect(hit["before"] as? Int == (isNew ? nil : 2))
            #expect(hit["changed"] as? Bool == !isNew)
        }
        let gone = try #require(now["gone"] as? [[String: Any]])
        #expect(gone.map { $0["key"] as? String } == ["doors.md#doors/00"])
        let text = try sandbox.ftictl("explain", "answer.json").output
        #expect(text.contains("new") && text.contains("gone") && text.contains("text changed"))
        #expect(text.contains("features/prod@{1}"))
        // The release before it still retrieves what the answer had.
        let before = try explain(record, "--against", "releases/prod~1").object()["now"]
        let old = try #require((before as? [String: Any])?["passages"] as? [[String: Any]])
        #expect(old.contains { $0["document"] as? String == "frost.md" })
    }

    @Test("the ref that the record names, and its condition, decide what is retrieved")
    func recordedRef() throws {
        var record = try record(citing: "frost.md")
        record.condition = "document = 'pumps.md'"
        var object = record.json
        object["ref"] = "releases/prod"
        let outcome = try sandbox.ftictl("explain", try write(object), "--json")
        let now = try #require(try outcome.object()["now"] as? [String: Any])
        #expect(now["against"] as? String == "releases/prod")
        let hits = try #require(now["passages"] as? [[String: Any]])
        #expect(hits.map { $0["document"] as? String } == ["pumps.md"])
        object["ref"] = "releases/none"
        let gone = try sandbox.ftictl("explain", try write(object), "--json")
        #expect(gone.status == 0)
        #expect((try gone.object()["now"] as? [String: Any])?["reason"] is String)
        object["where"] = "nonsense ="
        object["ref"] = nil
        let broken = try sandbox.ftictl("explain", try write(object), "--json")
        #expect((try broken.object()["now"] as? [String: Any])?["reason"] is String)
    }

    @Test("without a release and without models/current, the untrained ranker is named")
    func untrained() throws {
        var object = try record(citing: "frost.md").json
        object["release"] = .null
        let text = try sandbox.ftictl("explain", try write(object)).output
        #expect(text.contains("retrieved now from features/prod with the untrained ranker"))
        #expect(!text.contains("models/current"))
    }

    @Test("what differs from the repository is named, and the exit code is 1")
    func differences() throws {
        let good = try record(citing: "frost.md", "doors.md")
        func differences(_ change: (inout AnswerRecord) throws -> Void) throws -> [String: String] {
            var record = good
            try change(&record)
            let outcome = try explain(record)
            #expect(outcome.status == 1)
            let explanation = try outcome.object()
            #expect(explanation["matches"] as? Bool == false)
            return try verdicts(explanation, "versions")
                .merging(try verdicts(explanation, "passages")) { first, _ in first }
                .filter { $0.value != "as stored" }
        }
        #expect(
            try differences { $0.passages[0].text = "The frost alarm never rings." }
                == ["frost.md": "differs"])
        #expect(try differences { $0.passages[1].key += "0" } == ["doors.md": "differs"])
        #expect(
            try differences { $0.prompt?.id = Prompt(systemText: "Obey.").id }
                == ["prompt": "differs"])
        #expect(
            try differences { $0.versions.ranker = $0.versions.features }
                == ["ranker": "differs", "release": "differs"])
        try sandbox.write("docs/doors.md", "# Doors\n\nThe door is closed.\n")
        try makeFeatures()
        let features = try #require(
            try repository.state().target(of: try RefName("features/prod")))
        let other = try differences { $0.versions.features = features }
        #expect(other == ["release": "differs", "doors.md": "differs"])
        let text = try sandbox.ftictl("explain", "answer.json")
        #expect(text.status == 1 && text.output.contains("it binds another features"))
        #expect(text.output.contains("differs: text"))
    }

    @Test("the prompt of the release is recognised in both of its forms")
    func prompts() throws {
        try sandbox.write("prompt.txt", "Be brief.")
        try sandbox.write("prompt.json", #"{"system": "Be kind.", "version": 1, "type": "prompt"}"#)
        let ids = [
            ("prompt.txt", Prompt(systemText: "Be brief.").id),
            (
                "prompt.json",
                try Prompt(
                    decoding: Array(#"{"type":"prompt","version":1,"system":"Be kind."}"#.utf8)
                ).id
            ),
        ]
        for (name, id) in ids {
            let released = try sandbox.ftictl(
                "release", "releases/prod", "--from", "releases/prod", "--prompt", name)
            #expect(released.status == 0, "\(released.error)")
            var record = try record(citing: "frost.md")
            #expect(try explain(record).status == 1)
            record.prompt?.id = id
            #expect(try explain(record).status == 0)
        }
    }

    @Test("versions that were collected, or never were here, are no differences")
    func collected() throws {
        let record = try record(citing: "frost.md")
        for ref in ["features/prod", "releases/prod"] {
            #expect(try sandbox.ftictl("rm", ref).status == 0)
        }
        let collected = try sandbox.ftictl(
            "gc", "--keep", "0s", "--keep-last", "1", "--grace", "0s")
        #expect(collected.status == 0, "\(collected.error)")
        let explanation = try explain(record).object()
        let versions = try verdicts(explanation, "versions")
        #expect(versions["features"] == "collected" && versions["release"] == "collected")
        #expect(versions["generator"] == "as stored")
        #expect(try verdicts(explanation, "passages") == ["frost.md": "collected"])
        #expect(explanation["matches"] as? Bool == true)
        #expect((explanation["now"] as? [String: Any])?["reason"] is String)
        #expect(try sandbox.ftictl("init", "other.fti").status == 0)
        let elsewhere = try sandbox.ftictl(
            "--repo", "other.fti", "explain", "answer.json", "--json")
        #expect(elsewhere.status == 0 && elsewhere.error.contains("another repository"))
        let other = try elsewhere.object()
        #expect(other["here"] as? Bool == false)
        #expect(Set(try verdicts(other, "versions").values) == ["missing"])
        #expect(
            try sandbox.ftictl("explain", "answer.json").output.contains(
                "When does the frost alarm ring?"))
    }

    @Test("a chat completion, a line of feedback and standard input carry records")
    func forms() throws {
        let record = try record(citing: "frost.md")
        var completion = JSONObject()
        completion["object"] = "chat.completion"
        completion["fti"] = .object(record.json)
        let feedback = Feedback(
            id: Feedback.makeID { UInt64.random(in: .min ... .max) }, time: record.time,
            answerID: record.id, answer: record, rating: .bad)
        for object in [completion, feedback.json] {
            let outcome = try sandbox.ftictl("explain", try write(object), "--json")
            #expect(outcome.status == 0, "\(outcome.error)")
            #expect(
                (try outcome.object()["answer"] as? [String: Any])?["id"] as? String == record.id)
        }
        try write(record.json)
        let piped = try sandbox.shell("$FTICTL explain - --json < answer.json")
        #expect(piped.status == 0 && piped.output.contains(record.id))
        var lone = feedback
        lone.answer = nil
        for text in [
            "", "[]", "{}", "{\"type\":\"answer\"}", "{\"fti\":{}}",
            JSON.object(lone.json).canonicalText,
            JSON.object(record.json).canonicalText.replacing("ans-", with: "x"),
        ] {
            try sandbox.write("bad.json", text)
            let outcome = try sandbox.ftictl("explain", "bad.json")
            #expect(outcome.status == 64, "\(text.prefix(40)): \(outcome.error)")
            #expect(outcome.error.contains("no record of an answer"))
        }
        let nothing = try sandbox.shell("$FTICTL explain - < bad.json")
        #expect(nothing.error.contains("standard input has no record of an answer"))
        #expect(try sandbox.ftictl("explain", "none.json").status == 74)
        #expect(try explain(record, "--against", "models/llm").status == 64)
        #expect(try explain(record, "--against", "releases/none").status == 2)
    }

    @Test("texts of a record that a terminal would interpret are shown as text")
    func hostileText() throws {
        var record = try record(citing: "frost.md")
        let payload = "\u{1B}]0;owned\u{07}\u{202E}"
        record.question += payload
        record.answer += payload
        record.replica = payload
        record.passages[0].key = payload
        record.passages[0].headings = [payload]
        record.generator = .openAI(model: payload)
        let outcome = try sandbox.ftictl("explain", try write(record.json))
        #expect(outcome.status == 1)
        #expect(!outcome.output.contains("\u{1B}") && !outcome.output.contains("\u{202E}"))
        #expect(!outcome.output.contains("\u{07}"))
    }

    @Test("vectors of a service are left to the program that can call it")
    func service() throws {
        let record = try record(citing: "frost.md")
        var space = try BuiltinEmbedder(dimension: 64).space
        space.embedder = EmbeddingSpace.serviceName
        space.version = "minilm"
        let transaction = try repository.begin(
            writer: Writer(name: "ada@test"), moving: [try RefName("features/service")])
        var features = try Snapshot(record.versions.features, in: transaction.objects)
        features.space = try transaction.objects.write(space.encoded, hint: .structured)
        features.parents = []
        let id = try transaction.objects.write(features.encoded, hint: .structured)
        _ = try transaction.commit([RefUpdate(try RefName("features/service"), new: id)])
        let outcome = try explain(record, "--against", "features/service")
        #expect(outcome.status == 0, "\(outcome.error)")
        let now = try #require(try outcome.object()["now"] as? [String: Any])
        #expect((now["reason"] as? String)?.contains("embedding service") == true)
        #expect((now["remedy"] as? String)?.contains("fti-inference ask") == true)
    }
}
