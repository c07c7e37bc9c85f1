import Conditions
import CommandSupport
import InferencePipeline
import Objects

/// A line of standard input: a plain question, or a request.
///
/// A request begins with a brace: it is a JSON object with a question, and optionally a condition on rows and an id for
/// the reply.
struct AskedLine {
    /// The question, or why there is none.
    let question: Result<String, InferenceError>
    /// The condition on rows, or why it is invalid; nil where the request has no `where`.
    let condition: Result<Condition, InferenceError>?
    /// The JSON text of the request's id; nil where there is none.
    let id: [UInt8]?

    /// The maximum number of bytes of a line: more than any question has, and few enough to embed at once.
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
            // The reply repeats the id verbatim, so the id may be JSON that this program cannot represent.
            guard let rest = try? JSON(parsing: id.withoutID.span) else {
                return .failure(.request(reason: "\(error.reason) at byte \(error.offset)"))
            }
            return .success(rest)
        }
    }

    private static func condition(_ json: JSON) -> Result<Condition, InferenceError> {
        guard let text = json.string else {
            return .failure(.request(reason: "where must be text"))
        }
        do throws(ConditionError) { return .success(try Condition(text)) } catch {
            return .failure(.condition(error))
        }
    }

    private static func question(in request: JSON) -> Result<String, InferenceError> {
        guard let question = request["question"] else {
            return .failure(.request(reason: "question is missing"))
        }
        guard let text = question.string else {
            return .failure(.request(reason: "question must be text"))
        }
        return .success(text)
    }

    /// A reply as a line of canonical JSON, with the request's id as spelled.
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

/// The id of a request in a line that may not be valid JSON, so that an error reply can carry it.
///
/// The id keeps its spelling: a number that no double represents, or half of a surrogate pair, is returned unchanged.
struct RequestID {
    /// The JSON text of the id; nil when it is missing, unreadable or ambiguous.
    let text: [UInt8]?
    /// The line with `null` in place of the id; the line itself when ``text`` is nil or the id repeats.
    let withoutID: [UInt8]

    /// Looks for the member `id` of the object at the start of a line.
    init(in line: [UInt8]) {
        var scanner = MemberScanner(line)
        var found: [Range<Int>] = []
        while let member = scanner.next() {
            guard (try? JSON(parsing: line[member.key].span))?.string == "id" else { continue }
            found.append(member.value)
        }
        let texts = Set(found.map { Array(line[$0]) })
        text = texts.count == 1 ? texts.first.flatMap { Self.isValue($0) ? $0 : nil } : nil
        if text != nil, found.count == 1, let place = found.first {
            withoutID = line[..<place.lowerBound] + Array("null".utf8) + line[place.upperBound...]
        } else {
            withoutID = line
        }
    }

    /// Whether bytes conform to the grammar of a JSON value.
    private static func isValue(_ bytes: [UInt8]) -> Bool {
        guard let first = bytes.first else { return false }
        return switch first {
        case UInt8(ascii: "\""): isString(bytes)
        case UInt8(ascii: "-"), 0x30...0x39: isNumber(bytes)
        default: (try? JSON(parsing: bytes.span)) != nil
        }
    }

    private static func isString(_ bytes: [UInt8]) -> Bool {
        guard bytes.count >= 2, bytes.last == UInt8(ascii: "\"") else { return false }
        var rest = bytes[1..<(bytes.count - 1)]
        while let byte = rest.popFirst() {
            guard byte >= 0x20 else { return false }
            guard byte == UInt8(ascii: "\\") else { continue }
            guard let escape = rest.popFirst() else { return false }
            if escape == UInt8(ascii: "u") {
                let digits = rest.prefix(4)
                guard digits.count == 4,
                    digits.allSatisfy({ 0x30...0x39 ~= $0 || 0x61...0x66 ~= $0 | 0x20 })
                else { return false }
                rest = rest.dropFirst(4)
            } else if !"\"\\/bfnrt".utf8.contains(escape) {
                return false
            }
        }
        return true
    }

    /// Whether bytes conform to the grammar of numbers in RFC 8259, section 6.
    private static func isNumber(_ bytes: [UInt8]) -> Bool {
        var rest = bytes[...]
        func isDigit(_ byte: UInt8?) -> Bool { byte.map { 0x30...0x39 ~= $0 } ?? false }
        func digits() -> Bool {
            guard isDigit(rest.first) else { return false }
            rest = rest.drop { isDigit($0) }
            return true
        }
        if rest.first == UInt8(ascii: "-") { rest = rest.dropFirst() }
        if rest.first == UInt8(ascii: "0"), isDigit(rest.dropFirst().first) { return false }
        guard digits() else { return false }
        if rest.first == UInt8(ascii: ".") {
            rest = rest.dropFirst()
            guard digits() else { return false }
        }
        if rest.first == UInt8(ascii: "e") || rest.first == UInt8(ascii: "E") {
            rest = rest.dropFirst()
            if rest.first == UInt8(ascii: "-") || rest.first == UInt8(ascii: "+") {
                rest = rest.dropFirst()
            }
            guard digits() else { return false }
        }
        return rest.isEmpty
    }
}

/// Finds the members of an object in text that may not be valid JSON.
private struct MemberScanner {
    private let bytes: [UInt8]
    private var at: Int

    /// Starts after the opening brace.
    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        at = (bytes.firstIndex(of: UInt8(ascii: "{")) ?? bytes.count - 1) + 1
    }

    /// The next key with its quotes, and its value; nil at the end.
    mutating func next() -> (key: Range<Int>, value: Range<Int>)? {
        while at < bytes.count, bytes[at] != UInt8(ascii: "}") {
            guard bytes[at] == UInt8(ascii: "\"") else {
                at += 1
                continue
            }
            let key = at..<endOfString(at)
            at = key.upperBound
            skipSpace()
            guard at < bytes.count, bytes[at] == UInt8(ascii: ":") else { continue }
            at += 1
            skipSpace()
            let value = at..<endOfValue(at)
            at = value.upperBound
            return (key, value)
        }
        return nil
    }

    private mutating func skipSpace() {
        while at < bytes.count, bytes[at] <= 0x20 { at += 1 }
    }

    private func endOfString(_ start: Int) -> Int {
        var index = start + 1
        while index < bytes.count {
            switch bytes[index] {
            case UInt8(ascii: "\""): return index + 1
            case UInt8(ascii: "\\"): index += 2
            default: index += 1
            }
        }
        return bytes.count
    }

    private func endOfValue(_ start: Int) -> Int {
        var index = start
        var depth = 0
        while index < bytes.count {
            switch bytes[index] {
            case UInt8(ascii: "\""):
                index = endOfString(index)
                if depth == 0 { return index }
                continue
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                if depth == 0 { return index }
                depth -= 1
                if depth == 0 { return index + 1 }
            case UInt8(ascii: ","), 0...0x20:
                if depth == 0 { return index }
            default: break
            }
            index += 1
        }
        return bytes.count
    }
}
