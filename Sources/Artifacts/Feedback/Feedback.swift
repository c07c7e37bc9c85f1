public import Objects

/// What a person said about an answer: one line of a file that the inference pipeline appends to.
///
/// A file holds the feedback that one replica received in one day. A reader ignores members that it does not know.
public struct Feedback: Equatable, Sendable {
    /// Whether a person finds an answer useful.
    public enum Rating: String, CaseIterable, Sendable {
        case good
        case bad
    }

    /// The identity: `fb-` and 32 lower-case hexadecimal digits.
    public var id: String
    /// When it was received.
    public var time: Timestamp
    /// The identity of the answer.
    public var answerID: String
    /// The answer, which has the identity ``answerID``; nil where neither the service kept it nor the client sent it.
    public var answer: AnswerRecord?
    /// The rating, if there is one.
    public var rating: Rating?
    /// What the answer should have been.
    public var better: String?
    /// The key of the features row that the answer should have cited.
    public var passage: String?
    /// A remark.
    public var comment: String?
    /// The name of the token that the client used; nil without tokens.
    public var from: String?

    /// Makes feedback.
    public init(
        id: String, time: Timestamp, answerID: String, answer: AnswerRecord? = nil,
        rating: Rating? = nil, better: String? = nil, passage: String? = nil,
        comment: String? = nil, from: String? = nil
    ) {
        self.id = id
        self.time = time
        self.answerID = answerID
        self.answer = answer
        self.rating = rating
        self.better = better
        self.passage = passage
        self.comment = comment
        self.from = from
    }

    /// Makes an identity from random numbers, which must not repeat.
    public static func makeID(random: () -> UInt64) -> String {
        RecordID.make(RecordID.feedbackPrefix, random)
    }

    /// Whether a text has the form of ``id``.
    public static func isID(_ text: String) -> Bool {
        RecordID.isValid(text, RecordID.feedbackPrefix)
    }
}

extension Feedback {
    /// The value of `type` in a line.
    static let type = "feedback"
    /// The version of a line.
    static let version = 1
    /// The maximum number of bytes of a line without its line feed; readers skip longer lines.
    public static let lineLimit = 8 << 20

    /// The member of a features row that holds the JSON of the line that the row was made from.
    public static let recordMember = "record"

    /// The feedback as JSON; members without a value are null.
    public var json: JSONObject {
        func text(_ text: String?) -> JSON { text.map { .string($0) } ?? .null }
        var object = JSONObject()
        object["type"] = .string(Self.type)
        object["version"] = .integer(Self.version)
        object["id"] = .string(id)
        object["time"] = .string(time.description)
        object["answerId"] = .string(answerID)
        object["answer"] = answer.map { .object($0.json) } ?? .null
        object["rating"] = text(rating?.rawValue)
        object["better"] = text(better)
        object["passage"] = text(passage)
        object["comment"] = text(comment)
        object["from"] = text(from)
        return object
    }

    /// The line, without its line feed.
    public var line: [UInt8] { JSON.object(json).canonicalBytes }

    /// Reads the JSON of a line; ignores members that it does not know.
    ///
    /// A member that may be null may also be missing.
    ///
    /// - Throws: An error with the path of a member that is missing or has an unexpected value.
    public init(_ object: JSONObject) throws(JSONSchemaError) {
        var reader = JSONObjectReader(object)
        try self.init(&reader)
    }

    /// Reads a line, with or without its line feed.
    ///
    /// - Throws: An error with the byte at which the line is not JSON, or with the path of a member.
    public init(parsing line: [UInt8]) throws(JSONSchemaError) {
        var reader = try JSONObjectReader(file: line)
        try self.init(&reader)
    }

    private init(_ reader: inout JSONObjectReader) throws(JSONSchemaError) {
        try reader.expect(type: Self.type, version: Self.version)
        id = try reader.string("id")
        guard Self.isID(id) else {
            throw reader.error("id", "must be fb- and 32 lower-case hexadecimal digits")
        }
        time = try reader.timestamp("time")
        answerID = try reader.string("answerId")
        guard AnswerRecord.isID(answerID) else {
            throw reader.error("answerId", "must be ans- and 32 lower-case hexadecimal digits")
        }
        answer = try reader.optionalObject("answer").map { (inner) throws(JSONSchemaError) in
            try AnswerRecord(inner, path: "answer")
        }
        if let answer, !answer.id.utf8.elementsEqual(answerID.utf8) {
            throw reader.error("answerId", "must be the id of the answer")
        }
        rating = try reader.optionalString("rating").map { (text) throws(JSONSchemaError) in
            guard let rating = Rating(rawValue: text) else {
                throw reader.error("rating", "must be good, bad or null")
            }
            return rating
        }
        better = try reader.optionalString("better")
        passage = try reader.optionalString("passage")
        comment = try reader.optionalString("comment")
        from = try reader.optionalString("from")
    }
}
