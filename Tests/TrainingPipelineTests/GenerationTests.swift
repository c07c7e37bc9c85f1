import Artifacts
import Foundation
import ModelServices
import Objects
import Refs
import Storage
import TestSupport
import Testing

@testable import TrainingPipeline

@Suite("Examples by a language model")
struct GenerationTests {
    private let folder: TemporaryDirectory
    private let service: StandInGenerator

    init() throws {
        folder = try TemporaryDirectory()
        service = try StandInGenerator()
    }

    /// Ten documents of a section with two chunks each.
    private static func rows(changing changed: Int? = nil) -> [FeatureRow] {
        (0..<20).map { number in
            let (document, part) = (number / 2, number % 2)
            let place = ["cellar", "attic", "garden", "kitchen", "garage"][document % 5]
            let more = number == changed ? " Call the fitter first." : ""
            return FeatureRow(
                document: "d\(document).md", title: "Valve \(document)", section: "use",
                headings: ["Use"], ordinal: part,
                text:
                    "Valve \(document) part \(part) waters the \(place) every \(number + 2) hours.\(more)"
            )
        }
    }

    private func settings(_ change: (inout GenerationSettings) -> Void = { _ in })
        -> GenerationSettings
    {
        var settings = GenerationSettings(url: service.url, model: service.model)
        settings.atOnce = 2
        settings.retries = 0
        settings.timeout = 20
        change(&settings)
        return settings
    }

    private func configuration(_ settings: GenerationSettings) -> TrainingConfiguration {
        var configuration = TrainingConfiguration()
        configuration.generate = settings
        configuration.supervised.epochs = 1
        configuration.preference.epochs = 0
        configuration.retrieval.candidates = 10
        return configuration
    }

    private func run(
        _ repository: Repository, _ configuration: TrainingConfiguration, keeping: String? = nil,
        announcing: (String) -> Void = { _ in }
    ) throws -> TrainingReport {
        let settings = try #require(configuration.generate)
        var endpoint = ServiceEndpoint(try ServiceAddress(settings.url, of: .chat))
        endpoint.retries = settings.retries
        let chat = ChatService(settings.model, at: endpoint)
        return try TrainingRun(
            repository: repository, configuration: configuration, writer: Handbook.writer,
            version: "0", threads: 2,
            generation: .init(
                by: ExampleModel(chat, at: endpoint.address.description), keeping: keeping)
        ).run(announcing: announcing)
    }

    private func lines(_ name: String, of id: ObjectID, in repository: Repository) throws -> [JSON]
    {
        let objects = try repository.objects(in: try repository.state())
        let tree = try Snapshot(id, in: objects).content.id
        guard let entry = try TreeReader(objects).entry(at: RelativePath(name), in: tree) else {
            return []
        }
        return try objects.read(entry.id, limit: 1 << 24).split(separator: 0x0A)
            .map { try JSON(parsing: Array($0).span) }
    }

    @Test("each section is asked about once, and every example names its rows and the model")
    func examples() throws {
        let repository = try Handbook.repository(of: Self.rows())
        var announced: [String] = []
        let report = try run(repository, configuration(settings())) { announced.append($0) }
        #expect(try service.count("requests") == 10)
        #expect(announced.count == 1 && announced[0].contains("10 requests"))
        let generation = try #require(report.generation)
        #expect(generation.asked == 10 && generation.known == 0 && generation.units == 10)
        #expect(generation.examples == 20 && generation.pairs == 20)
        #expect(report.json["generation"]?["examples"]?.integer == 20)

        let request = try service.lastRequest()
        #expect(request["temperature"] as? Double == 0 && request["seed"] == nil)
        let labels = try lines("labels.jsonl", of: report.supervisedDataset, in: repository)
        #expect(labels.count == 20)
        for label in labels {
            #expect(label["made"]?["model"]?.string == "stand-in")
            #expect(label["made"]?["url"]?.string == "\(service.url)/chat/completions")
            #expect(label["made"]?["request"]?.string?.count == 64)
            let rows = (label["rows"]?.array ?? []).compactMap(\.string)
            #expect(rows.count == 2 && rows.first?.hasSuffix("#use/00") == true)
        }
        let pairs = try lines("train.jsonl", of: report.preferenceDataset, in: repository)
        #expect(!pairs.isEmpty && pairs.count + report.json.heldOutPairs(labels) == 20)

        let state = try repository.state()
        let objects = try repository.objects(in: state)
        let name = try RefName("datasets/generated")
        let replies = try #require(state.target(of: name))
        #expect(try Snapshot(replies, in: objects).content.table?.rows == 10)
        let dataset = try Snapshot(report.supervisedDataset, in: objects)
        #expect(dataset.inputs["generated"] == replies)
        #expect(dataset.params["generate"]?["model"] == "stand-in")
        #expect(dataset.metrics["generated"] == 20)
        // What a model made never counts as labels of people.
        let model = try Snapshot(report.model, in: objects)
        #expect(report.isGenerated && report.questions.heldOut > 0)
        #expect(
            !model.metrics.isEmpty && model.metrics.keys.allSatisfy { $0.hasPrefix("generated.") })
    }

    @Test("a second run asks nothing; a changed chunk asks only for its section")
    func again() throws {
        let repository = try Handbook.repository(of: Self.rows())
        let configuration = configuration(settings())
        let first = try run(repository, configuration)
        let second = try run(repository, configuration)
        #expect(try service.count("requests") == 10)
        #expect(second.transaction == nil && second.supervisedDataset == first.supervisedDataset)
        #expect(second.generation?.known == 10 && second.generation?.asked == 0)

        try Handbook.replaceFeatures(of: repository, with: Self.rows(changing: 7))
        let third = try run(repository, configuration)
        #expect(try service.count("requests") == 11)
        #expect(third.generation?.asked == 1 && third.generation?.known == 9)
        let made = try lines("labels.jsonl", of: third.supervisedDataset, in: repository)
        let old = try lines("labels.jsonl", of: first.supervisedDataset, in: repository)
        func requests(_ labels: [JSON]) -> Set<String> {
            Set(labels.compactMap { $0["made"]?["request"]?.string })
        }
        #expect(requests(made).subtracting(requests(old)).count == 1)
        // Another question to the model is another request.
        var other = configuration
        other.generate?.unit = .chunk
        _ = try run(repository, other)
        #expect(try service.count("requests") == 11 + 20)
    }

    @Test("a limit bounds the requests, keeps the replies, and says how many sections are left")
    func limit() throws {
        let repository = try Handbook.repository(of: Self.rows())
        let configuration = configuration(settings { $0.requestLimit = 4 })
        for (round, left) in [(1, 6), (2, 2)] {
            let error = #expect(throws: TrainingError.self) {
                _ = try run(repository, configuration)
            }
            guard case .unfinished(4, left, .section)? = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            #expect(
                error?.fault == .refused && error?.message.contains("\(left) sections left") == true
            )
            #expect(try service.count("requests") == 4 * round)
        }
        #expect(
            try repository.state().refs.keys.map(\.text).sorted() == [
                "datasets/generated", "features/prod",
            ])
        #expect(try run(repository, configuration).generation?.asked == 2)
        #expect(try service.count("requests") == 10)
        var none = configuration
        none.generate?.requestLimit = 0
        #expect(try run(repository, none).transaction == nil)
    }

    @Test("people's labels stay the measure: generated examples then only train the language model")
    func labels() throws {
        let repository = try Handbook.repository(of: Self.rows())
        var configuration = configuration(settings())
        configuration.split.heldOut = 0.5
        configuration.questions = try folder.write(
            "q.jsonl",
            (0..<8).map {
                #"{"id":"q\#($0)","question":"How often does valve \#($0) water the plants?","answers":[{"document":"d\#($0).md","section":"use"}]}"#
            }.joined(separator: "\n"))
        let report = try run(repository, configuration)
        #expect(report.questions.training + report.questions.heldOut == 8)
        #expect(!report.isGenerated)
        let labels = try lines("labels.jsonl", of: report.supervisedDataset, in: repository)
        #expect(labels.count == 28)
        #expect(labels.allSatisfy { $0["made"] == nil || $0["split"] == "train" })
    }

    @Test("hostile replies are kept, counted and asked for once")
    func hostile() throws {
        let long = "Valve seven waters the cellar every nine hours."
        let replies = [
            "I'm sorry, I cannot help.", "Here you go: nothing",
            String(repeating: "[", count: 5000),
            "```json\n{\"examples\": [{\"question\": \"How often does it water the cellar?\", "
                + "\"answer\": \"Every nine hours.\"}]}\n```",
            #"{"question":"Who paints gates in autumn?","answer":"Purple elephants dance merrily tonight."}"#,
        ]
        let rows = replies.enumerated().map { index, reply in
            FeatureRow(
                document: "h\(index).md", title: "H", section: "s", headings: ["H"], ordinal: 0,
                text: "\(long)\nREPLY64 \(Data(reply.utf8).base64EncodedString())")
        }
        let repository = try Handbook.repository(of: rows)
        let report = try run(repository, configuration(settings()))
        let generation = try #require(report.generation)
        #expect(generation.examples == 1 && generation.pairs == 0)
        #expect(generation.leftOut == [.refusal: 1, .notJSON: 2, .notGrounded: 1, .noWorse: 1])
        #expect(report.lines.contains { $0.contains("left out: 2 a reply without JSON") })
        _ = try run(repository, configuration(settings()))
        #expect(try service.count("requests") == 5)
    }

    @Test("a failed request is repeated by the next run; a service that always fails ends this one")
    func failures() throws {
        let repository = try Handbook.repository(of: Self.rows())
        let configuration = configuration(settings { $0.atOnce = 1 })
        try service.behave(#"{"mode":"empty","every":5}"#)
        let report = try run(repository, configuration)
        #expect(report.generation?.failed == 2 && report.generation?.asked == 8)
        #expect(report.lines.contains { $0.contains("failed: 2") })
        try service.behave("{}")
        #expect(try run(repository, configuration).generation?.asked == 2)
        #expect(try service.count("requests") == 12)

        try Handbook.replaceFeatures(
            of: repository, with: (0..<30).map { Self.rows()[0].renamed("new\($0).md") })
        try service.behave(#"{"mode":"refuse","status":500,"beyond":14}"#)
        let error = #expect(throws: TrainingError.self) { _ = try run(repository, configuration) }
        #expect(error?.fault == .io && error?.remedy?.contains("next run") == true)
        #expect(try service.count("requests") == 12 + 2 + 8)
        try service.behave(#"{"mode":"refuse","status":401}"#)
        #expect(throws: TrainingError.self) { _ = try run(repository, configuration) }
        #expect(try service.count("requests") == 22 + 8)
        try service.behave("{}")
        #expect(try run(repository, configuration).generation?.known == 2)
    }

    @Test("other instructions are sent, and make other requests")
    func instructions() throws {
        let repository = try Handbook.repository(of: Self.rows())
        var configuration = configuration(
            settings {
                $0.unit = .document
                $0.seed = 11
                $0.questions = 1
            })
        configuration.generate?.prompt = try folder.write(
            "p.txt", "You write test questions, {{questions}} of them.")
        configuration.prompt = try folder.write(
            "prompt.json", #"{"type":"prompt","version":1,"system":"Be brief."}"#)
        let report = try run(repository, configuration)
        #expect(report.generation?.examples == 10)
        let request = try service.lastRequest()
        #expect(request["seed"] as? Int == 11)
        let messages = try #require(request["messages"] as? [[String: Any]])
        #expect(messages[0]["content"] as? String == "You write test questions, 1 of them.")
        #expect((messages[1]["content"] as? String)?.hasPrefix("<text>\nDocument: Valve") == true)
        let example = try #require(
            try lines("train.jsonl", of: report.supervisedDataset, in: repository).first)
        let rendered = try #require(example["messages"]?.array)
        #expect(rendered.first?["content"] == "Be brief.")
        #expect(rendered.last?["content"]?.string?.hasSuffix("]") == true)
    }

    @Test("a killed run loses only what was in flight")
    func killed() throws {
        let path = folder("repo")
        let repository = try Repository.create(at: path, writer: Handbook.writer)
        try Handbook.replaceFeatures(of: repository, with: Self.rows())
        let config = try folder.write(
            "training.yaml",
            """
            repo: \(path)
            generate: {url: "\(service.url)", model: stand-in, atOnce: 2, retries: 0, timeout: 1m}
            retrieval: {candidates: 10}
            sft: {epochs: 1}
            dpo: {epochs: 0}
            """)
        func start(_ more: String...) throws -> ChildProcess {
            try ChildProcess(
                Project.executables.appending(path: "fti-training").path, ["run", config] + more,
                environment: [
                    "PATH": "/usr/bin:/bin", "HOME": folder.path, "FTI_AUTHOR": "test",
                    "XDG_CACHE_HOME": try folder.makeDirectory("cache"),
                ])
        }
        try service.behave(#"{"mode":"hang","beyond":5}"#)
        let first = try start()
        try service.wait(for: "requests", toBe: 7)
        try service.wait(for: "completed", toBe: 5)
        // The replies have left the service; the process keeps each as it arrives.
        usleep(500_000)
        first.kill()
        #expect(try first.finish().status != 0)
        try service.behave("{}")
        let limited = try start("--max-requests", "2", "--json").finish()
        #expect(limited.status == 4, "\(limited.error)")
        #expect(try limited.errorObject()["left"] as? Int == 3)
        #expect(try service.count("requests") == 7 + 2)
        let second = try start().finish()
        #expect(second.status == 0, "\(second.error)")
        #expect(try service.count("requests") == 7 + 5)
        #expect(second.error.contains("3 requests, one for each section; 7 are answered already"))
        let third = try start().finish()
        #expect(third.status == 0 && third.output.contains("requests: 0 sent, 10 answered before"))
        #expect(try service.count("requests") == 12)

        let training = Project.executables.appending(path: "fti-training").path
        func compare(_ evaluation: String) throws -> Outcome {
            try ChildProcess(
                training, ["overlap", "datasets/sft", evaluation, "--repo", path],
                environment: ["PATH": "/usr/bin:/bin", "HOME": folder.path]
            ).finish()
        }
        let apart = try compare("datasets/sft")
        #expect(apart.status == 0 && apart.output.hasPrefix("0 training examples in both"))
        // A dataset without a held-out file evaluates with all of its examples; here, the replies hold none.
        let replies = try compare("datasets/generated")
        #expect(replies.status == 4 && replies.error.contains("is not a dataset of examples"))
    }
}

extension FeatureRow {
    fileprivate func renamed(_ document: String) -> FeatureRow {
        var row = self
        row.document = document
        row.title = document
        return row
    }
}

extension JSONObject {
    /// The number of held-out labels.
    fileprivate func heldOutPairs(_ labels: [JSON]) -> Int {
        labels.count { $0["split"] == "test" }
    }
}
