internal import Objects

extension TokenizerSettings {
    private static let mostTokens = 4_000_000

    /// Reads `vocab.txt`, `tokenizer_config.json` and `special_tokens_map.json`, as `transformers` does for models without
    /// `tokenizer.json`.
    init(
        vocabulary: [UInt8], configuration: [UInt8]?, specialTokens: [UInt8]?
    ) throws(TokenizerError) {
        self.init(file: "vocab.txt")
        try readVocabulary(vocabulary.span)

        let configuration = try Self.object(configuration, file: "tokenizer_config.json")
        let ofConfiguration = TokenizerSettings(file: "tokenizer_config.json")
        try ofConfiguration.checkClass(configuration["tokenizer_class"])
        func flag(_ name: String) throws(TokenizerError) -> Bool? {
            try ofConfiguration.optionalFlag(configuration[name], name)
        }
        steps = Self.bertSteps(
            cleans: true, separatesIdeographs: try flag("tokenize_chinese_chars") ?? true,
            stripsAccents: try flag("strip_accents"),
            lowercases: try flag("do_lower_case") ?? true)

        // A configuration that lists the added tokens replaces the other file.
        let listed = configuration["added_tokens_decoder"]
        let map = try Self.object(
            listed == nil ? specialTokens : nil, file: "special_tokens_map.json")
        let ofMap = TokenizerSettings(file: "special_tokens_map.json")
        func value(_ name: String) -> (json: JSON, settings: TokenizerSettings)? {
            if let json = map[name] { return (json, ofMap) }
            return configuration[name].map { ($0, ofConfiguration) }
        }

        let members = (listed?.object?.members ?? []).sorted {
            Int($0.key) ?? .max < Int($1.key) ?? .max
        }
        for member in members {
            let token = try ofConfiguration.addedToken(member.value, isNormalized: true)
            try add(token, replaces: false)
        }
        var names: [String: String] = [:]
        for role in ["unk", "sep", "pad", "cls", "mask"] {
            var token = AddedToken("[\(role.uppercased())]")
            if let (json, settings) = value("\(role)_token"), json != .null {
                token = try settings.addedToken(json, isNormalized: true)
            }
            names[role] = String(decoding: token.content, as: UTF8.self)
            // Models without a mask or padding need none.
            if self.vocabulary.value(of: token.content.span) != nil {
                try add(token, replaces: false)
            }
        }
        for name in ["additional_special_tokens", "extra_special_tokens"] {
            guard let (json, settings) = value(name) else { continue }
            for json in json.array ?? [] {
                let token = try settings.addedToken(json, isNormalized: true)
                try add(token, replaces: false)
            }
        }
        unknownToken = names["unk"] ?? unknownToken
        let first = try id(of: names["cls"] ?? "")
        let last = try id(of: names["sep"] ?? "")
        single = .bert(first: first, last: last)
        pair = .bertPair(first: first, last: last)
    }

    /// Reads one token a line; the last of several equal ones counts.
    private mutating func readVocabulary(_ bytes: Span<UInt8>) throws(TokenizerError) {
        guard (try? UTF8Span(validating: bytes)) != nil else { throw invalid("not UTF-8") }
        var start = 0
        var id: Int32 = 0
        while start < bytes.count {
            var end = start
            while end < bytes.count, bytes[end] != 0x0A { end += 1 }
            guard id < Self.mostTokens else {
                throw invalid("it has more than \(Self.mostTokens) lines")
            }
            let line = bytes.extracting(start..<end)
            try set(line.extracting(0..<Self.lengthWithoutSpace(line)), to: id)
            id += 1
            start = end + 1
        }
    }

    /// The length of a line without white space at its end.
    private static func lengthWithoutSpace(_ line: Span<UInt8>) -> Int {
        var length = line.count
        while length > 0 {
            var start = length - 1
            while start > 0, line[start] & 0xC0 == 0x80 { start -= 1 }
            let scalar = UTF8Text.scalar(line, at: start).value
            guard BertCharacters.sets(of: scalar).contains(.space) else { break }
            length = start
        }
        return length
    }

    private func checkClass(_ json: JSON?) throws(TokenizerError) {
        guard let name = json?.string else { return }
        let base = name.hasSuffix("Fast") ? String(name.dropLast(4)) : name
        let known = ["Bert", "DistilBert", "Electra", "MobileBert"].map { $0 + "Tokenizer" }
        guard known.contains(base) else {
            throw .unsupported(file: file, part: "tokenizer_class", type: name)
        }
    }

    private static func object(
        _ bytes: [UInt8]?, file: String
    ) throws(TokenizerError) -> JSONObject {
        guard let bytes else { return JSONObject() }
        guard let object = try json(bytes, file: file).object else {
            throw .invalid(file: file, reason: "not a JSON object")
        }
        return object
    }
}
