import Artifacts
import Objects
import TestSupport
import Testing

@Suite("Rankers and their files")
struct RankerTests {
    private func ranker() throws -> Ranker {
        var ranker = Ranker.untrained(for: try BuiltinEmbedder().space)
        ranker.reference = ranker.weights
        ranker.weights[2] = 0.25
        ranker.scale[3] = 3
        ranker.retrieval.candidates = 50
        ranker.answering.threshold = 0.25
        return ranker
    }

    @Test("a ranker reads back from its files, with and without reference weights")
    func roundTrip() throws {
        var ranker = try ranker()
        let read = try Ranker(tensors: ranker.tensors, config: ranker.config)
        #expect(read == ranker)
        #expect(read.tensors == ranker.tensors && read.config == ranker.config)
        ranker.reference = nil
        #expect(try Ranker(tensors: ranker.tensors, config: ranker.config) == ranker)
    }

    @Test("the tensor file is a safetensors file with aligned tensors")
    func safetensors() throws {
        let bytes = try ranker().tensors
        let length = try Safetensors.headerLength(
            prefix: bytes.span.extracting(first: 8), fileSize: bytes.count)
        let file = try Safetensors(
            header: bytes.span.extracting(8..<8 + length), fileSize: bytes.count)
        #expect(
            file.tensors.map(\.name) == ["ranker.reference", "ranker.scale", "ranker.weights"])
        #expect(file.dataOffset.isMultiple(of: 8))
        #expect(file.tensors.allSatisfy { $0.type == .float32 })
    }

    @Test("truncated files and numbers that are not finite are refused")
    func cuts() throws {
        var ranker = try ranker()
        let (tensors, config) = (ranker.tensors, ranker.config)
        for count in 0..<tensors.count {
            let cut = Array(tensors[..<count])
            #expect(throws: ObjectError.self) { try Ranker(tensors: cut, config: config) }
        }
        for count in 0..<config.count {
            let cut = Array(config[..<count])
            #expect(throws: ObjectError.self) { try Ranker(tensors: tensors, config: cut) }
        }
        ranker.weights[0] = .nan
        #expect(throws: ObjectError.self) {
            try Ranker(tensors: ranker.tensors, config: ranker.config)
        }
    }

    @Test("a rule with numbers whose sums could overflow is refused")
    func hugeRule() throws {
        let changes: [(inout AnsweringRule) -> Void] = [
            { $0.threshold = -1e300 }, { $0.weights[3] = 1e300 }, { $0.baseline[0] = 1e10 },
        ]
        for change in changes {
            var ranker = try ranker()
            change(&ranker.answering)
            #expect(throws: ObjectError.self) {
                try Ranker(tensors: ranker.tensors, config: ranker.config)
            }
        }
    }

    @Test("changed bytes are refused or give a ranker of finite numbers")
    func changes() throws {
        let ranker = try ranker()
        var random = SeededGenerator(seed: 11)
        var accepted = 0
        for _ in 0..<300 {
            var (tensors, config) = (ranker.tensors, ranker.config)
            if random.next() % 2 == 0 {
                tensors[Int(random.next() % UInt64(tensors.count))] ^= UInt8(
                    1 << (random.next() % 8))
            } else {
                config[Int(random.next() % UInt64(config.count))] ^= UInt8(1 << (random.next() % 8))
            }
            if let read = try? Ranker(tensors: tensors, config: config) {
                accepted += 1
                #expect(read.factors.allSatisfy { $0.isFinite })
                #expect(RetrievalSettings.candidateRange.contains(read.retrieval.candidates))
            }
        }
        #expect(accepted > 0 && accepted < 300)
    }

    @Test("the untrained ranker ignores the scale and weighs only the signals of its mode")
    func untrained() throws {
        let space = try BuiltinEmbedder().space
        let scale = (0..<Signal.allCases.count).map { Float($0 + 1) }
        let plain = Ranker.untrained(for: space)
        let scaled = Ranker.untrained(for: space, scale: scale)
        for (one, other) in zip(plain.factors, scaled.factors) { #expect(abs(one - other) < 1e-5) }
        var settings = RetrievalSettings()
        settings.mode = .vector
        #expect(Ranker.untrained(for: space, retrieval: settings).weights[Signal.words.index] == 0)
        settings.mode = .lexical
        let lexical = plain.with(settings, space: space)
        #expect(lexical.weights[Signal.vector.index] == 0)
        #expect(lexical.answering == plain.answering)
    }

    @Test(
        "the best chunk of each section comes first; chunks beyond the limit per document come last"
    )
    func order() {
        func place(_ document: String, _ section: String) -> RowPlace {
            RowPlace(
                FeatureRow(
                    document: document, title: "", section: section, headings: [], ordinal: 0,
                    text: ""))
        }
        let places = [
            place("a", "1"), place("a", "1"), place("a", "2"), place("b", "1"), place("a", "3"),
        ]
        let scores: [Double] = [5, 4, 3, 2, 2]
        #expect(HybridRetrieval.order(scores, places: places, perDocument: 0) == [0, 2, 3, 4, 1])
        #expect(HybridRetrieval.order(scores, places: places, perDocument: 1) == [0, 3, 1, 2, 4])
    }

    @Test("the baseline of answering is what an unrelated question finds by chance")
    func answering() {
        var rule = AnsweringRule(isLexical: true)
        rule.calibrate([[0.2, 0.1, 0.3], [0.4, 0.3, 0.5], [0.3, 0.2, 0.4]], areEnglish: true)
        #expect(rule.baseline == [0.3, 0.2, 0])
        #expect(rule.score([0.3, 0.2, 0]) < rule.threshold)
        #expect(rule.score([0.9, 0.5, 0]) > rule.threshold)
        // A long question has a lower score.
        #expect(rule.score([0.4, 0.2, 1]) > rule.threshold)
        // With few documents chance finds nothing, yet a low score is still no answer.
        rule.calibrate([[0, 0, 0]], areEnglish: true)
        #expect(rule.baseline == [0.25, 0.12, 0])
        rule.calibrate([[0, 0, 0]], areEnglish: false)
        #expect(rule.baseline == [0, 0, 0])
        #expect(AnsweringRule.decoys.count == 40)
    }
}
