public import Objects

/// The model that training makes: it scores how well a row answers a question by a weighted sum of
/// signals that a person can read.
public struct Ranker: Hashable, Sendable {
    /// The weight of each signal, in the order of ``Signal``, after scaling.
    public var weights: [Float]
    /// What each signal is multiplied by first, so that weights compare: 1 / its standard deviation.
    public var scale: [Float]
    /// The weights that preference training started from, and measured its own by.
    public var reference: [Float]?
    /// The embedding space of the vectors that it compares.
    public var space: ObjectID
    /// How rows are found that it ranks.
    public var retrieval: RetrievalSettings
    /// When the best of them answers a question.
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

    /// How sharply the scores of the untrained rule tell candidates apart, as logarithms of odds: a tenth of the greatest
    /// lexical score is worth 4.
    private static let sharpness: Float = 40

    /// The ranker before any training: the lexical score, the share of the question in title and outer headings, and the cosines of the row and of its document.
    ///
    /// Words lead where the built-in embedder made the vectors, which knows nothing but words; where another did, both count
    /// (`docs/training.md` says how the weights were chosen).
    ///
    /// - Parameter scale: What signals are multiplied by; the scores do not depend on it.
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

    /// The factors that signals are multiplied by: weight times scale, in double precision.
    public var factors: [Double] { zip(weights, scale).map { Double($0) * Double($1) } }

    /// The same ranker with other settings; where candidates come from elsewhere than it was made for, the untrained rule.
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

/// How rows are found for a question before they are ranked, and how many are shown.
public struct RetrievalSettings: Hashable, Sendable {
    /// Where candidates come from.
    public enum Mode: String, CaseIterable, Sendable {
        /// The nearest by vector and the best by words.
        case hybrid
        /// The nearest by vector.
        case vector
        /// The best by words.
        case lexical
    }

    /// See ``Mode``.
    public var mode = Mode.hybrid
    /// How many candidates each way of looking gives, from 1 to 100,000.
    public var candidates = 100
    /// How many passages are shown unless a question says otherwise.
    public var k = 5
    /// How many chunks of one document come before those of others; 0 for any number.
    public var perDocument = 0

    /// What ``candidates`` may be.
    public static let candidateRange = 1...100_000
    /// What ``k`` may be.
    public static let countRange = 1...1000

    /// The defaults.
    public init() {}

    /// The settings as a configuration says them.
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

/// A safetensors file of single-precision numbers, written so that equal tensors give equal bytes: names
/// sorted, canonical header, padded with spaces to a multiple of eight.
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
            for value in entry.values {
                let bits = value.bitPattern
                bytes.append(UInt8(truncatingIfNeeded: bits))
                bytes.append(UInt8(truncatingIfNeeded: bits >> 8))
                bytes.append(UInt8(truncatingIfNeeded: bits >> 16))
                bytes.append(UInt8(truncatingIfNeeded: bits >> 24))
            }
        }
        return bytes
    }

    /// Reads the tensors of a file; each must be a list of finite F32 numbers.
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
                var bits: UInt32 = 0
                for index in (0..<4).reversed() { bits = bits << 8 | UInt32(bytes[at + index]) }
                values.append(Float(bitPattern: bits))
            }
            entries.append(Entry(name: tensor.name, values: values))
        }
        self.init(entries)
    }

    /// The finite numbers of a tensor with `count` of them, or nil.
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
