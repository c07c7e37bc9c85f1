public import Objects

extension EmbeddingSpace {
    /// The bytes that are stored: canonical JSON.
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
    /// - Throws: `missing`, `malformed`, or what the source throws.
    public init(_ id: ObjectID, in source: some ObjectSource) throws(ObjectError) {
        try self.init(decoding: try source.read(id, limit: structuredObjectLimit), id: id)
    }

    /// Reads a space; anything but its one canonical encoding is refused.
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
        guard tolerance >= 0 else { throw reader.error("tolerance", "must not be negative") }
        self.init(
            embedder: name.0, version: name.1, weights: try reader.objectID("weights"),
            tokenizer: try reader.objectID("tokenizer"), pooling: try reader.string("pooling"),
            normalization: try reader.string("normalization"),
            queryPrefix: try reader.string("queryPrefix"),
            documentPrefix: try reader.string("documentPrefix"), request: request,
            dimension: dimension, elementType: try reader.string("elementType"),
            tolerance: tolerance,
            canaries: canaries)
    }
}
