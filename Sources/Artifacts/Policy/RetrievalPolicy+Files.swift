public import Objects

extension RetrievalPolicy {
    /// The name of the file with the tensors.
    public static let tensorsName = "policy.safetensors"
    /// The name of the file that says what the tensors mean.
    public static let configName = "config.json"
    /// The version of the files' format and of the features' definitions.
    public static let version = 1
    /// The most bytes that either file may have: the table of frequencies takes 256 KiB.
    public static let fileLimit = 4 << 20

    private enum TensorNames {
        static let weights = "policy.weights"
        static let scale = "policy.scale"
        static let reference = "policy.reference"
        static let inverseFrequencies = "lexical.idf"
    }

    /// The bytes of ``tensorsName``: equal policies give equal bytes.
    public var tensors: [UInt8] {
        var entries = [
            TensorFile.Entry(name: TensorNames.weights, values: weights),
            TensorFile.Entry(name: TensorNames.scale, values: scale),
            TensorFile.Entry(
                name: TensorNames.inverseFrequencies, values: statistics.inverseFrequencies),
        ]
        if let reference {
            entries.append(TensorFile.Entry(name: TensorNames.reference, values: reference))
        }
        return TensorFile(entries).encoded
    }

    /// The bytes of ``configName``: canonical JSON.
    public var config: [UInt8] {
        let object: JSON = [
            "type": "retrieval-policy",
            "version": .integer(Self.version),
            "features": .array(PolicyFeature.allCases.map { .string($0.rawValue) }),
            "space": .string(space.hex),
            "candidates": .integer(candidates),
            "rows": .integer(statistics.rows),
            "meanWords": .number(statistics.meanWords),
        ]
        return object.canonicalBytes
    }

    /// Reads a policy from the bytes of its two files.
    ///
    /// - Throws: `malformed`, saying what is not as this version of the format has it.
    public init(tensors: [UInt8], config: [UInt8]) throws(ObjectError) {
        let kind = "retrieval policy"
        let description = try CanonicalDocument.read(config, as: kind, id: nil) {
            (reader) throws(JSONSchemaError) in try Description(&reader)
        }
        let file: TensorFile
        do {
            file = try TensorFile(decoding: tensors)
        } catch {
            throw .malformed(nil, as: kind, reason: error.reason, offset: nil)
        }
        let count = PolicyFeature.allCases.count
        func tensor(_ name: String, _ count: Int) throws(ObjectError) -> [Float] {
            guard let values = file.values(name, count: count) else {
                throw .malformed(
                    nil, as: kind, reason: "tensor \(name) must be \(count) finite F32 numbers",
                    offset: nil)
            }
            return values
        }
        self.init(
            weights: try tensor(TensorNames.weights, count),
            scale: try tensor(TensorNames.scale, count),
            reference: file.has(TensorNames.reference)
                ? try tensor(TensorNames.reference, count) : nil,
            statistics: LexicalStatistics(
                inverseFrequencies: try tensor(
                    TensorNames.inverseFrequencies, LexicalStatistics.places),
                meanWords: description.meanWords, rows: description.rows),
            space: description.space, candidates: description.candidates)
    }

    /// What `config.json` says.
    private struct Description {
        let space: ObjectID
        let candidates: Int
        let rows: Int
        let meanWords: Double

        init(_ reader: inout JSONObjectReader) throws(JSONSchemaError) {
            guard try reader.string("type").utf8.elementsEqual("retrieval-policy".utf8) else {
                throw reader.error("type", "must be retrieval-policy")
            }
            guard try reader.count("version") == RetrievalPolicy.version else {
                throw reader.error("version", "must be \(RetrievalPolicy.version)")
            }
            let names = try reader.array("features")
            guard names == PolicyFeature.allCases.map({ .string($0.rawValue) }) else {
                throw reader.error(
                    "features", "must be those of version \(RetrievalPolicy.version)")
            }
            space = try reader.objectID("space")
            candidates = try reader.count("candidates")
            guard 1...100_000 ~= candidates else {
                throw reader.error("candidates", "must be from 1 to 100000")
            }
            rows = try reader.count("rows")
            meanWords = try reader.number("meanWords")
            guard meanWords >= 1 else { throw reader.error("meanWords", "must be at least 1") }
        }
    }
}
