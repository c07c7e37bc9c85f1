import CommandSupport
import Objects

/// A line of standard input: a question, or a JSON object with a question and perhaps an id for the reply.
struct AskedLine {
    let question: String
    let id: JSON?
    /// Whether the line was too long to be read.
    let isTooLong: Bool

    /// The most bytes of a line: far more than anybody asks, and few enough to be embedded at once.
    static let byteLimit = 1 << 20

    /// Reads a line; nil when it is blank. What is no such object is a question as it stands.
    init?(_ line: InputLines.Line) {
        guard case .text(let line) = line else {
            (question, id, isTooLong) = ("", nil, true)
            return
        }
        isTooLong = false
        guard line.contains(where: { !$0.isWhitespace }) else { return nil }
        let bytes = Array(line.utf8)
        if bytes.first == UInt8(ascii: "{"), let json = try? JSON(parsing: bytes.span),
            let question = json["question"]?.string
        {
            self.question = question
            id = json["id"]
        } else {
            question = line
            id = nil
        }
    }
}
