public import Artifacts
internal import Objects

/// What is known of an embedder behind a service: what it is asked for, and how its vectors are compared.
public struct ServiceModel: Hashable, Sendable {
    /// The embedder's name in spaces.
    public static let embedder = "api"

    /// What the service calls the model.
    public var name: String
    /// The count of numbers of its vectors.
    public var dimension: Int
    /// What is put before a query.
    public var queryPrefix = ""
    /// What is put before a document.
    public var documentPrefix = ""
    /// What requests have beside the model and the texts.
    public var request = RequestMembers()
    /// The greatest difference of one number of a canary that counts as equal.
    public var tolerance: Double
    /// Whether requests name the dimension, as they must where the model's own is greater: services that know one
    /// dimension only refuse such requests.
    var asksForDimension = false

    /// The dimensions that vectors can have.
    public static let dimensions = 1...16_384

    /// Describes a model.
    ///
    /// - Parameter tolerance: Nil for ``usualTolerance(dimension:)``.
    public init(_ name: String, dimension: Int, tolerance: Double? = nil) {
        self.name = name
        self.dimension = dimension
        self.tolerance = tolerance ?? Self.usualTolerance(dimension: dimension)
    }

    /// A tenth of the usual size of a number in a vector of length 1, to four decimals: servers repeat themselves
    /// to a few thousandths of that, and another model is several tenths away at the nearest.
    public static func usualTolerance(dimension: Int) -> Double {
        (1000 / Double(max(1, dimension)).squareRoot()).rounded(.up) / 10_000
    }

    /// The model that makes the vectors of a space; nil when that is no service.
    public init?(of space: EmbeddingSpace) {
        guard space.embedder.utf8.elementsEqual(Self.embedder.utf8) else { return nil }
        self.init(space.version, dimension: space.dimension, tolerance: space.tolerance)
        queryPrefix = space.queryPrefix
        documentPrefix = space.documentPrefix
        request = space.request
    }

    /// The space of the model's vectors, with the vectors that it gives the canary texts.
    ///
    /// Weights and tokenizer are hidden behind the service: the digests stand for the name, and the canaries are
    /// what tells that something behind it changed.
    /// The space that the service's vectors will most likely be of, without asking it: one that is known and
    /// that this model describes, else a new one.
    public func expectedSpace(among known: [EmbeddingSpace]) -> EmbeddingSpace {
        let fresh = space(canaries: [])
        return known.first { $0.declaredDifferences(from: fresh).isEmpty } ?? fresh
    }

    func space(canaries vectors: [[Float]]) -> EmbeddingSpace {
        EmbeddingSpace(
            embedder: Self.embedder, version: name, weights: Self.digest(of: "weights", name),
            tokenizer: Self.digest(of: "tokenizer", name), pooling: "service",
            normalization: "l2", queryPrefix: queryPrefix, documentPrefix: documentPrefix,
            request: request, dimension: dimension, elementType: "fp32", tolerance: tolerance,
            canaries: zip(Self.canaryTexts, vectors).map { text, vector in
                EmbeddingSpace.Canary(text: text, vector: EmbeddingSpace.rounded(vector))
            })
    }

    /// Services refuse an empty text, so that the last canary is another.
    static let canaryTexts: [String] =
        Array(EmbeddingSpace.canaryTexts.dropLast()) + [
            "Press and hold for 5 s; the light turns amber."
        ]

    private static func digest(of part: String, _ name: String) -> ObjectID {
        let definition: JSON = ["hidden": .string(part), "model": .string(name)]
        return ObjectID(of: definition.canonicalBytes.span)
    }
}
