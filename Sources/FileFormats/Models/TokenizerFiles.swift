public import Objects
internal import Storage

/// What turns a conversation into the tokens that a model reads: the files of its tokenizer, and its chat templates.
///
/// Two models of one lineage must agree on it, or else the model is served other tokens than it was trained on. Files
/// are compared by content: layout, padding and truncation, which trainers set and servers ignore, do not count.
public struct TokenizerFiles: Sendable {
    private let folder: ModelFolder

    /// The sets of files, one of which is a whole tokenizer, in the order in which programs prefer them.
    private static let forms = [
        ["tokenizer.json"], ["vocab.json", "merges.txt"], ["vocab.txt"], ["tokenizer.model"],
        ["spiece.model"], ["sentencepiece.bpe.model"],
    ]
    /// The files that add tokens to those of the forms but `tokenizer.json`, which has all tokens itself.
    private static let additions = ["added_tokens.json", "special_tokens_map.json"]
    private static let configName = "tokenizer_config.json"
    private static let templateName = "chat_template.jinja"
    private static let fileLimit = 256 << 20
    private static let valueLimit = 20_000_000
    private static let templateLimit = 4 << 20

    /// Looks at the folder of a model; reads no files yet.
    public init(_ folder: ModelFolder) { self.folder = folder }

    /// Whether there is a tokenizer.
    public var hasTokenizer: Bool { Self.forms.contains(where: has) }

    private func has(_ form: [String]) -> Bool { form.allSatisfy { folder.file($0) != nil } }

    /// A part in which two models differ.
    public enum Difference: Hashable, Sendable {
        /// This file of the tokenizer.
        case tokenizer(file: String)
        /// The chat template.
        case template
        /// The chat template, which only the base has.
        case templateMissing

        /// The difference after "it has", where "than" follows.
        public var phrase: String {
            switch self {
            case .tokenizer(let file): "another tokenizer (\(file))"
            case .template: "another chat template"
            case .templateMissing: "no chat template, other"
            }
        }
    }

    /// Compares with the model that this one was made from.
    ///
    /// A model without a tokenizer is served with that of its base. If both have one in different forms, such as
    /// `tokenizer.json` and `vocab.txt`, only the chat templates are compared. A model may get a chat template that its
    /// base does not have.
    ///
    /// - Returns: The first difference; nil if there is none.
    /// - Throws: What the source throws.
    public func difference(
        from base: TokenizerFiles, in source: some ObjectSource
    ) throws(ObjectError) -> Difference? {
        guard hasTokenizer, base.hasTokenizer else {
            return try templateDifference(from: base, mayBeMissing: true, in: source)
        }
        if let form = Self.forms.first(where: { has($0) && base.has($0) }) {
            let isWhole = form == ["tokenizer.json"]
            for name in form + (isWhole ? [] : Self.additions)
            where try !isSame(name, as: base, in: source) { return .tokenizer(file: name) }
        }
        return try templateDifference(from: base, mayBeMissing: false, in: source)
    }

    private func templateDifference(
        from base: TokenizerFiles, mayBeMissing: Bool, in source: some ObjectSource
    ) throws(ObjectError) -> Difference? {
        let before = try base.templates(in: source)
        guard !before.isEmpty else { return nil }
        let now = try templates(in: source)
        guard !now.isEmpty, before["default"] == nil || now["default"] != nil else {
            return mayBeMissing ? nil : .templateMissing
        }
        // Further templates, such as one for tools, may be left out.
        return now.contains { before[$0.key] != nil && before[$0.key] != $0.value }
            ? .template : nil
    }

    /// Whether a file has the same content as in another folder.
    private func isSame(
        _ name: String, as other: TokenizerFiles, in source: some ObjectSource
    ) throws(ObjectError) -> Bool {
        let (here, there) = (folder.file(name), other.folder.file(name))
        guard here?.id != there?.id else { return true }
        // A file that only one of them has may add nothing.
        let left = try content(of: name, in: source)
        return try left == other.content(of: name, in: source)
    }

    /// The identity of what a file says: SHA-256 of the canonical form of JSON, or else of its bytes.
    private func content(
        of name: String, in source: some ObjectSource
    ) throws(ObjectError) -> ObjectID? {
        guard let entry = folder.file(name) else {
            return Self.additions.contains(name) ? Self.identity(of: JSONObject()) : nil
        }
        guard
            var json = try folder.json(
                name, in: source, limit: Self.fileLimit, values: Self.valueLimit)
        else { return entry.id }
        switch name {
        case "tokenizer.json": Self.simplify(tokenizer: &json)
        case "special_tokens_map.json": Self.simplify(specialTokens: &json)
        default: break
        }
        return Self.identity(of: json)
    }

    private static func identity(of json: JSONObject) -> ObjectID {
        ObjectID(of: JSON.object(json).canonicalBytes.span)
    }

    // MARK: Forms of the same content

    /// Removes what does not change tokens, and what newer versions of the `tokenizers` library write differently.
    private static func simplify(tokenizer json: inout JSONObject) {
        json["truncation"] = nil
        json["padding"] = nil
        if let added = json["added_tokens"]?.array {
            json["added_tokens"] = .array(
                added.sorted { ($0["id"]?.integer ?? 0) < ($1["id"]?.integer ?? 0) })
        }
        guard var model = json["model"]?.object else { return }
        // Newer versions write these members even if they are off.
        for name in ["dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix"]
        where model[name] == .null { model[name] = nil }
        for name in ["fuse_unk", "byte_fallback", "ignore_merges"]
        where model[name] == .bool(false) { model[name] = nil }
        if let merges = model["merges"]?.array {
            // Older versions write a merge as one text, newer ones as a pair.
            model["merges"] = .array(
                merges.map { merge in
                    guard let pair = merge.array, pair.count == 2, let left = pair[0].string,
                        let right = pair[1].string
                    else { return merge }
                    return .string("\(left) \(right)")
                })
        }
        json["model"] = .object(model)
    }

    /// Reduces special tokens to their texts, without the one that fills batches.
    private static func simplify(specialTokens json: inout JSONObject) {
        json["pad_token"] = nil
        for member in json.members {
            if let text = member.value["content"] { json[member.key] = text }
        }
    }

    // MARK: Chat templates

    /// The chat templates by name; a file of its own takes precedence over `tokenizer_config.json`.
    private func templates(
        in source: some ObjectSource
    ) throws(ObjectError) -> [String: [UInt8]] {
        var templates: [String: [UInt8]] = [:]
        let config = try folder.json(Self.configName, in: source, limit: Self.templateLimit * 4)
        switch config?["chat_template"] {
        case .string(let text)?: templates["default"] = Self.rendered(Array(text.utf8))
        case .array(let named)?:
            for template in named {
                guard let name = template["name"]?.string, let text = template["template"]?.string
                else { continue }
                templates[name] = Self.rendered(Array(text.utf8))
            }
        default: break
        }
        if let file = folder.file(Self.templateName) {
            templates["default"] =
                file.size > Self.templateLimit
                ? Array(file.id.hex.utf8)
                : Self.rendered(try source.read(file.id, limit: Self.templateLimit))
        }
        return templates
    }

    /// A template as Jinja renders it: without the line feed at the end that editors add.
    private static func rendered(_ text: [UInt8]) -> [UInt8] {
        text.last == 0x0A ? Array(text.dropLast()) : text
    }
}
