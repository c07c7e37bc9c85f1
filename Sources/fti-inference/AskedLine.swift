import CommandSupport
import InferencePipeline
import Objects

/// A line of standard input: a question as it stands, or, where it begins with a brace, a request: a JSON object with a
/// question and perhaps an id for the reply.
struct AskedLine {
    /// What is asked, or why nothing is.
    let question: Result<String, InferenceError>
    /// The JSON text of the request's id; nil where there is none.
    let id: [UInt8]?

    /// The most bytes of a line: far more than anybody asks, and few enough to be embedded at once.
    static let byteLimit = 1 << 20

    init(_ line: InputLines.Line) {
        guard case .text(let line) = line else {
            (question, id) = (.failure(.longQuestion(limit: Self.byteLimit)), nil)
            return
        }
        var bytes = Array(line.utf8)
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes.removeFirst(3) }
        guard bytes.first(where: { $0 > 0x20 }) == UInt8(ascii: "{") else {
            (question, id) = (.success(line), nil)
            return
        }
        let found = RequestID(in: bytes)
        id = found.text
        question = Self.question(in: bytes, found)
    }

    private static func question(
        in bytes: [UInt8], _ id: RequestID
    ) -> Result<String, InferenceError> {
        let request: JSON
        do throws(JSONError) {
            request = try JSON(parsing: bytes.span)
        } catch {
            // The id goes back as it came, so it may be what this program would not read.
            guard let rest = try? JSON(parsing: id.withoutID.span) else {
                return .failure(.request(reason: "\(error.reason) at byte \(error.offset)"))
            }
            request = rest
        }
        guard let question = request["question"] else {
            return .failure(.request(reason: "it has no question"))
        }
        guard let text = question.string else {
            return .failure(.request(reason: "its question is not text"))
        }
        return .success(text)
    }

    /// A reply as a line of canonical JSON, with the request's id as it was spelled.
    func line(_ reply: JSONObject) -> [UInt8] {
        guard let id else { return JSON.object(reply).canonicalBytes + [0x0A] }
        var reply = reply
        reply["id"] = .null
        var line = Array("{".utf8)
        for (index, member) in reply.enumerated() {
            if index > 0 { line.append(UInt8(ascii: ",")) }
            line += JSON.string(member.key).canonicalBytes + [UInt8(ascii: ":")]
            line += member.key == "id" ? id : member.value.canonicalBytes
        }
        return line + Array("}\n".utf8)
    }
}
