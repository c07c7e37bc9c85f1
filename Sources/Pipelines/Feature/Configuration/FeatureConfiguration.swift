internal import Documents
public import Objects
public import Refs

/// What a run reads, how it cuts and embeds, and which ref it advances.
public struct FeatureConfiguration: Sendable {
    /// Where the repository is, when the configuration says so.
    public var repository: String?
    /// The ref that a run advances.
    public var ref: RefName
    /// Where documents come from; their prefixes are disjoint.
    public var sources: [DocumentSource]
    /// The most characters of a chunk.
    public var chunkSize: Int
    /// The most characters that a chunk repeats.
    public var chunkOverlap: Int
    /// What makes the vectors.
    public var embedder: EmbedderChoice
    /// What snapshots say of all this.
    public var params: JSONObject

    /// The ref where nothing is said.
    public static let defaultRef = "features/staging"

    /// Makes a configuration.
    public init(
        repository: String? = nil, ref: RefName, sources: [DocumentSource], chunkSize: Int = 1000,
        chunkOverlap: Int = 100, embedder: EmbedderChoice = .builtin(dimension: 384)
    ) {
        self.repository = repository
        self.ref = ref
        self.sources = sources
        self.chunkSize = chunkSize
        self.chunkOverlap = chunkOverlap
        self.embedder = embedder
        params = JSONObject()
        params["chunk"] = ["size": .integer(chunkSize), "overlap": .integer(chunkOverlap)]
        params["embed"] = embedder.params
        params["sources"] = .array(sources.map(Self.describe))
        let schema = AttributeSchema(
            Dictionary(
                sources.flatMap(\.attributes).map { ($0.name, $0.type) },
                uniquingKeysWith: { first, _ in first }))
        if !schema.types.isEmpty { params[AttributeSchema.param] = schema.json }
    }

    /// Without the place on this machine: two machines make the same snapshot of the same files.
    private static func describe(_ source: DocumentSource) -> JSON {
        var object = JSONObject()
        let name = source.location.utf8.split(separator: 0x2F).last.map { String(Substring($0)) }
        object["files"] = .string(name ?? source.location)
        if !source.prefix.isEmpty { object["name"] = .string(source.prefix) }
        object["include"] = .array(source.include.map { .string($0.text) })
        if !source.exclude.isEmpty {
            object["exclude"] = .array(source.exclude.map { .string($0.text) })
        }
        for member in source.readingParams { object[member.key] = member.value }
        return .object(object)
    }
}
