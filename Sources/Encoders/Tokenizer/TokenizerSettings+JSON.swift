internal import Objects

extension TokenizerSettings {
    /// The most values of a file. Each takes up to a hundred bytes of memory.
    private static let mostValues = 4_000_000
    /// The most normalizers of a sequence. Models have two or three.
    private static let mostSteps = 32
    /// The most parts of a template, and the most ids of one.
    private static let mostParts = 32

    /// Reads `tokenizer.json`.
    init(tokenizerJSON: [UInt8]) throws(TokenizerError) {
        self.init(file: "tokenizer.json")
        let json = try Self.json(tokenizerJSON, file: file)
        guard json.object != nil else { throw invalid("not a JSON object") }
        try readModel(json["model"] ?? .null)
        try readNormalizer(json["normalizer"] ?? .null)
        try readPreTokenizer(json["pre_tokenizer"] ?? .null)
        try readPostProcessor(json["post_processor"] ?? .null)
        for token in try list(json["added_tokens"], "added_tokens") {
            try add(addedToken(token, isNormalized: nil), replaces: true)
        }
    }

    /// Parses a file of a tokenizer.
    static func json(_ bytes: [UInt8], file: String) throws(TokenizerError) -> JSON {
        do throws(JSONError) {
            return try JSON(parsing: bytes.span, roundsNumbers: true, valueLimit: mostValues)
        } catch {
            throw .invalid(file: file, reason: "\(error.reason), at byte \(error.offset)")
        }
    }

    /// Reads an added token from an object, or from text alone.
    ///
    /// - Parameter isNormalized: Whether it is looked for in normalized text if the object does not say so; if nil, it
    ///   must say everything.
    func addedToken(_ json: JSON, isNormalized: Bool?) throws(TokenizerError) -> AddedToken {
        if isNormalized != nil, let content = json.string { return AddedToken(content) }
        guard let content = json["content"]?.string else {
            throw invalid("an added token has no content")
        }
        func flag(_ name: String, _ missing: Bool?) throws(TokenizerError) -> Bool {
            guard let value = json[name].map(\.bool) ?? missing else {
                throw invalid("the added token '\(content)' needs \(name), true or false")
            }
            return value
        }
        let missing = isNormalized.map { _ in false }
        var token = AddedToken(content)
        token.isSingleWord = try flag("single_word", missing)
        token.stripsLeft = try flag("lstrip", missing)
        token.stripsRight = try flag("rstrip", missing)
        token.isNormalized = try flag("normalized", isNormalized)
        return token
    }

    // MARK: Parts

    private mutating func readModel(_ json: JSON) throws(TokenizerError) {
        guard json.object != nil else { throw invalid("there is no model") }
        // Old files leave the type out.
        let type = json["type"]?.string ?? "WordPiece"
        guard type == "WordPiece" else {
            throw .unsupported(file: file, part: "model", type: type)
        }
        guard let unknown = json["unk_token"]?.string,
            let prefix = json["continuing_subword_prefix"]?.string,
            let longest = json["max_input_chars_per_word"]?.integer, longest >= 0,
            let tokens = json["vocab"]?.object
        else {
            throw invalid(
                "the model needs unk_token, continuing_subword_prefix, max_input_chars_per_word and vocab"
            )
        }
        unknownToken = unknown
        continuingPrefix = prefix
        longestWord = longest
        vocabulary = TokenTable(capacity: tokens.count)
        for member in tokens { try set(member.key.utf8Span.span, to: id(member.value)) }
    }

    private mutating func readNormalizer(_ json: JSON) throws(TokenizerError) {
        if case .null = json { return }
        func flag(_ name: String) throws(TokenizerError) -> Bool {
            guard let value = json[name]?.bool else {
                throw invalid("the normalizer needs \(name), true or false")
            }
            return value
        }
        let type = try type(of: json, "normalizer")
        switch type {
        case "Sequence":
            for part in try list(json["normalizers"], "normalizers") { try readNormalizer(part) }
        case "BertNormalizer":
            steps += Self.bertSteps(
                cleans: try flag("clean_text"),
                separatesIdeographs: try flag("handle_chinese_chars"),
                stripsAccents: try optionalFlag(json["strip_accents"], "strip_accents"),
                lowercases: try flag("lowercase"))
        case "NFD": steps.append(.decompose(isCompatible: false))
        case "NFKD": steps.append(.decompose(isCompatible: true))
        case "NFC": steps.append(.compose(isCompatible: false))
        case "NFKC": steps.append(.compose(isCompatible: true))
        case "Lowercase": steps.append(.lowercase)
        case "StripAccents": steps.append(.removeCombining)
        case "Strip":
            steps.append(.strip(left: try flag("strip_left"), right: try flag("strip_right")))
        default: throw .unsupported(file: file, part: "normalizer", type: type)
        }
        guard steps.count <= Self.mostSteps else { throw invalid("it has too many normalizers") }
    }

    private mutating func readPreTokenizer(_ json: JSON) throws(TokenizerError) {
        if case .null = json {
            splitsWords = false
            return
        }
        let type = try type(of: json, "pre_tokenizer")
        guard type == "BertPreTokenizer" else {
            throw .unsupported(file: file, part: "pre-tokenizer", type: type)
        }
    }

    private mutating func readPostProcessor(_ json: JSON) throws(TokenizerError) {
        if case .null = json { return }
        let type = try type(of: json, "post_processor")
        switch type {
        case "BertProcessing":
            let first = try token(json["cls"], "cls")
            let last = try token(json["sep"], "sep")
            note([first, last])
            single = .bert(first: first, last: last)
            pair = .bertPair(first: first, last: last)
        case "TemplateProcessing":
            let special = json["special_tokens"] ?? .null
            single = try template(json["single"], texts: 1, special)
            pair = try template(json["pair"], texts: 2, special)
        default: throw .unsupported(file: file, part: "post-processor", type: type)
        }
    }

    /// Reads a template, in which each text must stand once.
    private mutating func template(
        _ json: JSON?, texts: Int, _ special: JSON
    ) throws(TokenizerError) -> SequenceTemplate {
        var parts: [SequenceTemplate.Part] = []
        var found: [Int] = []
        for piece in try list(json, "template") {
            guard parts.count < Self.mostParts else { throw invalid("a template is too long") }
            if let text = piece["Sequence"] {
                guard let id = text["id"]?.string, let index = ["A", "B"].firstIndex(of: id) else {
                    throw invalid("a template names a sequence other than A and B")
                }
                found.append(index)
                parts.append(.text(index, type: try segment(text["type_id"])))
            } else if let token = piece["SpecialToken"], let name = token["id"]?.string {
                var ids: [Int32] = []
                for value in try list(special[name]?["ids"], "special_tokens") {
                    ids.append(try id(value))
                }
                guard ids.count <= Self.mostParts else { throw invalid("a template is too long") }
                note(ids)
                parts.append(.special(ids, type: try segment(token["type_id"])))
            } else {
                throw invalid("a part of a template is neither a sequence nor a special token")
            }
        }
        guard found.sorted() == Array(0..<texts) else {
            throw invalid("a template must contain each sequence once")
        }
        return SequenceTemplate(parts)
    }

    // MARK: Values

    private func type(of json: JSON, _ part: String) throws(TokenizerError) -> String {
        guard let type = json["type"]?.string else { throw invalid("\(part) has no type") }
        return type
    }

    /// The elements of a list; a missing one is empty.
    func list(_ json: JSON?, _ name: String) throws(TokenizerError) -> [JSON] {
        guard let json else { return [] }
        guard let list = json.array else { throw invalid("\(name) is not a list") }
        return list
    }

    /// A flag that may be null or missing.
    func optionalFlag(_ json: JSON?, _ name: String) throws(TokenizerError) -> Bool? {
        switch json {
        case .none, .some(.null): return nil
        case .some(.bool(let value)): return value
        default: throw invalid("\(name) is neither true nor false")
        }
    }

    private func id(_ json: JSON?) throws(TokenizerError) -> Int32 {
        guard let value = json?.integer, let id = Int32(exactly: value), id >= 0, id < .max else {
            throw invalid("the id of a token is not a whole number from 0 to 2147483646")
        }
        return id
    }

    private func segment(_ json: JSON?) throws(TokenizerError) -> UInt8 {
        guard let value = json?.integer, let type = UInt8(exactly: value) else {
            throw invalid("the type_id of a template is not a whole number from 0 to 255")
        }
        return type
    }

    /// Reads a token and its id, as `["[CLS]", 101]`.
    private func token(_ json: JSON?, _ name: String) throws(TokenizerError) -> Int32 {
        guard let parts = json?.array, parts.count == 2, parts[0].string != nil else {
            throw invalid("\(name) is not a token and its id")
        }
        return try id(parts[1])
    }
}
