public import Objects

extension AnswerRecord {
    /// The value of `type` in the JSON of a record.
    static let type = "answer"
    /// The version of the JSON of a record.
    static let version = 1

    /// The record as JSON. Members without a value are null, except that `asked`, `conversation`, `url` and
    /// `rerank` are left out.
    public var json: JSONObject {
        var object = JSONObject()
        object["type"] = .string(Self.type)
        object["version"] = .integer(Self.version)
        object["id"] = .string(id)
        object["replica"] = .string(replica)
        object["time"] = .string(time.description)
        object["ref"] = ref.map { .string($0) } ?? .null
        object["question"] = .string(question)
        if let asked { object["asked"] = .string(asked) }
        if !conversation.isEmpty { object["conversation"] = .array(conversation.map(\.json)) }
        object["answered"] = .bool(isAnswered)
        object["answer"] = .string(answer)
        object["verified"] = .bool(isVerified)
        object["citations"] = citations.json
        object["passages"] = .array(passages.map { .object($0.json) })
        object["prompt"] =
            prompt.map {
                ["id": .string($0.id.hex), "messages": .array($0.messages.map(\.json))]
            } ?? .null
        object["generator"] = generator.json
        object["release"] = .hex(versions.release)
        object["features"] = .hex(versions.features)
        object["ranker"] = .hex(versions.ranker)
        object["space"] = .hex(versions.space)
        object["transaction"] = .integer(versions.transaction)
        object["repository"] = .string(versions.repository)
        object["where"] = condition.map { .string($0) } ?? .null
        object["retrieval"] = retrieval.json
        if let rerank {
            object["rerank"] = [
                "model": .string(rerank.model.hex), "candidates": .integer(rerank.candidates),
            ]
        }
        return object
    }

    /// Reads the JSON of a record; ignores members that it does not know.
    ///
    /// A member that may be null may also be missing.
    ///
    /// - Parameter path: The place of the object in its file, for errors.
    /// - Throws: An error with the path of a member that is missing or has an unexpected value.
    public init(_ object: JSONObject, path: String = "") throws(JSONSchemaError) {
        var reader = JSONObjectReader(object, path: path)
        try self.init(&reader)
    }

    /// Reads a file that holds one record.
    ///
    /// - Throws: An error with the byte at which the file is not JSON, or with the path of a member.
    public init(parsing bytes: [UInt8]) throws(JSONSchemaError) {
        var reader = try JSONObjectReader(file: bytes)
        try self.init(&reader)
    }

    private init(_ reader: inout JSONObjectReader) throws(JSONSchemaError) {
        try reader.expect(type: Self.type, version: Self.version)
        id = try reader.string("id")
        guard Self.isID(id) else {
            throw reader.error("id", "must be ans- and 32 lower-case hexadecimal digits")
        }
        replica = try reader.string("replica")
        time = try reader.timestamp("time")
        ref = try reader.optionalString("ref")
        question = try reader.string("question")
        asked = try reader.optionalString("asked")
        conversation =
            try reader.optionalArray("conversation").map {
                (items) throws(JSONSchemaError) in try reader.messages(items, "conversation")
            } ?? []
        isAnswered = try reader.bool("answered")
        answer = try reader.string("answer")
        isVerified = try reader.bool("verified")
        citations = try Citations(try reader.object("citations"), in: reader)
        passages = []
        for (index, item) in try reader.array("passages").enumerated() {
            let (name, inner) = try reader.item(item, "passages", index)
            passages.append(try Passage(inner, path: name))
        }
        prompt = try reader.optionalObject("prompt").map { (inner) throws(JSONSchemaError) in
            var inner = reader.inner(inner, "prompt")
            return RenderedPrompt(
                id: try inner.objectID("id"),
                messages: try inner.messages(try inner.array("messages"), "messages"))
        }
        generator = try Generator(try reader.object("generator"), in: reader)
        versions = Versions(
            release: try reader.optionalHash("release"),
            features: try reader.objectID("features"),
            ranker: try reader.optionalHash("ranker"), space: try reader.optionalHash("space"),
            transaction: try reader.count("transaction"),
            repository: try reader.string("repository"))
        condition = try reader.optionalString("where")
        var inner = reader.inner(try reader.object("retrieval"), "retrieval")
        retrieval = try RetrievalSettings(&inner)
        rerank = try reader.optionalObject("rerank").map { (inner) throws(JSONSchemaError) in
            var inner = reader.inner(inner, "rerank")
            return Reranking(
                model: try inner.objectID("model"), candidates: try inner.count("candidates"))
        }
    }
}

extension AnswerRecord.Passage {
    /// The passage as JSON.
    public var json: JSONObject {
        var object = JSONObject()
        object["number"] = .integer(number)
        object["key"] = .string(key)
        object["document"] = .string(document)
        object["title"] = .string(title)
        object["section"] = .string(section)
        object["headings"] = .array(headings.map { .string($0) })
        if let url { object[Self.urlMember] = .string(url) }
        object["text"] = .string(text)
        object["score"] = .number(score)
        object["similarity"] = .number(similarity)
        object["vectorRank"] = vectorRank.map { .integer($0) } ?? .null
        object["wordsRank"] = wordsRank.map { .integer($0) } ?? .null
        if let rerank { object["rerank"] = .number(rerank) }
        object["attributes"] = .object(attributes)
        return object
    }

    init(_ object: JSONObject, path: String) throws(JSONSchemaError) {
        var reader = JSONObjectReader(object, path: path)
        number = try reader.positive("number")
        key = try reader.string("key")
        document = try reader.string("document")
        title = try reader.string("title")
        section = try reader.string("section")
        headings = []
        for heading in try reader.array("headings") {
            guard let text = heading.string else {
                throw reader.error("headings", "must be strings")
            }
            headings.append(text)
        }
        url = try reader.optionalString(Self.urlMember)
        text = try reader.string("text")
        score = try reader.number("score")
        similarity = try reader.number("similarity")
        vectorRank = try reader.optionalCount("vectorRank")
        wordsRank = try reader.optionalCount("wordsRank")
        rerank = try reader.optionalNumber("rerank")
        attributes = try reader.optionalObject("attributes") ?? JSONObject()
    }
}

extension Citations {
    fileprivate init(
        _ object: JSONObject, in outer: JSONObjectReader
    ) throws(JSONSchemaError) {
        var reader = outer.inner(object, "citations")
        shown = []
        for item in try reader.array("shown") {
            guard let number = item.integer, number > 0 else {
                throw reader.error("shown", "must be numbers of passages")
            }
            shown.append(number)
        }
        removed = try reader.count("removed")
    }
}

extension AnswerRecord.Generator {
    private static let extractiveKind = "extractive"
    private static let openAIKind = "openai"

    fileprivate var json: JSON {
        switch self {
        case .extractive: ["kind": .string(Self.extractiveKind)]
        case .openAI(let model, let snapshot, let ending, let promptTokens, let replyTokens):
            [
                "kind": .string(Self.openAIKind), "model": .string(model),
                "snapshot": .hex(snapshot), "ending": .string(ending.rawValue),
                "promptTokens": promptTokens.map { .integer($0) } ?? .null,
                "replyTokens": replyTokens.map { .integer($0) } ?? .null,
            ]
        }
    }

    fileprivate init(
        _ object: JSONObject, in outer: JSONObjectReader
    ) throws(JSONSchemaError) {
        var reader = outer.inner(object, "generator")
        switch try reader.string("kind") {
        case Self.extractiveKind: self = .extractive
        case Self.openAIKind:
            let model = try reader.string("model")
            let snapshot = try reader.optionalHash("snapshot")
            guard let ending = ChatReply.Ending(rawValue: try reader.string("ending")) else {
                throw reader.error("ending", "must be stop, length or content_filter")
            }
            self = .openAI(
                model: model, snapshot: snapshot, ending: ending,
                promptTokens: try reader.optionalCount("promptTokens"),
                replyTokens: try reader.optionalCount("replyTokens"))
        default: throw reader.error("kind", "must be extractive or openai")
        }
    }
}
