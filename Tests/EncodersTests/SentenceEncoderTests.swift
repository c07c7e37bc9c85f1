import Artifacts
import CKernels
import Encoders
import Objects
import Storage
import TestSupport
import Testing

@Suite("Sentence embedders")
struct SentenceEncoderTests {
    static let texts = [
        "The pump starts when the soil is dry.", "valve", "", "a b c, a b c, frost alarm",
        "pumps starts drier the valve the valve the valve the valve the valve the valve",
    ]

    private func ids(_ text: String, limit: Int = SampleModel.positions) throws -> [Int] {
        let vocabulary = Array((SampleModel.words.joined(separator: "\n") + "\n").utf8)
        return try WordPieceTokenizer(
            vocabulary: vocabulary, configuration: nil, specialTokens: nil
        ).encode(text, limit: limit).ids.map { Int($0) }
    }

    private func expected(_ text: String, cls: Bool) throws -> [Double] {
        let reference = ReferenceBert(SampleModel.tensors(SampleModel.shapes()))
        let rows = reference.vectors(
            try ids(text), layers: SampleModel.layers, heads: 4)
        let used = cls ? [rows[0]] : rows
        let sums = rows[0].indices.map { column in used.reduce(0) { $0 + $1[column] } }
        let length = sums.reduce(0) { $0 + $1 * $1 }.squareRoot()
        return sums.map { $0 / length }
    }

    @Test("vectors are those of BERT, by either pooling", arguments: ["mean", "cls"])
    func vectors(pooling: String) throws {
        let embedder = try SentenceEncoder.open(
            SampleModel.embedder(pooling: pooling).model())
        #expect(embedder.space.pooling == pooling)
        #expect(embedder.space.dimension == SampleModel.width)
        for (text, vector) in zip(Self.texts, try embedder.embed(Self.texts, as: .document)) {
            for (actual, expected) in zip(vector, try expected(text, cls: pooling == "cls")) {
                #expect(abs(Double(actual) - expected) < 2e-5, "\(text)")
            }
        }
    }

    @Test("weights may have half the bits", arguments: ["F16", "BF16"])
    func halves(type: String) throws {
        let exact = try SentenceEncoder.open(SampleModel.embedder().model())
        let half = try SentenceEncoder.open(SampleModel.embedder(type: type).model())
        for text in Self.texts {
            let cosine = zip(
                try exact.embed(text, as: .query), try half.embed(text, as: .query)
            ).reduce(0) { $0 + $1.0 * $1.1 }
            #expect(cosine > (type == "F16" ? 0.999_999 : 0.999), "\(text)")
        }
    }

    @Test("a text has the same bits alone, in a batch and in any order")
    func batches() throws {
        let embedder = try SentenceEncoder.open(SampleModel.embedder().model())
        var random = SeededGenerator(seed: 7)
        let words = ["pump", "valve", "frost", "dry", "drier", ",", "alarms", "ab"]
        let texts = (0..<200).map { _ in
            (0..<Int.random(in: 0...30, using: &random)).map { _ in
                words[Int.random(in: 0..<words.count, using: &random)]
            }.joined(separator: " ")
        }
        let together = try embedder.embed(texts, as: .document)
        let reversed = try embedder.embed(texts.reversed(), as: .document)
        #expect(together == reversed.reversed())
        for (text, vector) in zip(texts, together) {
            #expect(try embedder.embed(text, as: .document) == vector)
        }
    }

    @Test("every instruction set with fused operations gives the same bits")
    func instructions() throws {
        defer { _ = fti_limit_instructions(FTI_AVX512) }
        let embedder = try SentenceEncoder.open(SampleModel.embedder().model())
        let best = fti_limit_instructions(FTI_AVX512)
        let expected = try embedder.embed(Self.texts, as: .document)
        for limit in [FTI_AVX2, FTI_BASELINE] where limit.rawValue < best.rawValue {
            let used = fti_limit_instructions(limit)
            let vectors = try embedder.embed(Self.texts, as: .document)
            if used != FTI_BASELINE {
                #expect(vectors == expected)
            } else {
                for (one, other) in zip(vectors.joined(), expected.joined()) {
                    #expect(abs(one - other) < 1e-5)
                }
            }
        }
    }

    @Test(
        "the space is enough to open the embedder again, from the weights and the vocabulary alone")
    func reopening() throws {
        let folder = SampleModel.embedder(pooling: "cls")
        let embedder = try SentenceEncoder.open(folder.model())
        let space = try EmbeddingSpace(decoding: embedder.space.encoded)
        #expect(space == embedder.space)
        let again = try EmbedderRegistry([BertProvider()]).embedder(of: space, in: folder.store)
        #expect(
            try again.embed("frost alarm", as: .query)
                == embedder.embed("frost alarm", as: .query))
        let error = #expect(throws: EmbeddingError.self) {
            try EmbedderRegistry([BertProvider()]).embedder(of: space, in: MemoryStore())
        }
        #expect(error?.fault == .missing)
        #expect(throws: EmbeddingError.self) {
            try EmbedderRegistry().embedder(of: space, in: folder.store)
        }
    }

    @Test("a model that only its README changes keeps its space; other weights are another space")
    func identity() throws {
        var folder = SampleModel.embedder()
        let space = try SentenceEncoder.open(folder.model()).space
        folder["README.md"] = Array("About the model".utf8)
        #expect(try SentenceEncoder.open(folder.model()).space.id == space.id)
        #expect(try SentenceEncoder.open(folder.model(), known: [space]).space.id == space.id)
        let other = try SentenceEncoder.open(
            SampleModel.embedder(seed: 2).model(), known: [space])
        #expect(other.space.id != space.id)
        #expect(!other.space.declaredDifferences(from: space).isEmpty)
    }

    @Test("weights that do not reproduce the canaries of a space are refused at the first text")
    func canaries() throws {
        let folder = SampleModel.embedder()
        var space = try SentenceEncoder.open(folder.model()).space
        space.canaries[0] = .init(
            text: space.canaries[0].text, vector: space.canaries[0].vector.map { -$0 })
        #expect(throws: EmbeddingError.self) {
            try SentenceEncoder.open(space, in: folder.store)
        }
        let deferred = try SentenceEncoder.open(folder.model(), known: [space])
        #expect(throws: EmbeddingError.self) { try deferred.embed("a", as: .query) }
    }

    @Test("prompts, the maximum length and scaling are what the model's files say")
    func settings() throws {
        var folder = SampleModel.embedder()
        folder.set("sentence_bert_config.json", ["max_seq_length": 8])
        folder.set(
            "config_sentence_transformers.json",
            [
                "prompts": ["query": "frost ", "document": "alarm "],
                "similarity_fn_name": "dot",
            ])
        let embedder = try SentenceEncoder.open(folder.model())
        #expect(embedder.space.normalization == "none")
        #expect(embedder.space.queryPrefix == "frost ")
        #expect(embedder.space.documentPrefix == "alarm ")
        let counter = try #require(embedder.tokens)
        #expect(counter.limit == 5)
        #expect(counter.count("the pump starts dryer") == 5)

        let plain = try SentenceEncoder.open(SampleModel.embedder().model())
        func cosine(_ a: [Float], _ b: [Float]) -> Float {
            let product = { (x: [Float], y: [Float]) in zip(x, y).reduce(0) { $0 + $1.0 * $1.1 } }
            return product(a, b) / (product(a, a) * product(b, b)).squareRoot()
        }
        #expect(
            cosine(
                try embedder.embed("valve", as: .query),
                try plain.embed("frost valve", as: .document)) > 0.999_999)
        // Only the first tokens count.
        #expect(
            try embedder.embed("the pump starts when soil is dry", as: .document)
                == embedder.embed("the pump starts when soil frost alarm", as: .document))
    }

    @Test(
        "what cannot run is refused by name",
        arguments: [
            ("config.json", ["model_type": "roberta"], "architecture roberta"),
            ("config.json", ["position_embedding_type": "relative_key"], "relative_key"),
            ("config.json", ["hidden_act": "swish"], "activation swish"),
            ("1_Pooling/config.json", ["pooling_mode_max_tokens": true], "max and mean"),
            ("1_Pooling/config.json", ["pooling_mode": "lasttoken"], "lasttoken"),
            (
                "config_sentence_transformers.json", ["similarity_fn_name": "euclidean"],
                "similarity euclidean"
            ),
        ] as [(String, JSON, String)])
    func refusals(file: String, members: JSON, name: String) throws {
        var folder = SampleModel.embedder()
        let bytes = folder[file] ?? Array("{}".utf8)
        var object = try JSON(parsing: bytes.span).object ?? JSONObject()
        for member in members.object ?? JSONObject() { object[member.key] = member.value }
        folder.set(file, .object(object))
        let model = try folder.model()
        let error = #expect(throws: EmbeddingError.self) { try SentenceEncoder.open(model) }
        #expect(error?.message.contains(name) ?? false, "\(error?.message ?? "")")
        #expect(error?.remedy != nil)
    }

    @Test(
        "modules that change vectors are refused by name",
        arguments: ["Dense", "Router", "LayerNorm", "WordWeights"])
    func modules(type: String) throws {
        var folder = SampleModel.embedder()
        let bytes = try #require(folder["modules.json"])
        let list = try #require(JSON(parsing: bytes.span).array)
        folder.set(
            "modules.json",
            .array(list + [["path": "2", "type": .string("sentence_transformers.models.\(type)")]]))
        let model = try folder.model()
        let error = #expect(throws: EmbeddingError.self) { try SentenceEncoder.open(model) }
        #expect(error?.message.contains("module \(type)") ?? false)
    }

    @Test(
        "a folder without a file says which",
        arguments: ["config.json", "model.safetensors", "vocab.txt", "1_Pooling/config.json"])
    func missing(file: String) throws {
        var folder = SampleModel.embedder()
        folder[file] = nil
        let model = try folder.model()
        let error = #expect(throws: EmbeddingError.self) { try SentenceEncoder.open(model) }
        #expect(error?.message.contains(file) ?? false)
    }

    @Test(
        "weights that are not finite, and those that overflow, are refused",
        arguments: [Float.nan, .infinity, 3e38])
    func infinite(value: Float) throws {
        var folder = SampleModel.embedder()
        folder["model.safetensors"] = SampleModel.safetensors(
            SampleModel.tensors(SampleModel.shapes()).map { name, shape, numbers in
                (name, shape, numbers.map { _ in value })
            })
        let model = try folder.model()
        let error = #expect(throws: EmbeddingError.self) { try SentenceEncoder.open(model) }
        #expect(error?.message.contains("not finite") ?? false)
        #expect(error?.fault == .refused)
    }

    @Test("a tokenizer that gives types which the model does not have is refused")
    func types() throws {
        var folder = SampleModel.reranker()
        let shapes = SampleModel.shapes().map { name, shape in
            ("bert.\(name)", name.contains("token_type") ? [1, SampleModel.width] : shape)
        }
        let heads: [(String, [Int])] = [
            ("bert.pooler.dense.weight", [SampleModel.width, SampleModel.width]),
            ("bert.pooler.dense.bias", [SampleModel.width]),
            ("classifier.weight", [1, SampleModel.width]), ("classifier.bias", [1]),
        ]
        folder["model.safetensors"] = SampleModel.safetensors(SampleModel.tensors(shapes + heads))
        let model = try folder.model()
        // One text has one type; a pair has two.
        _ = try SentenceEncoder.open(model)
        let error = #expect(throws: EncoderError.self) { try CrossEncoder(model) }
        #expect(error?.message.contains("type 1") ?? false)
    }

    @Test("a prompt that leaves no room for a text is refused")
    func prompt() throws {
        var folder = SampleModel.embedder()
        folder.set(
            "config_sentence_transformers.json",
            ["prompts": ["document": .string(String(repeating: "pump ", count: 40))]])
        let model = try folder.model()
        let error = #expect(throws: EmbeddingError.self) { try SentenceEncoder.open(model) }
        #expect(error?.message.contains("no room") ?? false)
    }

    @Test("damaged files give an error and never a crash")
    func hostile() throws {
        let whole = SampleModel.embedder()
        var random = SeededGenerator(seed: 3)
        for name in whole.files.keys.sorted() {
            let bytes = whole.files[name] ?? []
            for round in 0..<60 {
                var damaged = bytes
                if round < 20 {
                    damaged.removeLast(Int.random(in: 1...bytes.count, using: &random))
                } else {
                    // The header and the small files are damaged most.
                    let end = min(bytes.count, 3000)
                    for _ in 0..<Int.random(in: 1...4, using: &random) {
                        damaged[Int.random(in: 0..<end, using: &random)] =
                            UInt8.random(in: 0...255, using: &random)
                    }
                }
                var folder = whole
                folder[name] = damaged
                let model = try folder.model()
                if let embedder = try? SentenceEncoder.open(model) {
                    #expect(try embedder.embed("the pump", as: .query).count > 0)
                }
            }
        }
    }
}
