import CommandSupport
import InferencePipeline
import Objects

/// A line of standard input: a question as it stands, or, where it begins with a brace, a request: a JSON object with a
/// question and perhaps a condition on rows and an id for the reply.
struct AskedLine {
    /// What is asked, or why nothing is.
    let question: Result<String, InferenceError>
    /// What must hold of the rows that answer it, or why that cannot be asked; nil where the request has no `where`.
    let condition: Result<Condition, InferenceError>?
    /// The JSON text of the request's id; nil where there is none.
    let id: [UInt8]?

    /// The most bytes of a line: far more than anybody asks, and few enough to be embedded at once.
    static let byteLimit = 1 << 20

    init(_ line: InputLines.Line) {
        guard case .text(let line) = line else {
            question = .failure(.longQuestion(limit: Self.byteLimit))
            (condition, id) = (nil, nil)
            return
        }
        let bytes = Array(line.utf8)
        guard bytes.first(where: { $0 > 0x20 }) == UInt8(ascii: "{") else {
            (question, condition, id) = (.success(line), nil, nil)
            return
        }
        let found = RequestID(in: bytes)
        id = found.text
        switch Self.request(in: bytes, found) {
        case .failure(let error): (question, condition) = (.failure(error), nil)
        case .success(let request):
            question = Self.question(in: request)
            condition = request["where"].map(Self.condition)
        }
    }

    private static func request(
        in bytes: [UInt8], _ id: RequestID
    ) -> Result<JSON, InferenceError> {
        do throws(JSONError) {
            return .success(try JSON(parsing: bytes.span))
        } catch {
            // The id goes back as it came, so it may be what this program would not read.
            guard let rest = try? JSON(parsing: id.withoutID.span) else {
                return .failure(.request(reason: "\(error.reason) at byte \(error.offset)"))
            }
            return .success(rest)
        }
    }

    private static func condition(_ json: JSON) -> Result<Condition, InferenceError> {
        guard let text = json.string else {
            return .failure(.request(reason: "its where is not text"))
        }
        do throws(ConditionError) { return .success(try Condition(text)) } catch {
            return .failure(.condition(error))
        }
    }

    private static func question(in request: JSON) -> Result<String, InferenceError> {
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
