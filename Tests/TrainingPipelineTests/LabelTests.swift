import Artifacts
import Objects
import Testing

@testable import TrainingPipeline

@Suite("Labels")
struct LabelTests {
    private func keys(_ keys: [String]) throws -> FeatureKeys {
        let store = MemoryStore()
        let rows = keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }.map {
            TableRow(key: $0, attributes: JSONObject(), vector: [])
        }
        return try FeatureKeys.read(try Table.build(rows: rows, dimension: 0, in: store), in: store)
    }

    private func set(
        _ questions: String, _ preferences: String = "", _ keys: FeatureKeys
    ) throws -> TrainingSet {
        TrainingSet.build(
            questions: try LabelFile.questions(Array(questions.utf8), path: "q"),
            preferences: try LabelFile.preferences(Array(preferences.utf8), path: "p"),
            keys: keys, heldOut: HeldOut(TrainingConfiguration().split))
    }

    private func question(_ id: String, _ documents: String...) -> String {
        let answers = documents.map { #"{"document":"\#($0)","section":"s"}"# }
        return #"{"id":"\#(id)","question":"why?","answers":[\#(answers.joined(separator: ","))]}"#
            + "\n"
    }

    @Test("a label spells a path as the file system does, or as rows do if no file has that name")
    func spelling() throws {
        let keys = try keys([
            "100%25/x.md#s/00", "a.md#s/00", "c%23/intro.md#s/00", "c%2523/intro.md#s/00",
            "f%23/y.md#s/00",
        ])
        for (document, row) in [
            ("100%/x.md", 0), ("a.md", 1), ("c#/intro.md", 2), ("c%23/intro.md", 3),
            ("f#/y.md", 4), ("f%23/y.md", 4),
        ] {
            let set = try set(question("q", document), "", keys)
            #expect(set.questions.first?.rows == [row] && set.missing.isEmpty, "\(document)")
        }
        let preference =
            #"{"id":"p","question":"why?","chosen":{"document":"c#/intro.md","section":"s"},"rejected":{"document":"100%/x.md","section":"s"}}"#
        let found = try set("", preference, keys).preferences
        #expect(found.first?.chosen == [2] && found.first?.rejected == [0])
    }

    @Test("a question without words is refused, with its line")
    func wordless() throws {
        #expect(throws: TrainingError.self) {
            try LabelFile.questions(
                Array(#"{"id":"a","question":"?!","answers":[]}"#.utf8), path: "q")
        }
    }

    @Test("labels that name something the features lack are reported one by one")
    func missing() throws {
        let keys = try keys(["a.md#s/00", "b.md#s/00"])
        let preference =
            #"{"id":"p","question":"why?","chosen":{"document":"a.md","section":"s"},"rejected":{"document":"a.md","section":"s"}}"#
        let set = try set(
            question("q1", "a.md", "c#.md") + question("q2", "d.md", "e.md")
                + question("q3", "b.md"),
            preference, keys)
        #expect(set.questions.map(\.id) == ["q1", "q3"] && set.unresolvedQuestions == 1)
        #expect(
            set.missing.map(\.text) == [
                "question q1: c#.md#s (its other answers are used)", "question q2: d.md#s",
                "question q2: e.md#s", "preference p: a.md#s is both chosen and rejected",
            ])
        let many = (0..<25).map { _ in set.missing[1] }
        #expect(MissingLabel.lines(many).count == 11)
        #expect(MissingLabel.lines(many).last == "and 15 more; --json lists all")
    }

    @Test("a split without examples has no file, and labels tell where each example went")
    func files() throws {
        func files(_ heldOut: [Bool]) -> [String: String] {
            var files = SplitFiles()
            for (index, isHeldOut) in heldOut.enumerated() {
                files.append(["e": .integer(index)], ["id": "i"], isHeldOut: isHeldOut)
            }
            return Dictionary(
                uniqueKeysWithValues: files.files(title: "T").map {
                    ($0.name, String(decoding: $0.bytes, as: UTF8.self))
                })
        }
        let both = files([false, true, false])
        #expect(
            both.keys.sorted() == [
                "README.md", "heldout.jsonl", "labels.jsonl", "train.jsonl",
            ])
        #expect(both["train.jsonl"] == "{\"e\":0}\n{\"e\":2}\n")
        #expect(
            both["labels.jsonl"]
                == "{\"id\":\"i\",\"index\":0,\"split\":\"train\"}\n"
                + "{\"id\":\"i\",\"index\":0,\"split\":\"test\"}\n"
                + "{\"id\":\"i\",\"index\":1,\"split\":\"train\"}\n")
        let one = files([true])
        #expect(one.keys.sorted() == ["README.md", "heldout.jsonl", "labels.jsonl"])
        #expect(one["README.md"]?.contains("train") == false)
        #expect(files([])["README.md"]?.contains("configs") == false)
    }
}
