public import Objects

/// The identity of what makes vectors comparable.
///
/// It is stored as an object of canonical JSON, and the identity of that object is the identity of the
/// space. Two spaces with the same dimension are still different spaces.
public struct EmbeddingSpace: Hashable, Sendable {
    /// A text and the vector that the embedder gives it as a document.
    public struct Canary: Hashable, Sendable {
        /// The text.
        public let text: String
        /// Its vector, rounded to ``EmbeddingSpace/canaryDecimals`` decimals.
        public let vector: [Double]

        /// Makes a canary.
        public init(text: String, vector: [Double]) {
            self.text = text
            self.vector = vector
        }
    }

    /// The embedder's name.
    public var embedder: String
    /// The embedder's version.
    public var version: String
    /// The digest of its weights, or of the constants that take their place.
    public var weights: ObjectID
    /// The digest of its tokenizer's definition.
    public var tokenizer: ObjectID
    /// How vectors of parts become the vector of a text, such as `mean` or `sum`.
    public var pooling: String
    /// How vectors are scaled, such as `l2` or `none`.
    public var normalization: String
    /// What is put before a query.
    public var queryPrefix: String
    /// What is put before a document.
    public var documentPrefix: String
    /// What requests for vectors have beside the model and the texts, where the embedder is a service.
    public var request: RequestMembers
    /// The count of numbers in a vector.
    public var dimension: Int
    /// The type of the numbers, such as `fp32`.
    public var elementType: String
    /// The greatest difference of one number of a canary vector that counts as equal.
    public var tolerance: Double
    /// Texts with known vectors, which tell two embedders of one name apart.
    public var canaries: [Canary]

    /// The number of canaries in a space.
    public static let canaryCount = 8
    /// The decimals that canary vectors are rounded to: enough for any tolerance in use, and short.
    public static let canaryDecimals = 4

    /// Canary texts: plain prose, units, code, another script, accents, repetition, one word, nothing.
    public static let canaryTexts = [
        "The pump starts when the soil is drier than the threshold for ten minutes.",
        "Use a 24 V DC supply, 2.5 A, and keep the cable under 40 m.",
        "ftictl resolve models/current --json",
        "溫室的溫度在夜間保持十八度",
        "Überprüfen Sie die Größe der Düse, naïve café",
        "valve valve valve valve open open",
        "calibration",
        "",
    ]

    /// Makes a space from its parts.
    public init(
        embedder: String, version: String, weights: ObjectID, tokenizer: ObjectID,
        pooling: String, normalization: String, queryPrefix: String, documentPrefix: String,
        request: RequestMembers = RequestMembers(), dimension: Int, elementType: String,
        tolerance: Double, canaries: [Canary]
    ) {
        self.embedder = embedder
        self.version = version
        self.weights = weights
        self.tokenizer = tokenizer
        self.pooling = pooling
        self.normalization = normalization
        self.queryPrefix = queryPrefix
        self.documentPrefix = documentPrefix
        self.request = request
        self.dimension = dimension
        self.elementType = elementType
        self.tolerance = tolerance
        self.canaries = canaries
    }

    /// Whether the built-in embedder makes its vectors, which know nothing but words.
    var isBuiltin: Bool { embedder.utf8.elementsEqual(BuiltinEmbedder.name.utf8) }

    /// The identity of the space: that of the object with ``encoded``.
    public var id: ObjectID { ObjectID(of: encoded.span) }

    /// Rounds a vector as canaries are: ties away from zero, after the fourth decimal.
    public static func rounded(_ vector: [Float]) -> [Double] {
        vector.map { (Double($0) * 10_000).rounded() / 10_000 + 0 }
    }
}
