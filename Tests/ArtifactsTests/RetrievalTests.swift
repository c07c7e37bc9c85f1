import Artifacts
import Objects
import Testing

@Suite struct RetrievalTests {
    @Test("results of parallel work keep their order")
    func parallel() {
        for threads in [1, 2, 5] {
            let squares: [Int] = Threads.map(100, threads: threads) { $0 * $0 }
            let expected: [Int] = (0..<100).map { $0 * $0 }
            #expect(squares == expected)
        }
        #expect(Threads.map(0, threads: 2) { $0 } == [])
    }

    @Test(
        "forms of a word have one stem",
        arguments: [
            ("valve", "valves"), ("calibrate", "calibrating"), ("mount", "mounted"),
            ("Pump", "PUMPS"),
        ])
    func stems(one: String, other: String) {
        #expect(Words(one).stemHash(of: 0) == Words(other).stemHash(of: 0))
    }

    @Test(
        "different words have different stems",
        arguments: [
            ("glass", "glas"), ("ring", "r"), ("bus", "but"), ("probe", "prove"),
        ])
    func differentStems(one: String, other: String) {
        #expect(Words(one).stemHash(of: 0) != Words(other).stemHash(of: 0))
    }

    @Test("features of a hand-made question have the values of their definitions")
    func features() throws {
        let rows = [
            passage("a.md", ["Frost", "Frost alarm"], "The frost alarm rings at three degrees."),
            passage("a.md", ["Frost"], "Heating."),
            passage("b.md", [], ""),
        ]
        var counter = LexicalStatistics.Counter()
        for row in rows { counter.add(row) }
        let statistics = counter.finish()
        #expect(statistics.rows == 3)
        #expect(statistics.meanWords == 8.0 / 3)
        let question = QuestionText("When does the frost alarm ring?", statistics: statistics)
        let features = CandidateFeatures(question, passages: rows, cosines: [0.5, 0.25, 0.125])
        func value(_ feature: PolicyFeature, _ row: Int) -> Double {
            features.values[row * CandidateFeatures.columns + feature.index]
        }
        #expect(value(.cosine, 0) == 0.5)
        #expect(value(.document, 0) == 0.375 && value(.document, 1) == 0.375)
        #expect(value(.document, 2) == 0.125)
        #expect(value(.text, 0) == 1 && value(.text, 1) == 0 && value(.text, 2) == 0)
        #expect(value(.focus, 0) == 1 && value(.focus, 1) == 1)
        #expect(value(.pairs, 0) == 1)
        #expect(value(.proximity, 0) == 1)
        #expect(value(.rarest, 0) == 1 && value(.rarest, 2) == 0)
        #expect(value(.heading, 0) > value(.heading, 1) && value(.heading, 1) > 0)
        #expect(value(.opening, 0) == 1)
        #expect(value(.length, 2) == 0)
        let none = CandidateFeatures(
            QuestionText("of the", statistics: statistics), passages: rows, cosines: [0, 0, 0])
        #expect(none.values.allSatisfy { $0.isFinite })
    }

    @Test("a policy ranks by score and keeps the order of equals")
    func rank() throws {
        let rows = [
            passage("a.md", [], "Something else."), passage("b.md", [], "Frost alarm."),
            passage("c.md", [], "Frost alarm."),
        ]
        var counter = LexicalStatistics.Counter()
        for row in rows { counter.add(row) }
        let space = try BuiltinEmbedder().space.id
        let base = RetrievalPolicy.base(statistics: counter.finish(), space: space)
        let candidates = [0, 1, 2].map {
            VectorMatch(row: 10 + $0, similarity: 0.5 - 0.1 * Float($0))
        }
        let before = CandidateRetrieval(policy: base).rank("frost", candidates, passages: rows)
        #expect(before.map(\.row) == [10, 11, 12])
        var trained = base
        trained.weights[PolicyFeature.cosine.index] = 0
        trained.weights[PolicyFeature.text.index] = 1
        let after = CandidateRetrieval(policy: trained).rank("frost", candidates, passages: rows)
        #expect(after.map(\.row) == [11, 12, 10])
    }

    private func passage(_ document: String, _ headings: [String], _ text: String) -> PassageText {
        PassageText(
            FeatureRow(
                document: document, title: "Title", section: "s", headings: headings, ordinal: 0,
                text: text))
    }
}
