import Encoders
import Testing

@Suite("WordPiece tokenizer")
struct WordPieceTokenizerTests {
}
