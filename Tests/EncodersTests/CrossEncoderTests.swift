import Encoders
import Foundation
import Objects
import Testing

@Suite("Rerankers")
struct CrossEncoderTests {
    private static let passages = [
        "the pump starts when the soil is dry", "frost alarm", "", "a b c",
        "the valve, the valve, the valve, the valve, the valve, the valve, the valve, the valve",
    ]

    @Test("scores are the outputs of the model for each pair")
    func scores() throws {
        let folder = SampleModel.reranker()
        let encoder = try CrossEncoder(folder.model())
        let tokenizer = try WordPieceTokenizer(
            vocabulary: try #require(folder["vocab.txt"]), configuration: nil, specialTokens: nil)
        let heads: [(String, [Int])] = [
            ("bert.pooler.dense.weight", [SampleModel.width, SampleModel.width]),
            ("bert.pooler.dense.bias", [SampleModel.width]),
            ("classifier.weight", [1, SampleModel.width]), ("classifier.bias", [1]),
        ]
        let reference = ReferenceBert(
            SampleModel.tensors(SampleModel.shapes().map { ("bert.\($0)", $1) } + heads),
            prefix: "bert.")
        let question = "when is the soil dry"
        let scores = encoder.scores(of: Self.passages, for: question, threads: 2)
        for (passage, score) in zip(Self.passages, scores) {
            let pair = tokenizer.encode(question, passage, limit: SampleModel.positions)
            let rows = reference.vectors(
                pair.ids.map { Int($0) }, types: pair.types.map { Int($0) },
                layers: SampleModel.layers, heads: 4)
            let pooled = reference.dense([rows[0]], "bert.pooler.dense").map { $0.map(tanh) }
            let expected = reference.dense(pooled, "classifier")[0][0]
            #expect(abs(Double(score) - expected) < 2e-5, "\(passage)")
        }
        #expect(encoder.scores(of: [], for: question).isEmpty)
    }

    @Test("a model with several outputs, or with none, is refused")
    func refusals() throws {
        let several = try SampleModel.reranker(outputs: 3).model()
        let error = #expect(throws: EncoderError.self) { try CrossEncoder(several) }
        #expect(error?.message.contains("3 outputs") ?? false)
        let none = try SampleModel.embedder().model()
        let other = #expect(throws: EncoderError.self) { try CrossEncoder(none) }
        #expect(other?.message.contains("classifier") ?? false)
    }
}
