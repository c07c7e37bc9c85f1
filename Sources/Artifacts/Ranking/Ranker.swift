public import Objects

/// The model that training produces: it scores how well a row answers a question by a weighted sum of human-readable
/// signals.
public struct Ranker: Hashable, Sendable {
    /// The weights of the scaled signals, in the order of ``Signal``.
    public var weights: [Float]
    /// The factor of each signal, which makes weights comparable: 1 / its standard deviation, or 1 if it hardly varies.
    public var scale: [Float]
    /// The weights that preference training started from and was measured against.
    public var reference: [Float]?
    /// The embedding space of the vectors that it compares.
    public var space: ObjectID
    /// How to find the rows that it ranks.
    public var retrieval: RetrievalSettings
    /// Decides when the best rows answer a question.
    public var answering: AnsweringRule

    /// Makes a ranker.
    public init(
        weights: [Float], scale: [Float], reference: [Float]? = nil, space: ObjectID,
        retrieval: RetrievalSettings = RetrievalSettings(),
        answering: AnsweringRule
    ) {
        self.weights = weights
        self.scale = scale
        self.reference = reference
        self.space = space
        self.retrieval = retrieval
        self.answering = answering
    }

    /// Scales the untrained ranker's scores to log-odds: a tenth of the greatest lexical score is worth 4.
    private static let sharpness: Float = 40

    /// The ranker before training.
    ///
    /// It weighs the lexical score, the share of the question in the title and the outer headings, and the cosines of
    /// the row and of its document. With the built-in embedder, whose vectors reflect words only, words dominate;
    /// with any other embedder, words and vectors both count (`docs/training.md` explains the choice of weights).
    ///
    /// - Parameter scale: The factors of the signals; the scores do not depend on them.
    public static func untrained(
        for space: EmbeddingSpace, scale: [Float]? = nil,
        retrieval: RetrievalSettings = RetrievalSettings()
    ) -> Ranker {
        let scale = scale ?? [Float](repeating: 1, count: Signal.allCases.count)
        var weights = [Float](repeating: 0, count: scale.count)
        func set(_ signal: Signal, _ weight: Float) {
            let factor = scale[signal.index]
            weights[signal.index] = factor > 0 ? Self.sharpness * weight / factor : 0
        }
        if retrieval.mode != .vector {
            set(.words, 1)
            set(.title, 0.15)
        }
        if retrieval.mode != .lexical {
            set(.vector, space.isBuiltin ? 0.01 : 0.4)
            set(.document, space.isBuiltin ? 0 : 0.4)
        }
        return Ranker(
            weights: weights, scale: scale, space: space.id, retrieval: retrieval,
            answering: AnsweringRule(isLexical: space.isBuiltin))
    }

    /// The overall factor of each signal: weight times scale, in double precision.
    public var factors: [Double] { zip(weights, scale).map { Double($0) * Double($1) } }

    /// The ranker with other settings.
    ///
    /// If the settings change the mode, returns the untrained ranker with this ranker's answering rule: the weights do
    /// not fit the other candidates.
    public func with(_ settings: RetrievalSettings, space: EmbeddingSpace) -> Ranker {
        guard settings.mode == retrieval.mode else {
            var other = Ranker.untrained(for: space, retrieval: settings)
            other.answering = answering
            return other
        }
        var other = self
        other.retrieval = settings
        return other
    }
}

/// How to find the rows of a question before ranking, and how many to return.
public struct RetrievalSettings: Hashable, Sendable {
    /// Where candidates come from.
    public enum Mode: String, CaseIterable, Sendable {
        /// The nearest rows by vector and the best by words.
        case hybrid
        /// The nearest rows by vector.
        case vector
        /// The best rows by words.
        case lexical
    }

    /// See ``Mode``.
    public var mode = Mode.hybrid
    /// The number of candidates from each source, from 1 to 100,000.
    public var candidates = 100
    /// The number of chunks to return unless the question asks for another number.
    public var k = 5
    /// The number of chunks of one document that may precede chunks of others; 0 for no limit.
    public var perDocument = 0

    /// The valid values of ``candidates``.
    public static let candidateRange = 1...100_000
    /// The valid values of ``k``.
    public static let countRange = 1...1000

    /// The defaults.
    public init() {}

    /// The settings in the form of a configuration.
    public var json: JSON {
        [
            "mode": .string(mode.rawValue), "candidates": .integer(candidates), "k": .integer(k),
            "perDocument": .integer(perDocument),
        ]
    }

    init(_ reader: inout JSONObjectReader) throws(JSONSchemaError) {
        guard let mode = Mode(rawValue: try reader.string("mode")) else {
            throw reader.error("mode", "must be hybrid, vector or lexical")
        }
        self.mode = mode
        candidates = try reader.count("candidates")
        k = try reader.count("k")
        perDocument = try reader.count("perDocument")
        guard Self.candidateRange.contains(candidates), Self.countRange.contains(k) else {
            throw reader.error("candidates", "or k is out of range")
        }
    }
}

extension Ranker {
    /// The name of the file with the tensors.
    public static let tensorsName = "ranker.safetensors"
    /// The name of the file that describes the tensors.
    public static let configName = "config.json"
    /// The version of the file format and of the signals' definitions.
    public static let version = 3
    /// The maximum number of bytes of either file.
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
    /// - Throws: `malformed`, naming what does not conform to this version of the format.
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

    /// The contents of `config.json`.
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
                    "signals", "must match version \(Ranker.version)")
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

/// A safetensors file of single-precision numbers with a unique encoding: names sorted, header canonical and padded
/// with spaces to a multiple of eight bytes.
struct TensorFile {
    struct Entry {
        let name: String
        let values: [Float]
    }

    let entries: [Entry]

    init(_ entries: [Entry]) {
        self.entries = entries.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    }

    var encoded: [UInt8] {
        var header = JSONObject()
        var offset = 0
        for entry in entries {
            let end = offset + entry.values.count * 4
            header[entry.name] = [
                "dtype": "F32", "shape": [.integer(entry.values.count)],
                "data_offsets": [.integer(offset), .integer(end)],
            ]
            offset = end
        }
        var text = JSON.object(header).canonicalBytes
        while !text.count.isMultiple(of: 8) { text.append(0x20) }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(8 + text.count + offset)
        for shift in stride(from: 0, to: 64, by: 8) {
            bytes.append(UInt8(truncatingIfNeeded: text.count >> shift))
        }
        bytes.append(contentsOf: text)
        for entry in entries {
            for value in entry.values { LittleEndian.append(value.bitPattern, to: &bytes) }
        }
        return bytes
    }

    /// Reads the tensors of a file; skips all but one-dimensional F32 tensors.
    init(decoding bytes: [UInt8]) throws(SafetensorsError) {
        let prefix = bytes.span.extracting(first: min(8, bytes.count))
        let length = try Safetensors.headerLength(prefix: prefix, fileSize: bytes.count)
        let header = try Safetensors(
            header: bytes.span.extracting(8..<8 + length), fileSize: bytes.count)
        var entries: [Entry] = []
        for tensor in header.tensors {
            guard tensor.type == .float32, tensor.shape.count == 1 else { continue }
            var values: [Float] = []
            values.reserveCapacity(tensor.shape[0])
            for at in stride(from: tensor.range.lowerBound, to: tensor.range.upperBound, by: 4) {
                values.append(Float(bitPattern: LittleEndian.uint32(bytes.span, at: at)))
            }
            entries.append(Entry(name: tensor.name, values: values))
        }
        self.init(entries)
    }

    /// The numbers of a tensor; nil unless there are `count` finite numbers.
    func values(_ name: String, count: Int) -> [Float]? {
        let entry = entries.first { $0.name.utf8.elementsEqual(name.utf8) }
        guard let values = entry?.values, values.count == count, values.allSatisfy(\.isFinite)
        else { return nil }
        return values
    }

    func has(_ name: String) -> Bool {
        entries.contains { $0.name.utf8.elementsEqual(name.utf8) }
    }
}
