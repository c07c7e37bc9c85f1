public import Artifacts
internal import Objects

/// A model behind an embedding service: how to request it, and how to compare its vectors.
public struct ServiceModel: Hashable, Sendable {

    /// The service's name for the model.
    public var name: String
    /// The number of components of its vectors.
    public var dimension: Int
    /// The text prepended to every query.
    public var queryPrefix = ""
    /// The text prepended to every document.
    public var documentPrefix = ""
    /// Request members besides the model and the texts.
    public var request = RequestMembers()
    /// The largest difference in one component of a canary vector that still counts as equal.
    public var tolerance: Double
    /// Whether requests set the dimension.
    ///
    /// Requests must set it where the model's own dimension is greater; services with a fixed dimension often refuse
    /// such requests.
    var asksForDimension = false

    /// The supported dimensions.
    public static let dimensions = 1...16_384

    /// Describes a model.
    ///
    /// - Parameter tolerance: The tolerance of the canaries; nil for ``usualTolerance(dimension:)``.
    public init(_ name: String, dimension: Int, tolerance: Double? = nil) {
        self.name = name
        self.dimension = dimension
        self.tolerance = tolerance ?? Self.usualTolerance(dimension: dimension)
    }

    /// A tenth of the typical size of a unit vector's component, rounded up to four decimals.
    ///
    /// Repeated requests differ by a few thousandths of the typical size, and other models by at least several tenths
    /// of it.
    public static func usualTolerance(dimension: Int) -> Double {
        (1000 / Double(max(1, dimension)).squareRoot()).rounded(.up) / 10_000
    }

    /// The model that makes the vectors of a space; nil when the space belongs to no service.
    public init?(of space: EmbeddingSpace) {
        guard space.isService else { return nil }
        self.init(space.version, dimension: space.dimension, tolerance: space.tolerance)
        queryPrefix = space.queryPrefix
        documentPrefix = space.documentPrefix
        request = space.request
    }

    /// The space that the vectors will most likely belong to, found without a request: a known one that this model
    /// describes, otherwise a new one.
    public func expectedSpace(among known: [EmbeddingSpace]) -> EmbeddingSpace {
        let fresh = space(canaries: [])
        return known.first { $0.declaredDifferences(from: fresh).isEmpty } ?? fresh
    }

    /// The space of the model's vectors, given the vectors of the canary texts.
    ///
    /// A service hides its weights and its tokenizer: digests of the model's name stand in for theirs, so only the
    /// canaries reveal that the service changed the model.
    func space(canaries vectors: [[Float]]) -> EmbeddingSpace {
        EmbeddingSpace(
            embedder: EmbeddingSpace.serviceName, version: name,
            weights: Self.digest(of: "weights", name),
            tokenizer: Self.digest(of: "tokenizer", name), pooling: "service",
            normalization: "l2", queryPrefix: queryPrefix, documentPrefix: documentPrefix,
            request: request, dimension: dimension, elementType: "fp32", tolerance: tolerance,
            canaries: zip(Self.canaryTexts, vectors).map { text, vector in
                EmbeddingSpace.Canary(text: text, vector: EmbeddingSpace.rounded(vector))
            })
    }

    /// Services refuse an empty text, so the last canary is a different one.
    static let canaryTexts: [String] =
        Array(EmbeddingSpace.canaryTexts.dropLast()) + [
            "Press and hold for 5 s; the light turns amber."
        ]

    private static func digest(of part: String, _ name: String) -> ObjectID {
        let definition: JSON = ["hidden": .string(part), "model": .string(name)]
        return ObjectID(of: definition.canonicalBytes.span)
    }
}
