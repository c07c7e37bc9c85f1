import Encoders
import Foundation
import Objects
import Testing

/// Writes down the ids of texts for `Tests/Encoders/tokens.py`, which compares them with those of `tokenizers`.
///
/// Each folder in `FTI_TOKENS` has the files of a tokenizer and `texts.json`: `{"limit": 512, "texts": [["one"], ["a",
/// "pair"]]}`. The test adds `ids.json`.
@Suite("Token comparison")
struct TokenComparison {
    private static let folder = ProcessInfo.processInfo.environment["FTI_TOKENS"]

    @Test("ids of the texts in FTI_TOKENS", .enabled(if: folder != nil))
    func ids() throws {
        let folder = URL(filePath: try #require(Self.folder))
        let cases = try FileManager.default.contentsOfDirectory(
            at: folder, includingPropertiesForKeys: nil)
        #expect(!cases.isEmpty)
        for folder in cases {
            func file(_ name: String) -> [UInt8]? {
                (try? Data(contentsOf: folder.appending(path: name))).map { [UInt8]($0) }
            }
            let tokenizer =
                if let json = file("tokenizer.json") {
                    try WordPieceTokenizer(tokenizerJSON: json)
                } else {
                    try WordPieceTokenizer(
                        vocabulary: #require(file("vocab.txt")),
                        configuration: file("tokenizer_config.json"),
                        specialTokens: file("special_tokens_map.json"))
                }
            let text = try #require(file("texts.json"))
            let request = try JSON(parsing: text.span)
            let limit = try #require(request["limit"]?.integer)
            let encodings = (request["texts"]?.array ?? []).map { texts in
                let texts = (texts.array ?? []).compactMap(\.string)
                let encoding =
                    texts.count == 2
                    ? tokenizer.encode(texts[0], texts[1], limit: limit)
                    : tokenizer.encode(texts[0], limit: limit)
                return JSON.array([
                    .array(encoding.ids.map { .integer(Int($0)) }),
                    .array(encoding.types.map { .integer(Int($0)) }), .bool(encoding.isCut),
                ])
            }
            try Data(JSON.array(encodings).canonicalBytes)
                .write(to: folder.appending(path: "ids.json"))
        }
    }
}
