import Hummingbird
import InferencePipeline
import Objects
import Serving

/// Reads the members of a request body; an error names the member, as OpenAI's API does.
///
/// Members that it does not ask for are ignored: clients send many that concern other servers.
struct APIRequest {
    private let object: JSONObject
    /// The path of the object within the body.
    private let path: String

    /// Reads a body.
    ///
    /// - Throws: ``HTTPFailure`` unless it is a JSON object.
    init(_ body: JSON) throws {
        guard let object = body.object else {
            throw HTTPFailure(.badRequest, "the body must be a JSON object")
        }
        self.init(object, at: "")
    }

    init(_ object: JSONObject, at path: String) {
        (self.object, self.path) = (object, path)
    }

    /// The full name of a member.
    func name(_ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

    /// The failure of a request whose member cannot be used.
    func failure(_ key: String, _ reason: String, code: String? = nil) -> HTTPFailure {
        HTTPFailure(.badRequest, "\(name(key)) \(reason)", code: code, param: name(key))
    }

    /// A member; nil where it is missing or null.
    func member(_ key: String) -> JSON? {
        guard let value = object[key], value != .null else { return nil }
        return value
    }

    /// Text; nil where it is missing.
    func text(_ key: String) throws -> String? {
        guard let value = member(key) else { return nil }
        guard let text = value.string else { throw failure(key, "must be text") }
        return text
    }

    /// Text that must be there and not be blank.
    func requiredText(_ key: String) throws -> String {
        guard let text = try text(key) else { throw failure(key, "is missing") }
        guard text.contains(where: { !$0.isWhitespace }) else { throw failure(key, "is empty") }
        return text
    }

    /// A truth value; nil where it is missing.
    func flag(_ key: String) throws -> Bool? {
        guard let value = member(key) else { return nil }
        guard let flag = value.bool else { throw failure(key, "must be true or false") }
        return flag
    }

    /// A whole number in a range; nil where it is missing.
    func integer(_ key: String, in range: ClosedRange<Int>) throws -> Int? {
        guard let value = member(key) else { return nil }
        guard let number = value.integer, range.contains(number) else {
            throw failure(
                key, "must be a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    /// A number in a range; nil where it is missing.
    func number(_ key: String, in range: ClosedRange<Double>) throws -> Double? {
        guard let value = member(key) else { return nil }
        guard let number = value.number, range.contains(number) else {
            throw failure(key, "must be a number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    /// A nested object; nil where it is missing.
    func nested(_ key: String) throws -> APIRequest? {
        guard let value = member(key) else { return nil }
        guard let object = value.object else { throw failure(key, "must be an object") }
        return APIRequest(object, at: name(key))
    }

    /// A list; nil where it is missing.
    func list(_ key: String) throws -> [JSON]? {
        guard let value = member(key) else { return nil }
        guard let list = value.array else { throw failure(key, "must be a list") }
        return list
    }

    /// Refuses members that would change the meaning of an answer and that this server does not support.
    ///
    /// - Parameter neutral: The value with which such a member changes nothing.
    func refuse(_ members: [(key: String, neutral: [JSON])]) throws {
        for (key, neutral) in members {
            guard let value = member(key), !neutral.contains(value) else { continue }
            throw failure(key, "is not supported here", code: "unsupported_parameter")
        }
    }
}

/// The text of a message, which is text or a list of parts of text.
extension APIRequest {
    /// - Parameter kinds: The types of parts that hold text.
    func content(_ key: String, kinds: Set<String>) throws -> String {
        guard let value = member(key) else { return "" }
        if let text = value.string { return text }
        guard let parts = value.array else {
            throw failure(key, "must be text or a list of parts")
        }
        return try parts.map { part in
            guard let kind = part["type"]?.string, kinds.contains(kind),
                let text = part[kind == "refusal" ? kind : "text"]?.string
            else {
                throw failure(
                    key, "has a part that is not text: only text is supported",
                    code: "unsupported_content")
            }
            return text
        }.joined(separator: "\n")
    }
}
