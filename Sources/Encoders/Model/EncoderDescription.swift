internal import Objects

/// What is known of an encoder besides its weights and its vocabulary: enough to open it from these two objects alone.
struct EncoderDescription: Hashable, Sendable {
    /// How the weights are used.
    var encoder: EncoderSettings
    /// The most tokens of a text, with the special ones.
    var tokens: Int
    /// How texts are split.
    var tokenizer: TokenizerSource

    /// Reads the files of a model; ``tokens`` is the number of its positions.
    ///
    /// - Throws: `missing` without `config.json` or a vocabulary; `unsupported`.
    init(_ folder: ModelFolder) throws(EncoderError) {
        encoder = try EncoderSettings(folder)
        tokens = encoder.positions
        tokenizer = try TokenizerSource(folder)
    }

    /// Reads what ``json`` wrote.
    ///
    /// - Throws: `malformed`.
    init(_ object: JSONObject) throws(EncoderError) {
        do throws(JSONSchemaError) {
            var reader = JSONObjectReader(object)
            let encoder = try reader.nested("settings") { (inner) throws(JSONSchemaError) in
                try EncoderSettings(&inner)
            }
            self.encoder = encoder
            tokens = try reader.count("tokens")
            guard 3...encoder.positions ~= tokens else {
                throw reader.error("tokens", "must be from 3 to \(encoder.positions)")
            }
            tokenizer = try reader.nested("tokenizer") { (inner) throws(JSONSchemaError) in
                try TokenizerSource(&inner)
            }
            try reader.finish()
        } catch {
            throw .malformed(file: "embedding space", reason: "\(error.path) \(error.reason)")
        }
    }

    /// The description as an embedding space stores it.
    var json: JSONObject {
        var object = JSONObject()
        object["settings"] = encoder.json
        object["tokens"] = .integer(tokens)
        object["tokenizer"] = tokenizer.json
        return object
    }
}

/// The file that a tokenizer is read from, and the settings that the file does not have itself.
struct TokenizerSource: Hashable, Sendable {
    /// The name of the file.
    let file: String
    /// The members of `tokenizer_config.json` that matter beside a `vocab.txt`; empty beside a `tokenizer.json`.
    private let configuration: JSONObject

    private static let whole = "tokenizer.json"
    private static let vocabulary = "vocab.txt"
    private static let members = [
        "do_lower_case", "strip_accents", "tokenize_chinese_chars", "unk_token", "sep_token",
        "pad_token", "cls_token", "mask_token",
    ]

    /// Finds the tokenizer of a model: `tokenizer.json`, or else `vocab.txt`.
    ///
    /// - Throws: `missing` when there is neither.
    init(_ folder: ModelFolder) throws(EncoderError) {
        var configuration = JSONObject()
        if try folder.id(of: Self.whole) != nil {
            file = Self.whole
        } else if try folder.id(of: Self.vocabulary) != nil {
            file = Self.vocabulary
            let special = try folder.object(at: "special_tokens_map.json")
            let settings = try folder.object(at: "tokenizer_config.json")
            for name in Self.members {
                let value = settings?[name] ?? special?[name]
                // A token is a string, or an object that has it as its content.
                configuration[name] = value?.object?["content"] ?? value
            }
        } else {
            throw .missing(
                file: "\(Self.whole) or \(Self.vocabulary)",
                remedy: "this program reads WordPiece vocabularies; serve other models behind "
                    + "embed.url")
        }
        self.configuration = configuration
    }

    /// Reads what ``json`` wrote.
    init(_ reader: inout JSONObjectReader) throws(JSONSchemaError) {
        file = try reader.string("file")
        guard [Self.whole, Self.vocabulary].contains(file) else {
            throw reader.error("file", "is unknown")
        }
        configuration =
            reader.has("configuration") ? try reader.object("configuration") : JSONObject()
    }

    /// The source as an embedding space stores it.
    var json: JSON {
        var object = JSONObject()
        object["file"] = .string(file)
        if !configuration.isEmpty { object["configuration"] = .object(configuration) }
        return .object(object)
    }

    /// Reads the tokenizer from the stored file.
    ///
    /// - Throws: `unsupported`, naming a part that is not WordPiece's; `malformed`.
    func open(_ id: ObjectID, in source: any ObjectSource) throws(EncoderError)
        -> WordPieceTokenizer
    {
        let bytes = try ModelFolder.bytes(id, in: source)
        do throws(TokenizerError) {
            guard file == Self.vocabulary else {
                return try WordPieceTokenizer(tokenizerJSON: bytes)
            }
            return try WordPieceTokenizer(
                vocabulary: bytes, configuration: JSON.object(configuration).canonicalBytes,
                specialTokens: nil)
        } catch { throw EncoderError(error, file: file) }
    }

    /// Compares the canonical forms.
    static func == (left: Self, right: Self) -> Bool {
        left.json.canonicalBytes == right.json.canonicalBytes
    }

    /// Hashes the canonical form.
    func hash(into hasher: inout Hasher) { hasher.combine(json.canonicalBytes) }
}
