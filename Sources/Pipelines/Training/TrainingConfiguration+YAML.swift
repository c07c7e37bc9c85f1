internal import Artifacts
internal import Objects
internal import Yams

extension TrainingConfiguration {
    /// Longer files are no configuration.
    private static let sizeLimit = 1 << 20

    /// Reads a configuration file.
    ///
    /// - Throws: `configuration` with what is wrong; `storage` when it cannot be read or is too large.
    public init(reading path: String) throws(TrainingError) {
        let bytes = try WholeFile.read(path, limit: Self.sizeLimit)
        try self.init(yaml: String(decoding: bytes, as: UTF8.self), path: path)
    }

    /// Reads a configuration; keys that are not known are refused, so that a misspelt one is noticed.
    ///
    /// - Parameters:
    ///   - yaml: The text of the file.
    ///   - path: Its path: relative paths in it start from its folder, and errors name it.
    public init(yaml: String, path: String) throws(TrainingError) {
        self.init()
        guard !YAMLAliases.arePossible(in: yaml) else {
            throw .configuration(
                path: path, reason: "it has an alias (*name): write the value itself")
        }
        let node: Node?
        do {
            // Which type a scalar has is asked for, not guessed by regular expressions.
            node = try Yams.compose(yaml: yaml, .basic)
        } catch let error as YamlError {
            throw .configuration(path: path, reason: "not YAML: \(error)")
        } catch {
            throw .configuration(path: path, reason: "not YAML")
        }
        guard let node, node.null == nil else { return }
        let folder = Self.folder(of: path)
        var reader = try YAMLReader(node, name: nil, path: path)
        repository = try reader.text("repo").map { Self.resolve($0, in: folder) }
        features = try reader.text("features") ?? features
        questions = try reader.text("questions").map { Self.resolve($0, in: folder) }
        preferences = try reader.text("preferences").map { Self.resolve($0, in: folder) }
        model = try reader.text("model") ?? model
        let candidates = try reader.whole("candidates", RetrievalSettings.candidateRange)
        retrieval.candidates = candidates ?? retrieval.candidates
        if var inner = try reader.section("retrieval") {
            if let mode = try inner.text("mode") {
                guard let mode = RetrievalSettings.Mode(rawValue: mode) else {
                    throw inner.refuse("mode", "hybrid, vector or lexical")
                }
                retrieval.mode = mode
            }
            if let own = try inner.whole("candidates", RetrievalSettings.candidateRange) {
                guard candidates == nil else {
                    throw inner.refuse("candidates", "left out where candidates is there too")
                }
                retrieval.candidates = own
            }
            retrieval.k = try inner.whole("k", RetrievalSettings.countRange) ?? retrieval.k
            retrieval.perDocument =
                try inner.whole("perDocument", 0...RetrievalSettings.countRange.upperBound)
                ?? retrieval.perDocument
            try inner.finish()
        }
        if var inner = try reader.section("datasets") {
            supervisedDataset = try inner.text("sft") ?? supervisedDataset
            preferenceDataset = try inner.text("dpo") ?? preferenceDataset
            try inner.finish()
        }
        if var inner = try reader.section("split") {
            split.heldOut = try inner.number("heldout", 0...1) ?? split.heldOut
            split.seed = try inner.whole("seed", 0...JSON.largestInteger) ?? split.seed
            try inner.finish()
        }
        if var inner = try reader.section("sft") {
            supervised.epochs = try inner.whole("epochs", 0...100_000) ?? supervised.epochs
            supervised.rate = try inner.number("rate", 1e-9...1000) ?? supervised.rate
            supervised.l2 = try inner.number("l2", 0...1000) ?? supervised.l2
            try inner.finish()
        }
        if var inner = try reader.section("dpo") {
            preference.epochs = try inner.whole("epochs", 0...100_000) ?? preference.epochs
            preference.rate = try inner.number("rate", 1e-9...1000) ?? preference.rate
            preference.beta = try inner.number("beta", 1e-9...1000) ?? preference.beta
            preference.l2 = try inner.number("l2", 0...1000) ?? preference.l2
            preference.retain = try inner.number("retain", 0...1000) ?? preference.retain
            try inner.finish()
        }
        if var inner = try reader.section("evaluate") {
            recallDepth = try inner.whole("k", 1...1000) ?? recallDepth
            try inner.finish()
        }
        try reader.finish()
    }

    private static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "" }
        return String(path[...slash])
    }

    private static func resolve(_ path: String, in folder: String) -> String {
        path.utf8.first == 0x2F ? path : folder + path
    }
}

/// Takes the keys of a YAML mapping one by one, and at the end insists that none is left over.
private struct YAMLReader {
    private let path: String
    private let prefix: String
    private var remaining: [(key: String, value: Node)] = []

    init(_ node: Node, name: String?, path: String) throws(TrainingError) {
        self.path = path
        prefix = name.map { "\($0)." } ?? ""
        guard let mapping = node.mapping else {
            throw .configuration(path: path, reason: "\(name ?? "the file") must be a mapping")
        }
        for (key, value) in mapping {
            guard let key = key.string else {
                throw .configuration(path: path, reason: "a key must be text")
            }
            remaining.append((key, value))
        }
    }

    private mutating func take(_ key: String) -> Node? {
        guard let index = remaining.firstIndex(where: { $0.key == key }) else { return nil }
        let node = remaining.remove(at: index).value
        return node.null == nil ? node : nil
    }

    func refuse(_ key: String, _ expected: String) -> TrainingError {
        .configuration(path: path, reason: "\(prefix)\(key) must be \(expected)")
    }

    mutating func text(_ key: String) throws(TrainingError) -> String? {
        guard let node = take(key) else { return nil }
        guard let text = node.scalar?.string, !text.isEmpty else { throw refuse(key, "text") }
        return text
    }

    /// The text of a scalar without quotes. What YAML 1.1 makes of it, such as numbers to the base of 60, is not wanted.
    private static func plain(_ node: Node) -> String? {
        guard case .scalar(let scalar) = node, scalar.style == .plain else { return nil }
        return scalar.string
    }

    mutating func whole(_ key: String, _ range: ClosedRange<Int>) throws(TrainingError) -> Int? {
        guard let node = take(key) else { return nil }
        guard let value = Self.plain(node).flatMap({ Int($0) }), range.contains(value) else {
            throw refuse(key, "a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }

    mutating func number(
        _ key: String, _ range: ClosedRange<Double>
    ) throws(TrainingError) -> Double? {
        guard let node = take(key) else { return nil }
        guard let value = Self.plain(node).flatMap({ Double($0) }), range.contains(value) else {
            throw refuse(key, "a number from \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }

    mutating func section(_ key: String) throws(TrainingError) -> YAMLReader? {
        guard let node = take(key) else { return nil }
        return try YAMLReader(node, name: key, path: path)
    }

    func finish() throws(TrainingError) {
        if let key = remaining.first?.key {
            throw .configuration(path: path, reason: "\(prefix)\(key) is not known here")
        }
    }
}
