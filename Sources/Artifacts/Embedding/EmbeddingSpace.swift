public import Objects

/// The identity of everything that makes vectors comparable.
///
/// A space is stored as an object of canonical JSON, and the identity of that object is the identity of the space.
/// Vectors of the same dimension may still belong to different spaces.
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

    /// The embedder's name; ``serviceName`` for a service.
    public var embedder: String
    /// The embedder's version; for a service, the name of its model.
    public var version: String
    /// The digest of the weights, or of the constants that replace them.
    public var weights: ObjectID
    /// The digest of the tokenizer's definition.
    public var tokenizer: ObjectID
    /// How the embedder combines vectors of parts into the vector of a text, such as `mean` or `sum`.
    public var pooling: String
    /// How the embedder scales vectors, such as `l2` or `none`.
    public var normalization: String
    /// The text prepended to every query.
    public var queryPrefix: String
    /// The text prepended to every document.
    public var documentPrefix: String
    /// The extra members of each request, where the embedder is a service.
    public var request: RequestMembers
    /// What the embedder needs to know of its model besides ``weights`` and ``tokenizer``. These are then objects of the
    /// repository, which stay as long as the space. Nil for embedders without stored weights.
    public var encoder: JSONObject?
    /// The number of components of a vector.
    public var dimension: Int
    /// The type of the components, such as `fp32`.
    public var elementType: String
    /// The largest difference in one component of a canary vector that still counts as equal.
    public var tolerance: Double
    /// Texts with known vectors, which tell two embedders of the same name apart.
    public var canaries: [Canary]

    /// The number of canaries in a space.
    public static let canaryCount = 8
    /// The number of decimals in canary vectors: few, but enough for any tolerance in use.
    public static let canaryDecimals = 4

    /// Canary texts: plain prose, units, code, another script, accents, repetition, a single word, and the empty text.
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
        request: RequestMembers = RequestMembers(), encoder: JSONObject? = nil, dimension: Int,
        elementType: String, tolerance: Double, canaries: [Canary]
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
        self.encoder = encoder
        self.dimension = dimension
        self.elementType = elementType
        self.tolerance = tolerance
        self.canaries = canaries
    }

    /// The name of the embedder in spaces whose vectors come from a service.
    public static let serviceName = "api"

    /// Whether the built-in embedder makes its vectors, which reflect words only.
    public var isBuiltin: Bool { embedder.utf8.elementsEqual(BuiltinEmbedder.name.utf8) }

    /// Whether a service makes its vectors.
    public var isService: Bool { embedder.utf8.elementsEqual(Self.serviceName.utf8) }

    /// The text prepended to texts of a role.
    public func prefix(of role: EmbeddingRole) -> String {
        role == .query ? queryPrefix : documentPrefix
    }

    /// The identity of the object whose bytes are ``encoded``.
    public var id: ObjectID { ObjectID(of: encoded.span) }

    /// Rounds a vector to ``canaryDecimals`` decimals, with ties away from zero.
    public static func rounded(_ vector: [Float]) -> [Double] {
        vector.map { (Double($0) * 10_000).rounded() / 10_000 + 0 }
    }
}

/// Extra members of every request to an embedding service, besides the model and the texts, such as `input_type`.
///
/// They affect the vectors, so they are part of the embedding space.
public struct RequestMembers: Hashable, Sendable {
    /// The members of a request for vectors of documents.
    public let document: JSONObject
    /// The members of a request for vectors of questions.
    public let query: JSONObject

    /// Makes the members of both kinds of requests.
    public init(document: JSONObject = JSONObject(), query: JSONObject = JSONObject()) {
        self.document = document
        self.query = query
    }

    /// Reads the members from the JSON of a space.
    init(_ reader: inout JSONObjectReader) throws(JSONSchemaError) {
        self.init(document: try reader.object("document"), query: try reader.object("query"))
    }

    /// Whether requests hold nothing but the model and the texts.
    public var isEmpty: Bool { document.isEmpty && query.isEmpty }

    /// The members for a role.
    public subscript(role: EmbeddingRole) -> JSONObject {
        switch role {
        case .document: document
        case .query: query
        }
    }

    /// The members as stored in spaces and snapshots.
    public var json: JSON { ["document": .object(document), "query": .object(query)] }

    /// The members as canonical JSON for messages; empty when there are none.
    var text: String { isEmpty ? "" : json.canonicalText }
}

extension EmbeddingSpace {
    /// The stored bytes: canonical JSON.
    public var encoded: [UInt8] {
        var object = JSONObject()
        object["type"] = "space"
        object["embedder"] = ["name": .string(embedder), "version": .string(version)]
        object["weights"] = .string(weights.hex)
        object["tokenizer"] = .string(tokenizer.hex)
        object["pooling"] = .string(pooling)
        object["normalization"] = .string(normalization)
        object["queryPrefix"] = .string(queryPrefix)
        object["documentPrefix"] = .string(documentPrefix)
        if !request.isEmpty { object["request"] = request.json }
        if let encoder { object["encoder"] = .object(encoder) }
        object["dimension"] = .integer(dimension)
        object["elementType"] = .string(elementType)
        object["tolerance"] = .number(tolerance)
        object["canaries"] = .array(
            canaries.map { canary in
                [
                    "text": .string(canary.text),
                    "vector": .array(canary.vector.map { .number($0) }),
                ]
            })
        return JSON.object(object).canonicalBytes
    }

    /// Stores the space and returns its identity.
    @discardableResult
    public func write(to sink: some ObjectSink) throws(ObjectError) -> ObjectID {
        try sink.write(encoded, hint: .structured)
    }

    /// Reads a stored space.
    ///
    /// - Throws: `missing` or `malformed`; rethrows errors of the source.
    public init(_ id: ObjectID, in source: some ObjectSource) throws(ObjectError) {
        try self.init(decoding: try source.read(id, limit: structuredObjectLimit), id: id)
    }

    /// Reads a space; refuses everything but its canonical encoding.
    public init(decoding bytes: [UInt8], id: ObjectID? = nil) throws(ObjectError) {
        self = try CanonicalDocument.read(bytes, as: "embedding space", id: id) {
            (reader) throws(JSONSchemaError) in try EmbeddingSpace(&reader)
        }
    }

    private init(_ reader: inout JSONObjectReader) throws(JSONSchemaError) {
        guard try reader.string("type").utf8.elementsEqual("space".utf8) else {
            throw reader.error("type", "must be space")
        }
        let name = try reader.nested("embedder") { (inner) throws(JSONSchemaError) in
            (try inner.string("name"), try inner.string("version"))
        }
        let dimension = try reader.count("dimension")
        var canaries: [Canary] = []
        for (index, json) in try reader.array("canaries").enumerated() {
            guard let object = json.object else {
                throw reader.error("canaries[\(index)]", "must be an object")
            }
            var inner = JSONObjectReader(object, path: "canaries[\(index)]")
            let text = try inner.string("text")
            let vector = try inner.array("vector").compactMap(\.number)
            try inner.finish()
            guard vector.count == dimension else {
                throw inner.error("vector", "must have \(dimension) numbers")
            }
            canaries.append(Canary(text: text, vector: vector))
        }
        guard canaries.count == Self.canaryCount else {
            throw reader.error("canaries", "must be \(Self.canaryCount)")
        }
        let tolerance = try reader.number("tolerance")
        let request =
            reader.has("request")
            ? try reader.nested("request") { (inner) throws(JSONSchemaError) in
                try RequestMembers(&inner)
            } : RequestMembers()
        let encoder = reader.has("encoder") ? try reader.object("encoder") : nil
        guard tolerance >= 0 else { throw reader.error("tolerance", "must not be negative") }
        self.init(
            embedder: name.0, version: name.1, weights: try reader.objectID("weights"),
            tokenizer: try reader.objectID("tokenizer"), pooling: try reader.string("pooling"),
            normalization: try reader.string("normalization"),
            queryPrefix: try reader.string("queryPrefix"),
            documentPrefix: try reader.string("documentPrefix"), request: request,
            encoder: encoder, dimension: dimension, elementType: try reader.string("elementType"),
            tolerance: tolerance,
            canaries: canaries)
    }
}

extension EmbeddingSpace {
    /// Checks that an embedder reproduces the canaries of this space.
    ///
    /// - Throws: `canaryDiffers`; rethrows errors of the embedder.
    public func check(_ embedder: some Embedder) throws(EmbeddingError) {
        try check(try embedder.embed(canaries.map(\.text), as: .document))
    }

    /// Checks that vectors match the canaries, in order.
    ///
    /// - Throws: `canaryDiffers`.
    public func check(_ vectors: [[Float]]) throws(EmbeddingError) {
        guard let (canary, difference) = firstDifference(from: vectors) else { return }
        throw .canaryDiffers(
            space: id, canary: canary, difference: difference, tolerance: tolerance)
    }

    /// The first canary whose vector differs by more than ``tolerance``, and the largest difference in one component;
    /// nil if all vectors match. A vector that is missing, has another length or contains NaN differs infinitely.
    public func firstDifference(from vectors: [[Float]]) -> (canary: Int, difference: Double)? {
        for (index, canary) in canaries.enumerated() {
            let vector = index < vectors.count ? vectors[index] : []
            var difference = vector.count == canary.vector.count ? 0 : Double.infinity
            for (actual, expected) in zip(vector, canary.vector) {
                let distance = (Double(actual) - expected).magnitude
                difference = distance.isNaN ? .infinity : max(difference, distance)
            }
            if difference > tolerance { return (index, difference) }
        }
        return nil
    }

    /// The differences from another space, in words; empty for the same space.
    public func differences(from other: EmbeddingSpace) -> [String] {
        var result = declaredDifferences(from: other)
        if canaries != other.canaries { result.append("other canaries") }
        return result
    }

    /// The differences from another space, in words, without comparing canaries.
    public func declaredDifferences(from other: EmbeddingSpace) -> [String] {
        func quoted(_ text: String) -> String { text.isEmpty ? "none" : text }
        let texts = [
            ("embedder", embedder, other.embedder), ("version", version, other.version),
            ("pooling", pooling, other.pooling),
            ("normalization", normalization, other.normalization),
            ("query prefix", queryPrefix, other.queryPrefix),
            ("document prefix", documentPrefix, other.documentPrefix),
            ("request", request.text, other.request.text),
            ("encoder", encoderText, other.encoderText),
            ("dimension", "\(dimension)", "\(other.dimension)"),
            ("element type", elementType, other.elementType),
            ("tolerance", "\(tolerance)", "\(other.tolerance)"),
        ].filter { !$0.1.utf8.elementsEqual($0.2.utf8) }
        let digests = [
            ("weights", weights, other.weights), ("tokenizer", tokenizer, other.tokenizer),
        ].filter { $0.1 != $0.2 }
        return digests.map { "\($0.0) \($0.1.short), not \($0.2.short)" }
            + texts.map { "\($0.0) \(quoted($0.1)), not \(quoted($0.2))" }
    }

    private var encoderText: String { encoder.map { JSON.object($0).canonicalText } ?? "" }

    /// This program's embedder for this space, with its canaries checked.
    ///
    /// The embedder must match the whole description: one whose tokenizer differs is a different embedder, even if it
    /// reproduces the canaries.
    ///
    /// - Throws: `unavailable` without such an embedder; `embedderDiffers` or `canaryDiffers` when it does not match.
    public func availableEmbedder() throws(EmbeddingError) -> any Embedder {
        guard embedder.utf8.elementsEqual(BuiltinEmbedder.name.utf8),
            version.utf8.elementsEqual(BuiltinEmbedder.version.utf8),
            BuiltinEmbedder.dimensions.contains(dimension), dimension.isMultiple(of: 8)
        else { throw .unavailable(space: id, embedder: embedder, version: version) }
        let builtin = try BuiltinEmbedder(dimension: dimension)
        let differences = declaredDifferences(from: builtin.space)
        guard differences.isEmpty else {
            throw .embedderDiffers(space: id, differences: differences)
        }
        try check(builtin)
        guard builtin.space.id == id else {
            throw .embedderDiffers(space: id, differences: ["other canaries"])
        }
        return builtin
    }
}
