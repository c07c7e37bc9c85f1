import Artifacts
import Objects
import TestSupport
import Testing

@Suite("Records of answers and lines of feedback")
struct FeedbackTests {
    private static let hex = String(repeating: "0123456789abcdef", count: 4)
    private static let answerID = "ans-0123456789abcdef0123456789abcdef"

    /// A record as another writer might spell it, with members that this version does not know.
    static let recordText = """
        {"type": "answer", "version": 1, "id": "\(answerID)", "replica": "b", "new": {"a": 1},
         "time": "2026-08-01T09:30:00.000Z", "question": "And in brick?",
         "asked": "What size holes do I drill in brick?",
         "conversation": [{"role": "user", "content": "How do I mount it?", "name": "x"},
                          {"role": "assistant", "content": "With screws."}],
         "answered": true, "answer": "Drill 6 mm holes. [1]", "verified": false,
         "citations": {"shown": [1], "removed": 2},
         "passages": [{"number": 1, "key": "m.md#holes/00", "document": "m.md", "title": "Mounting",
             "section": "holes", "headings": ["Mounting", "Holes"], "url": "https://x/m", "text": "T",
             "score": 27.5, "similarity": 0.25, "vectorRank": 3, "wordsRank": null,
             "attributes": {"ordinal": 0, "chapter": "install"}, "colour": 1}],
         "prompt": {"id": "\(hex)", "messages": [{"role": "system", "content": "Answer."}]},
         "generator": {"kind": "openai", "model": "m", "snapshot": null, "ending": "length",
             "promptTokens": 5, "replyTokens": null},
         "release": "\(hex)", "features": "\(hex)", "ranker": null, "space": "\(hex)",
         "transaction": 7, "repository": "\(hex.prefix(32))", "where": "chapter = 'install'",
         "retrieval": {"mode": "hybrid", "candidates": 50, "k": 4, "perDocument": 0}}
        """

    private func record() throws -> JSONObject {
        try #require(try JSON(parsing: Array(Self.recordText.utf8).span).object)
    }

    @Test("a record says how passages were reranked, and records without that are read as before")
    func reranked() throws {
        let plain = try AnswerRecord(parsing: Array(Self.recordText.utf8))
        #expect(plain.rerank == nil && plain.passages[0].rerank == nil)
        #expect(plain.json["rerank"] == nil && plain.passages[0].json["rerank"] == nil)
        var reranked = plain
        let model = try #require(ObjectID(hex: Self.hex))
        reranked.rerank = .init(model: model, candidates: 50)
        reranked.passages[0].rerank = -3.5
        #expect(
            reranked.json["rerank"] == ["model": .string(Self.hex), "candidates": .integer(50)])
        #expect(try AnswerRecord(reranked.json) == reranked)
        for (value, path) in [
            (JSON.string("x"), "rerank"), (["model": "x", "candidates": 1], "rerank.model"),
            (["model": .string(Self.hex)], "rerank.candidates"),
        ] {
            var object = reranked.json
            object["rerank"] = value
            let error = #expect(throws: JSONSchemaError.self) { try AnswerRecord(object) }
            #expect(error?.path == path)
        }
    }

    private func line() throws -> JSONObject {
        let line: JSON = [
            "type": "feedback", "version": 1, "id": "fb-0123456789abcdef0123456789abcdef",
            "time": "2026-08-02T23:59:59.999Z", "answerId": .string(Self.answerID),
            "answer": .object(try record()), "rating": "bad", "better": "6 mm.",
            "passage": "m.md#holes/00", "comment": .null, "from": "web", "later": [1],
        ]
        return try #require(line.object)
    }

    @Test("a record is read with all its members, and further members are ignored")
    func reading() throws {
        let answer = try AnswerRecord(parsing: Array(Self.recordText.utf8))
        let id = try #require(ObjectID(hex: Self.hex))
        #expect(answer.searched == "What size holes do I drill in brick?")
        #expect(answer.conversation.map(\.role) == [.user, .assistant])
        #expect(answer.citations == Citations(shown: [1], removed: 2))
        #expect(
            answer.generator
                == .openAI(model: "m", snapshot: nil, ending: .length, promptTokens: 5))
        #expect(answer.prompt?.messages == [ChatMessage(.system, "Answer.")])
        #expect(
            answer.versions
                == AnswerRecord.Versions(
                    release: id, features: id, space: id, transaction: 7,
                    repository: String(Self.hex.prefix(32))))
        let passage = try #require(answer.passages.first)
        #expect(passage.vectorRank == 3 && passage.wordsRank == nil)
        #expect(passage.attributes == JSONObject([("chapter", "install"), ("ordinal", 0)]))
        #expect(answer.retrieval.k == 4 && answer.condition == "chapter = 'install'")
        #expect(!answer.isVerified && answer.isAnswered)
    }

    @Test("writing and reading keep every value, also where most are missing")
    func roundTrip() throws {
        var answer = try AnswerRecord(parsing: Array(Self.recordText.utf8))
        #expect(try AnswerRecord(answer.json) == answer)
        answer.asked = nil
        answer.conversation = []
        answer.prompt = nil
        answer.generator = .extractive
        answer.versions.release = nil
        answer.versions.space = nil
        answer.condition = nil
        answer.passages[0].url = nil
        #expect(try AnswerRecord(answer.json) == answer)
        #expect(answer.json["asked"] == nil && answer.json["conversation"] == nil)
        #expect(answer.json["prompt"] == .null && answer.json["where"] == .null)
        #expect(answer.json["generator"] == ["kind": "extractive"])

        let feedback = try Feedback(try line())
        #expect(try Feedback(parsing: feedback.line) == feedback)
        #expect(!feedback.line.contains(0x0A))
        let least = Feedback(
            id: feedback.id, time: feedback.time, answerID: feedback.answerID)
        #expect(try Feedback(parsing: least.line) == least)
        #expect(
            least.json.keys == [
                "answer", "answerId", "better", "comment", "from", "id", "passage", "rating",
                "time", "type", "version",
            ])
    }

    @Test("a passage takes its parts from its row, and keeps the row's other attributes")
    func passage() {
        let row = FeatureRow(
            document: "m.md", title: "Mounting", section: "holes", headings: ["Mounting", "Holes"],
            ordinal: 2, text: "T", page: 4,
            metadata: JSONObject([("url", "https://x/m"), ("chapter", "install")]))
        let passage = AnswerRecord.Passage(row, number: 1, score: 2, similarity: 0.5, wordsRank: 1)
        #expect(passage.key == "m.md#holes/02" && passage.url == "https://x/m")
        #expect(
            passage.attributes
                == JSONObject([("chapter", "install"), ("ordinal", 2), ("page", 4)]))
    }

    @Test("identities have 32 hexadecimal digits")
    func names() throws {
        var generator = SeededGenerator(seed: 1)
        let id = Feedback.makeID { generator.next() }
        #expect(Feedback.isID(id) && !AnswerRecord.isID(id))
        #expect(Feedback.makeID { generator.next() } != id)
        for text in ["", "fb-", id + "0", String(id.dropLast()), id.uppercased(), "fb-" + "é"] {
            #expect(!Feedback.isID(text), "\(text)")
        }
    }

    @Test("every needed member is missed by name, and a value of another type is refused")
    func strict() throws {
        let values: [JSON] = [true, 1.5, -1, "x", ["x"], ["x": 1]]
        func check(
            _ object: JSONObject, optional: Set<String>, path: String,
            _ read: (JSONObject) throws -> Void
        ) throws {
            try read(object)
            for key in object.keys where key != "new" && key != "later" && key != "colour" {
                var other = object
                other[key] = nil
                if optional.contains(key) {
                    try read(other)
                    other[key] = .null
                    try read(other)
                } else {
                    let error = try #require(throws: JSONSchemaError.self) { try read(other) }
                    #expect(error.path == path + key && error.reason == "is missing")
                }
                // No member takes values of all these types.
                let refusals = values.count { value in
                    other[key] = value
                    return (try? read(other)) == nil
                }
                #expect(refusals >= values.count - 2, "\(key)")
            }
        }
        let record = try record()
        try check(
            record,
            optional: ["asked", "conversation", "prompt", "release", "ranker", "space", "where"],
            path: ""
        ) { _ = try AnswerRecord($0) }
        let passage = try #require(record["passages"]?.array?.first?.object)
        try check(
            passage, optional: ["url", "vectorRank", "wordsRank", "attributes"],
            path: "answer.passages[0]."
        ) {
            var inner = record
            inner["passages"] = [.object($0)]
            _ = try AnswerRecord(inner, path: "answer")
        }
        try check(
            try line(), optional: ["answer", "rating", "better", "passage", "comment", "from"],
            path: ""
        ) { _ = try Feedback($0) }
    }

    @Test("a line about another answer than the one it holds is refused")
    func otherAnswer() throws {
        var line = try line()
        line["answerId"] = "ans-ffffffffffffffffffffffffffffffff"
        let error = try #require(throws: JSONSchemaError.self) { try Feedback(line) }
        #expect(error.path == "answerId")
        line = try self.line()
        line["version"] = 2
        #expect(throws: JSONSchemaError.self) { try Feedback(line) }
    }

    @Test("hostile lines are refused: half, deep, wide, of other bytes")
    func hostile() throws {
        let whole = try Feedback(try line()).line
        for end in stride(from: 0, to: whole.count, by: 7) {
            #expect(throws: JSONSchemaError.self) { try Feedback(parsing: Array(whole[..<end])) }
        }
        let deep = Array(repeating: UInt8(ascii: "["), count: 1 << 20)
        #expect(throws: JSONSchemaError.self) { try Feedback(parsing: deep) }
        let wide = Array("[".utf8) + Array(repeating: UInt8(ascii: ","), count: 1 << 20)
        #expect(throws: JSONSchemaError.self) { try Feedback(parsing: wide) }
        let question = Array("And in brick?".utf8)
        let at = try #require(whole.indices.first { whole[$0...].starts(with: question) })
        var invalid = whole
        invalid[at] = 0xFF
        #expect(throws: JSONSchemaError.self) { try Feedback(parsing: invalid) }
        #expect(throws: JSONSchemaError.self) { try Feedback(parsing: Array("null".utf8)) }
    }

    @Test("a line with random changes is refused, or read and written without loss")
    func randomChanges() throws {
        var generator = SeededGenerator(seed: 11)
        let whole = try Feedback(try line()).line
        let bytes = Array("\"{}[]:,\\0123456789-eaftnu".utf8)
        var accepted = 0
        for _ in 0..<3000 {
            var changed = whole
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                let at = Int.random(in: changed.indices, using: &generator)
                switch Int.random(in: 0..<3, using: &generator) {
                case 0: changed.remove(at: at)
                case 1: changed[at] = UInt8.random(in: .min ... .max, using: &generator)
                default: changed[at] = bytes.randomElement(using: &generator) ?? 0
                }
            }
            guard let feedback = try? Feedback(parsing: changed) else { continue }
            accepted += 1
            #expect(try Feedback(parsing: feedback.line) == feedback)
        }
        #expect(accepted > 100 && accepted < 2900)
    }
}
