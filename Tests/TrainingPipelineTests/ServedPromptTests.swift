import Artifacts
import Objects
import Refs
import Storage
import TestSupport
import Testing

@testable import TrainingPipeline

@Suite("Datasets in the prompt of the service")
struct ServedPromptTests {
    private let folder: TemporaryDirectory

    init() throws { folder = try TemporaryDirectory() }

    private static let drilling = "install/mounting.md#drilling-template/00"

    private func question(
        _ id: String, _ text: String, _ document: String, _ section: String, _ more: String = ""
    ) -> String {
        #"{"id":"\#(id)","question":"\#(text)","answers":[{"document":"\#(document)","section":"\#(section)"}]\#(more)}"#
    }

    private func run(
        prompt: String?, questions: [String], preferences: [String]? = nil, k: Int = 3
    ) throws -> (report: TrainingReport, files: [String: [JSON]], prompt: [UInt8]?) {
        var configuration = TrainingConfiguration()
        configuration.questions = try folder.write("q.jsonl", questions.joined(separator: "\n"))
        configuration.preferences = try folder.write(
            "p.jsonl", (preferences ?? []).joined(separator: "\n"))
        configuration.prompt = try prompt.map { try folder.write("prompt.json", $0) }
        configuration.split.heldOut = 0
        configuration.supervised.epochs = 1
        configuration.preference.epochs = 1
        configuration.retrieval.k = k
        configuration.retrieval.candidates = 20
        let repository = try Handbook.repository()
        let report = try TrainingRun(
            repository: repository, configuration: configuration, writer: Handbook.writer,
            version: "0", threads: 2
        ).run()
        let objects = try repository.objects(in: try repository.state())
        func bytes(_ name: String, _ id: ObjectID) throws -> [UInt8]? {
            let tree = try Snapshot(id, in: objects).content.id
            let entry = try TreeReader(objects).entry(at: RelativePath(name), in: tree)
            return try entry.map { try objects.read($0.id, limit: 1 << 24) }
        }
        var files: [String: [JSON]] = [:]
        for (name, id) in [
            ("sft", report.supervisedDataset), ("dpo", report.preferenceDataset),
        ] {
            for file in ["train", "labels"] {
                files["\(name)/\(file)"] = try bytes("\(file).jsonl", id)?.split(separator: 0x0A)
                    .map { try JSON(parsing: Array($0).span) }
            }
            let params = try Snapshot(id, in: objects).params
            let stored = try bytes("prompt.json", id)
            #expect(stored.map { ObjectID(of: $0.span).hex } == params["prompt"]?.string)
        }
        return (report, files, try bytes("prompt.json", report.supervisedDataset))
    }

    private static let prompt =
        #"{"type":"prompt","version":1,"system":"Be brief.","question":"Q: {{question}}"}"#

    private var labels: [String] {
        [
            question(
                "a", "What size holes do I drill in brick?", "install/mounting.md",
                "drilling-template"),
            question(
                "b", "How far apart are the holes?", "install/mounting.md", "drilling-template",
                #","answer":"Measure them on the template."}"#.replacing("}", with: "")),
        ]
    }

    @Test(
        "a question is rendered as the service asks it, with the labelled chunk among the passages")
    func renders() throws {
        let (_, files, stored) = try run(prompt: Self.prompt, questions: labels)
        let prompt = try Prompt(decoding: Array(Self.prompt.utf8))
        #expect(stored == prompt.encoded)
        let examples = try #require(files["sft/train"])
        #expect(examples.count == 2)
        for example in examples {
            let messages = try #require(example["messages"]?.array)
            #expect(messages.map { $0["role"]?.string } == ["system", "user", "assistant"])
            #expect(messages[0]["content"] == "Be brief.")
            let asked = try #require(messages[1]["content"]?.string)
            #expect(asked.hasPrefix("<passage 1>\n") && asked.contains("\nQ: "))
            #expect(asked.contains("6 mm"))
        }
        // A quoted chunk cites its passage; what a person wrote stays as it is.
        let quoted = try #require(examples[0]["messages"]?.array?[2]["content"]?.string)
        let number = try #require(quoted.split(separator: "[").last?.split(separator: "]").first)
        let asked = try #require(examples[0]["messages"]?.array?[1]["content"]?.string)
        let passage = try #require(
            asked.components(after: "<passage \(number)>")?.components(before: "</passage>"))
        #expect(passage.contains(quoted.prefix(40)))
        #expect(
            examples[1]["messages"]?.array?[2]["content"] == "Measure them on the template.")
        #expect(
            files["sft/labels"]?.first?["rows"]?.array?.map(\.string) == [Self.drilling])
    }

    @Test("without a prompt the question stays bare, and a written answer is used all the same")
    func bare() throws {
        let (_, files, stored) = try run(prompt: nil, questions: labels)
        #expect(stored == nil)
        let messages = try #require(files["sft/train"]?[1]["messages"]?.array)
        #expect(
            messages.map { $0["content"]?.string } == [
                "How far apart are the holes?", "Measure them on the template.",
            ])
    }

    @Test(
        "the chunk that answers is shown even if retrieval misses it, or the budget has room for one"
    )
    func keepsTheAnswer() throws {
        // The label contradicts what retrieval finds.
        let odd = question(
            "a", "What size holes do I drill in brick?", "start/overview.md", "what-the-system-does"
        )
        for budget in ["128", "2048"] {
            let prompt = Self.prompt.dropLast() + #","budget":{"context":\#(budget)}}"#
            let (_, files, _) = try run(prompt: String(prompt), questions: [odd], k: 2)
            let messages = try #require(files["sft/train"]?.first?["messages"]?.array)
            let asked = try #require(messages[1]["content"]?.string)
            let answer = try #require(messages[2]["content"]?.string)
            #expect(asked.contains("What the system does"))
            #expect(answer.hasSuffix(budget == "128" ? "[1]" : "[2]"))
        }
    }

    @Test("preferences may have texts, which need no second section")
    func texts() throws {
        let place = #"{"document":"install/mounting.md","section":"drilling-template"}"#
        let preferences = [
            #"{"id":"p1","question":"Which drill?","chosen":\#(place),"answer":"6 mm.","worse":"9 mm."}"#,
            #"{"id":"p2","question":"Which bit?","chosen":\#(place),"rejected":\#(place),"worse":"Any."}"#,
        ]
        let (report, files, _) = try run(
            prompt: Self.prompt, questions: labels, preferences: preferences)
        let pairs = try #require(files["dpo/train"])
        #expect(pairs.count == 2 && report.preferences.training == 2)
        #expect(pairs[0]["chosen"]?.array?.first?["content"] == "6 mm.")
        #expect(pairs[0]["rejected"]?.array?.first?["content"] == "9 mm.")
        #expect(pairs[0]["prompt"]?.array?.count == 2)
        #expect(pairs[1]["chosen"]?.array?.first?["content"]?.string?.contains("6 mm") == true)
        #expect(pairs[1]["rejected"]?.array?.first?["content"] == "Any.")
        #expect(report.missing.isEmpty)
        let error = #expect(throws: TrainingError.self) {
            _ = try run(
                prompt: nil, questions: labels,
                preferences: [#"{"id":"p","question":"Which?","chosen":\#(place)}"#])
        }
        #expect(error?.message.contains("rejected") == true)
        #expect(throws: TrainingError.self) {
            _ = try run(
                prompt: nil,
                questions: [
                    question(
                        "a", "Why?", "a.md", "b", #","answer":"..."}"#.replacing("}", with: ""))
                ])
        }
    }

    @Test("a prompt that is none is refused with its path")
    func broken() throws {
        let error = #expect(throws: TrainingError.self) {
            _ = try run(
                prompt: Self.prompt.replacing("{{question}}", with: "{{text}}"), questions: labels)
        }
        #expect(error?.fault == .usage)
        #expect(error?.message.contains("prompt.json") == true)
    }
}

extension String {
    fileprivate func components(after mark: String) -> String? {
        ranges(of: mark).first.map { String(self[$0.upperBound...]) }
    }

    fileprivate func components(before mark: String) -> String? {
        ranges(of: mark).first.map { String(self[..<$0.lowerBound]) }
    }
}
