public import Objects

extension Ranker {
    /// The name of the file with the tensors.
    public static let tensorsName = "ranker.safetensors"
    /// The name of the file that says what the tensors mean.
    public static let configName = "config.json"
    /// The version of the files' format and of the signals' definitions.
    public static let version = 3
    /// The most bytes that either file may have.
    public static let fileLimit = 1 << 20

    private enum TensorNames {
        static let weights = "ranker.weights"
        static let scale = "ranker.scale"
        static let reference = "ranker.reference"
    }

    /// The bytes of ``tensorsName``: equal rankers give equal bytes.
    public var tensors: [UInt8] {
        var entries = [
            TensorFile.Entry(name: TensorNames.weights, values: weights),
            TensorFile.Entry(name: TensorNames.scale, values: scale),
        ]
        if let reference {
            entries.append(TensorFile.Entry(name: TensorNames.reference, values: reference))
        }
        return TensorFile(entries).encoded
    }

    /// The bytes of ``configName``: canonical JSON.
    public var config: [UInt8] {
        let object: JSON = [
            "type": "ranker",
            "version": .integer(Self.version),
            "signals": .array(Signal.allCases.map { .string($0.rawValue) }),
            "space": .string(space.hex),
            "retrieval": retrieval.json,
            "answering": answering.json,
        ]
        return object.canonicalBytes
    }

    /// Reads a ranker from the bytes of its two files.
    ///
    /// - Throws: `malformed`, saying what is not as this version of the format has it.
    public init(tensors: [UInt8], config: [UInt8]) throws(ObjectError) {
        let kind = "ranker"
        let description = try CanonicalDocument.read(config, as: kind, id: nil) {
            (reader) throws(JSONSchemaError) in try Description(&reader)
        }
        let file: TensorFile
        do {
            file = try TensorFile(decoding: tensors)
        } catch {
            throw .malformed(nil, as: kind, reason: error.reason, offset: nil)
        }
        let count = Signal.allCases.count
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
            space: description.space, retrieval: description.retrieval,
            answering: description.answering)
    }

    /// What `config.json` says.
    private struct Description {
        let space: ObjectID
        let retrieval: RetrievalSettings
        let answering: AnsweringRule

        init(_ reader: inout JSONObjectReader) throws(JSONSchemaError) {
            guard try reader.string("type").utf8.elementsEqual("ranker".utf8) else {
                throw reader.error("type", "must be ranker")
            }
            guard try reader.count("version") == Ranker.version else {
                throw reader.error(
                    "version",
                    "must be \(Ranker.version): another version of fti made it; train it again")
            }
            let names = try reader.array("signals")
            guard names == Signal.allCases.map({ .string($0.rawValue) }) else {
                throw reader.error(
                    "signals", "must be those of version \(Ranker.version)")
            }
            space = try reader.objectID("space")
            retrieval = try reader.nested("retrieval") { (inner) throws(JSONSchemaError) in
                try RetrievalSettings(&inner)
            }
            answering = try reader.nested("answering") { (inner) throws(JSONSchemaError) in
                try AnsweringRule(&inner)
            }
        }
    }
}
