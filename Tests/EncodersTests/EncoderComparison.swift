import Artifacts
import Encoders
import Foundation
import Objects
import Testing

/// Writes down the vectors of texts and the scores of pairs for `Tests/Encoders/vectors.py`, which compares them with those
/// of sentence-transformers.
///
/// Each folder in `FTI_VECTORS` has a folder `model` and `texts.json`: a list of texts, or of pairs for a reranker. The test
/// adds `numbers.f32`: the vectors of the texts as documents, one after another, or the scores.
@Suite("Encoder comparison")
struct EncoderComparison {
    private static let folder = ProcessInfo.processInfo.environment["FTI_VECTORS"]

    @Test("numbers of the texts in FTI_VECTORS", .enabled(if: folder != nil))
    func numbers() throws {
        let folder = URL(filePath: try #require(Self.folder))
        let cases = try FileManager.default.contentsOfDirectory(
            at: folder, includingPropertiesForKeys: nil)
        #expect(!cases.isEmpty)
        for folder in cases {
            let model = try SampleFolder(at: folder.appending(path: "model")).model()
            let bytes = [UInt8](try Data(contentsOf: folder.appending(path: "texts.json")))
            let texts = try #require(JSON(parsing: bytes.span).array)
            let pairs = texts.compactMap { $0.array?.compactMap(\.string) }
            let numbers: [Float] =
                if pairs.isEmpty {
                    try SentenceEncoder.open(model)
                        .embed(texts.compactMap(\.string), as: .document).flatMap(\.self)
                } else {
                    try Self.scores(of: pairs, CrossEncoder(model))
                }
            let data = numbers.withUnsafeBytes { Data($0) }
            try data.write(to: folder.appending(path: "numbers.f32"))
        }
    }

    private static func scores(of pairs: [[String]], _ encoder: CrossEncoder) throws -> [Float] {
        pairs.flatMap { encoder.scores(of: [$0[1]], for: $0[0]) }
    }
}
