internal import Conditions
internal import Documents
public import Objects
public import Refs
internal import Storage
internal import YAML

/// The configuration of a run: what it reads, how it cuts and embeds, and which ref it updates.
public struct FeatureConfiguration: Sendable {
    /// The path of the repository; nil when the configuration names none.
    public var repository: String?
    /// The ref that the run updates.
    public var ref: RefName
    /// The sources of documents; no prefix contains another.
    public var sources: [DocumentSource]
    /// What lengths of chunks count.
    public enum ChunkUnit: String, Sendable {
        /// Unicode scalars.
        case characters
        /// Tokens of the embedder's model.
        case tokens
    }

    /// The maximum length of a chunk.
    public var chunkSize: Int
    /// The maximum length of what a chunk repeats from the previous one.
    public var chunkOverlap: Int
    /// What the two count.
    public var chunkUnit: ChunkUnit
    /// The embedder of the run.
    public var embedder: EmbedderChoice
    /// The configuration as snapshots record it.
    public var params: JSONObject

    /// The ref when the configuration names none.
    public static let defaultRef = "features/staging"

    /// Makes a configuration.
    public init(
        repository: String? = nil, ref: RefName, sources: [DocumentSource], chunkSize: Int = 1000,
        chunkOverlap: Int = 100, chunkUnit: ChunkUnit = .characters,
        embedder: EmbedderChoice = .builtin(dimension: 384)
    ) {
        self.repository = repository
        self.ref = ref
        self.sources = sources
        self.chunkSize = chunkSize
        self.chunkOverlap = chunkOverlap
        self.chunkUnit = chunkUnit
        self.embedder = embedder
        params = JSONObject()
        var chunk = JSONObject()
        chunk["size"] = .integer(chunkSize)
        chunk["overlap"] = .integer(chunkOverlap)
        if chunkUnit != .characters { chunk["unit"] = .string(chunkUnit.rawValue) }
        params["chunk"] = .object(chunk)
        params["embed"] = embedder.params
        params["sources"] = .array(sources.map(Self.describe))
        let schema = AttributeSchema(
            Dictionary(
                sources.flatMap(\.attributes).map { ($0.name, $0.type) },
                uniquingKeysWith: { first, _ in first }))
        if !schema.types.isEmpty { params[AttributeSchema.param] = schema.json }
    }

    /// The source without the path to its location, so that two machines make equal snapshots of equal files.
    private static func describe(_ source: DocumentSource) -> JSON {
        var object = JSONObject()
        object["files"] = .string(source.lastName ?? source.location)
        if !source.prefix.isEmpty { object["name"] = .string(source.prefix) }
        object["include"] = .array(source.include.map { .string($0.text) })
        if !source.exclude.isEmpty {
            object["exclude"] = .array(source.exclude.map { .string($0.text) })
        }
        for member in source.readingParams { object[member.key] = member.value }
        return .object(object)
    }
}

extension FeatureConfiguration {
    /// The maximum number of bytes of a configuration file.
    private static let sizeLimit = 1 << 20

    /// Reads a configuration file; relative paths start at its folder.
    ///
    /// - Throws: `configuration`, with the line of the mistake; `notFeatures` when the ref is not in `features/`;
    ///   `storage` when the file cannot be read.
    public init(reading path: String) throws(FeatureError) {
        let bytes = try wrapping(
            LocalFile.read(path, limit: Self.sizeLimit), as: FeatureError.storage)
        try self.init(
            yaml: String(decoding: bytes, as: UTF8.self), path: path,
            folder: YAMLMapping.folder(of: path))
    }

    /// Parses a configuration.
    ///
    /// - Parameters:
    ///   - yaml: The text of the file.
    ///   - path: The path that error messages name.
    ///   - folder: The folder where relative paths start.
    /// - Throws: `configuration`, with the line of the mistake; `notFeatures` when the ref is not in `features/`.
    public init(yaml: String, path: String, folder: String) throws(FeatureError) {
        do throws(ConfigurationError) {
            try self.init(parsing: yaml, path: path, folder: folder)
        } catch {
            throw .configuration(path: error.path, line: error.line, reason: error.reason)
        }
        guard ref.namespace == .features else { throw .notFeatures(ref) }
    }

    private init(parsing yaml: String, path: String, folder: String) throws(ConfigurationError) {
        func located(_ text: String) -> String { YAMLMapping.located(text, in: folder) }
        var top = try YAMLMapping(document: yaml, path: path)
        let repository = try top.text("repo").map { located($0.value) }
        let ref: RefName
        let name = try top.text("ref")
        do throws(RefError) {
            ref = try RefName(name?.value ?? Self.defaultRef)
        } catch { throw top.error(error.message, line: name?.line) }

        var sources: [(source: DocumentSource, line: Int?)] = []
        let items = try top.mappings("sources")
        guard let items, !items.isEmpty else {
            throw top.error("sources is missing: list the folders to read")
        }
        for var item in items {
            guard let files = try item.text("files") else {
                throw item.error("files is missing: name a folder or a file")
            }
            let location = located(files.value)
            var source = DocumentSource(location: Self.withoutEndingSlash(location))
            let name = try item.text("name")
            if let name { source.prefix = try Self.prefix(name.value, item, line: name.line) }
            try source.readContents(&item)
            if name == nil, items.count > 1 { source.prefix = source.lastName ?? "" }
            sources.append((source, item.line))
        }
        try Self.checkDisjoint(sources, top)
        try Self.checkTypes(of: sources, top)

        var chunk = try top.mapping("chunk")
        let size = try chunk?.integer("size")
        let overlap = try chunk?.integer("overlap")
        let unit = try chunk?.text("unit")
        try chunk?.finish(known: ["size", "overlap", "unit"])
        guard let chunkUnit = ChunkUnit(rawValue: unit?.value ?? ChunkUnit.characters.rawValue)
        else {
            throw top.error(
                "chunk.unit is \(unit?.value ?? ""): it must be characters or tokens",
                line: unit?.line)
        }
        let chunkSize = size?.value ?? (chunkUnit == .tokens ? 200 : 1000)
        let chunkOverlap = overlap?.value ?? min(100, chunkSize / 10)
        guard RecursiveSplitter.sizes.contains(chunkSize) else {
            let range = RecursiveSplitter.sizes
            throw top.error(
                "chunk.size is \(chunkSize): it must be from \(range.lowerBound) to \(range.upperBound)",
                line: size?.line)
        }
        guard RecursiveSplitter.isValid(size: chunkSize, overlap: chunkOverlap) else {
            throw top.error(
                "chunk.overlap is \(chunkOverlap): it must be from 0 to half of chunk.size",
                line: overlap?.line)
        }

        let embedder = try EmbedderChoice(try top.mapping("embed"))
        try top.finish(known: ["repo", "ref", "sources", "chunk", "embed"])
        self.init(
            repository: repository, ref: ref, sources: sources.map(\.source), chunkSize: chunkSize,
            chunkOverlap: chunkOverlap, chunkUnit: chunkUnit, embedder: embedder)
        if case .bert = embedder {
        } else if chunkUnit == .tokens {
            throw top.error(
                "chunk.unit is tokens, but only the embedder bert says what a token is",
                line: unit?.line)
        }
    }

    private static func withoutEndingSlash(_ path: String) -> String {
        var bytes = Array(path.utf8)
        while bytes.count > 1, bytes.last == 0x2F { bytes.removeLast() }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Checks that a name consists of non-empty path components.
    private static func prefix(
        _ name: String, _ item: YAMLMapping, line: Int?
    ) throws(ConfigurationError) -> String {
        let components = name.utf8.split(separator: 0x2F, omittingEmptySubsequences: false)
        guard components.allSatisfy({ !$0.isEmpty }) else {
            throw item.error("name is empty or has an empty component", line: line)
        }
        return name
    }

    /// Checks that no prefix equals or contains another, because document paths would collide.
    private static func checkDisjoint(
        _ sources: [(source: DocumentSource, line: Int?)], _ top: YAMLMapping
    ) throws(ConfigurationError) {
        for (index, (source, line)) in sources.enumerated() {
            for (other, _) in sources[..<index] {
                let (a, b) = ("\(source.prefix)/", "\(other.prefix)/")
                guard a.utf8.starts(with: b.utf8) || b.utf8.starts(with: a.utf8) else { continue }
                throw top.error(
                    "two sources share the document path "
                        + "\(other.prefix.isEmpty ? "/" : other.prefix): give each its own name",
                    line: line)
            }
        }
    }
}
