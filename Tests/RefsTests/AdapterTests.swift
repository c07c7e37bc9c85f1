import Objects
import Refs
import Storage
import Testing

@Suite("Adapters and their base")
struct AdapterTests {
    private let repository: Repository

    init() throws {
        repository = try Repository.create(in: MemoryBucket(), writer: testWriter())
    }

    /// Puts a base and an adapter of it, and returns what the commit of the adapter warns about.
    @discardableResult
    private func put(
        _ adapter: [String: [UInt8]], on base: [String: [UInt8]] = ModelFiles.llama
    ) throws -> [String] {
        let base = try repository.put("models/base", Version(.model, "base", files: base))
        return try put(adapter, inputs: ["base": base])
    }

    private func put(
        _ adapter: [String: [UInt8]], inputs: [String: ObjectID]
    ) throws -> [String] {
        let transaction = try repository.begin(writer: testWriter())
        let id = try Version(.model, "adapter", inputs: inputs, files: adapter)
            .write(into: transaction.objects)
        return try transaction.commit([RefUpdate(try RefName("models/adapter"), new: id)]).warnings
    }

    private func refusal(
        _ adapter: [String: [UInt8]], on base: [String: [UInt8]] = ModelFiles.llama
    ) throws -> String {
        let before = try repository.target("models/adapter")
        let error = try #require(refError { try put(adapter, on: base) })
        guard case .adapter = error else { throw error }
        #expect(error.fault == .refused && error.remedy?.contains("input base") == true)
        #expect(try repository.target("models/adapter") == before)
        return error.message
    }

    private static let query = "base_model.model.model.layers.0.self_attn.q_proj"
    private static let value = "base_model.model.model.layers.1.self_attn.v_proj"

    @Test("what PEFT writes fits")
    func layouts() throws {
        let plain = ModelFiles.adapter([
            "\(Self.query).lora_A.weight": [2, 4], "\(Self.query).lora_B.weight": [4, 2],
            "\(Self.value).lora_A.weight": [2, 4], "\(Self.value).lora_B.weight": [2, 2],
        ])
        #expect(try put(plain).isEmpty)
        let up = "base_model.model.model.layers.1.mlp.up_proj"
        let embedding = "base_model.model.model.embed_tokens"
        let head = "base_model.model.lm_head"
        let more: [(String, [String: [UInt8]])] = [
            (
                "ranks by module",
                ModelFiles.adapter(
                    [
                        "\(Self.query).lora_A.weight": [2, 4],
                        "\(Self.query).lora_B.weight": [4, 2],
                        "\(up).lora_A.weight": [3, 4], "\(up).lora_B.weight": [6, 3],
                    ], #", "rank_pattern": {"^model.layers.1.mlp": 3}, "use_rslora": true"#)
            ),
            (
                "DoRA, biases and the name of an adapter",
                ModelFiles.adapter([
                    "\(up).lora_A.default.weight": [2, 4], "\(up).lora_B.default.weight": [6, 2],
                    "\(up).lora_B.bias": [6], "\(up).lora_magnitude_vector": [6],
                    "\(Self.query).lora_A.weight": [2, 4], "\(Self.query).lora_B.weight": [4, 2],
                    "\(Self.query).lora_magnitude_vector.weight": [4, 1],
                ])
            ),
            (
                "embeddings",
                ModelFiles.adapter([
                    "\(embedding).lora_embedding_A": [2, 16],
                    "\(embedding).lora_embedding_B": [4, 2],
                    "\(embedding).lora_magnitude_vector": [4],
                ])
            ),
            (
                "a head whose weights are those of the embedding",
                ModelFiles.adapter([
                    "\(head).lora_A.weight": [2, 4], "\(head).lora_B.weight": [16, 2],
                ])
            ),
            (
                "whole modules, and an embedding that was resized",
                ModelFiles.adapter([
                    "\(embedding).base_layer.weight": [20, 4],
                    "\(embedding).lora_embedding_A": [2, 20],
                    "\(embedding).lora_embedding_B": [4, 2],
                    "base_model.model.score.weight": [3, 4],
                    "base_model.model.model.norm.modules_to_save.weight": [4],
                    "base_model.model.model.embed_tokens.token_adapter.trainable_tokens_delta": [
                        1, 4,
                    ],
                ])
            ),
            (
                "repeated layers",
                ModelFiles.adapter(
                    [
                        "base_model.model.model.layers.7.mlp.up_proj.lora_A.weight": [2, 4],
                        "base_model.model.model.layers.7.mlp.up_proj.lora_B.weight": [6, 2],
                    ], #", "layer_replication": [[0, 2], [0, 2]]"#)
            ),
        ]
        for (name, adapter) in more {
            var warnings: [String] = []
            let error = refError { warnings = try put(adapter) }
            #expect(error == nil && warnings.isEmpty, "\(name): \(error?.message ?? "")")
        }
    }

    @Test("names that differ only by what the model is part of, and transposed weights, fit")
    func architectures() throws {
        let gpt2: [String: [UInt8]] = [
            "model.safetensors": ModelFiles.safetensors([
                "h.0.attn.c_attn.weight": [4, 12], "wte.weight": [16, 4],
            ])
        ]
        let attention = "base_model.model.transformer.h.0.attn.c_attn"
        let shapes: KeyValuePairs<String, [Int]> = [
            "\(attention).lora_A.weight": [2, 4], "\(attention).lora_B.weight": [12, 2],
        ]
        #expect(
            try put(ModelFiles.adapter(shapes, #", "fan_in_fan_out": true"#), on: gpt2).isEmpty)
        #expect(
            try refusal(ModelFiles.adapter(shapes), on: gpt2)
                .contains("h.0.attn.c_attn.weight\" of shape [4, 12]"))
        // A model that also sees images names its language model in another way than its file.
        let vision: [String: [UInt8]] = [
            "model.safetensors": ModelFiles.safetensors([
                "visual.layers.0.self_attn.q_proj.weight": [8, 8],
                "language_model.model.layers.0.self_attn.q_proj.weight": [4, 4],
                "language_model.model.layers.0.mlp.experts.0.w1.weight": [6, 4],
            ])
        ]
        let language = "base_model.model.model.language_model.layers.0"
        #expect(
            try put(
                ModelFiles.adapter([
                    "\(language).self_attn.q_proj.lora_A.weight": [2, 4],
                    "\(language).self_attn.q_proj.lora_B.weight": [4, 2],
                    "\(language).mlp.experts.base_layer.lora_A.weight": [16, 4],
                    "\(language).mlp.experts.base_layer.lora_B.weight": [6, 16],
                ]), on: vision
            ).isEmpty)
        let quantized: [String: [UInt8]] = [
            "model.safetensors": ModelFiles.safetensors(
                [
                    "model.layers.0.self_attn.q_proj.weight": [8, 1],
                    "model.layers.1.self_attn.v_proj.qweight": [1, 2],
                ], "U8", width: 1)
        ]
        #expect(
            try put(
                ModelFiles.adapter([
                    "\(Self.query).lora_A.weight": [2, 4], "\(Self.query).lora_B.weight": [4, 2],
                    "\(Self.value).lora_A.weight": [2, 4], "\(Self.value).lora_B.weight": [2, 2],
                ]), on: quantized
            ).isEmpty)
    }

    @Test("weights in several files count together, and those that are only listed are not missing")
    func shards() throws {
        var base: [String: [UInt8]] = [
            "model-00001-of-00003.safetensors": ModelFiles.safetensors([
                "model.layers.0.self_attn.q_proj.weight": [4, 4]
            ]),
            "model-00002-of-00003.safetensors": ModelFiles.safetensors([
                "model.layers.1.self_attn.v_proj.weight": [2, 4]
            ]),
        ]
        let up = "base_model.model.model.layers.1.mlp.up_proj"
        let adapter = ModelFiles.adapter([
            "\(Self.query).lora_A.weight": [2, 4], "\(Self.query).lora_B.weight": [4, 2],
            "\(Self.value).lora_A.weight": [2, 4], "\(Self.value).lora_B.weight": [2, 2],
            "\(up).lora_A.weight": [2, 4], "\(up).lora_B.weight": [6, 2],
        ])
        #expect(try refusal(adapter, on: base).contains("up_proj.weight"))
        base["model.safetensors.index.json"] = Array(
            #"{"weight_map":{"model.layers.1.mlp.up_proj.weight":"model-00003-of-00003.safetensors"}}"#
                .utf8)
        #expect(try put(adapter, on: base).isEmpty)
    }

    @Test("a missing module, a wrong shape or rank, and half a pair are refused by name")
    func misfits() throws {
        let missing = try refusal(
            ModelFiles.adapter([
                "base_model.model.model.layers.2.self_attn.q_proj.lora_A.weight": [2, 4],
                "base_model.model.model.layers.2.self_attn.q_proj.lora_B.weight": [4, 2],
            ]))
        #expect(missing.hasPrefix("the adapter of models/adapter does not fit its base "))
        #expect(
            missing.contains(
                "q_proj.lora_A.weight\" adapts a module that the base does not have: no tensor "
                    + "\"model.layers.2.self_attn.q_proj.weight\""))
        let shape = try refusal(
            ModelFiles.adapter([
                "\(Self.query).lora_A.weight": [2, 8], "\(Self.query).lora_B.weight": [8, 2],
            ]))
        #expect(
            shape.contains(
                "lora_A.weight\" has shape [2, 8], and should have [2, 4] for "
                    + "\"model.layers.0.self_attn.q_proj.weight\" of shape [4, 4]"))
        #expect(shape.contains("lora_B.weight\" has shape [8, 2], and should have [4, 2]"))
        let rank = try refusal(
            ModelFiles.adapter([
                "\(Self.query).lora_A.weight": [3, 4], "\(Self.query).lora_B.weight": [4, 3],
            ]))
        #expect(rank.contains("has shape [3, 4], and should have [2, 4]"))
        // What a trainer saves that does not gather the parts of a matrix.
        let empty = try refusal(
            ModelFiles.adapter([
                "\(Self.query).lora_A.weight": [0], "\(Self.query).lora_B.weight": [0],
            ]))
        #expect(empty.contains("has shape [0]"))
        let half = try refusal(ModelFiles.adapter(["\(Self.query).lora_A.weight": [2, 4]]))
        #expect(half.contains("has no lora_B beside it"))
        let magnitude = try refusal(
            ModelFiles.adapter([
                "\(Self.query).lora_A.weight": [2, 4], "\(Self.query).lora_B.weight": [4, 2],
                "\(Self.query).lora_magnitude_vector": [6],
            ]))
        #expect(magnitude.contains("lora_magnitude_vector\" has shape [6], and should have [4]"))
        let vocabulary = try refusal(
            ModelFiles.adapter([
                "base_model.model.model.embed_tokens.lora_embedding_A": [2, 20],
                "base_model.model.model.embed_tokens.lora_embedding_B": [4, 2],
            ]))
        #expect(vocabulary.contains("should have [2, 16]"))
        // A folder of the model, such as the one that a trainer leaves.
        let inner = try refusal(
            ModelFiles.llama.merging(
                ModelFiles.adapter(
                    [
                        "\(Self.query).lora_A.weight": [2, 8],
                        "\(Self.query).lora_B.weight": [4, 2],
                    ], in: "adapter/")
            ) { $1 })
        #expect(inner.hasPrefix("the adapter in adapter of models/adapter does not fit"))
    }

    @Test("the base of an adapter of an adapter is the model with weights")
    func chains() throws {
        let base = try repository.put(
            "models/base", Version(.model, "base", files: ModelFiles.llama))
        let good = ModelFiles.adapter([
            "\(Self.query).lora_A.weight": [2, 4], "\(Self.query).lora_B.weight": [4, 2],
        ])
        let first = try repository.put(
            "models/first", Version(.model, "first", inputs: ["base": base], files: good))
        #expect(try put(good, inputs: ["base": first]).isEmpty)
    }

    @Test("merged weights have the base of the adapter that was merged")
    func merged() throws {
        let base = try repository.put(
            "models/base", Version(.model, "base", files: ModelFiles.llama))
        let other = try repository.put("models/other", Version(.model, "other"))
        let adapter = try repository.put(
            "models/a", Version(.model, "a", inputs: ["base": base], files: ["a": [1]]))
        #expect(
            try put(ModelFiles.llama, inputs: ["base": base, "adapter": adapter]).isEmpty)
        let error = refError {
            _ = try put(["b": [2]], inputs: ["base": other, "adapter": adapter])
        }
        #expect(
            error?.message.contains(
                "the input adapter \(adapter.short) was made for the base \(base.short)") == true)
    }

    @Test("what cannot be compared is stored with a warning")
    func notCompared() throws {
        let good = ModelFiles.adapter([
            "\(Self.query).lora_A.weight": [2, 4], "\(Self.query).lora_B.weight": [4, 2],
        ])
        let without = try put(good, inputs: [:])
        #expect(without.count == 1 && without[0].contains("has no input base"))
        for (files, base, reason) in [
            (
                [
                    "adapter_config.json": Array(#"{"peft_type":"LOHA"}"#.utf8),
                    "adapter_model.safetensors": [1],
                ], ModelFiles.llama, "this is \"LOHA\""
            ),
            (["adapter_config.json": Array("{}".utf8)], ModelFiles.llama, "not one of PEFT"),
            (
                ["adapter_config.json": ModelFiles.config(), "adapter_model.bin": [1]],
                ModelFiles.llama, "there is no adapter_model.safetensors"
            ),
            (
                ["adapter_config.json": ModelFiles.config(rank: 2, #", "use_qalora": true"#)],
                ModelFiles.llama, "use_qalora"
            ),
            (good, ["pytorch_model.bin": [1]], "the base has no weights in safetensors"),
        ] as [([String: [UInt8]], [String: [UInt8]], String)] {
            let warnings = try put(files, on: base)
            #expect(warnings.count == 1 && warnings[0].contains(reason), "\(warnings)")
        }
    }

    @Test("hostile files are refused, or stored with a warning, and never end the process")
    func hostile() throws {
        let deep = String(repeating: "a.", count: 20_000) + "lora_A.weight"
        let long = String(repeating: "x", count: 5000)
        for files in [
            ["adapter_config.json": Array("[1".utf8)],
            ["adapter_config.json": Array(#"{"peft_type":"LORA","r":-1}"#.utf8)],
            ["adapter_config.json": Array(#"{"peft_type":"LORA","r":1e300}"#.utf8)],
            ModelFiles.adapter([deep: [2, 4], "\(long).lora_A.weight": [2, 4]]),
            ModelFiles.adapter([
                "lora_A": [2, 4], ".lora_B.weight": [2, 4], "": [], "\(long).lora_A.weight": [],
                "\(long).lora_B.weight": [2, 4],
            ]),
            ["adapter_config.json": ModelFiles.config(), "adapter_model.safetensors": [9, 9]],
        ] as [[String: [UInt8]]] {
            let whole = files.merging([
                "adapter_model.safetensors": ModelFiles.safetensors([:])
            ]) { old, _ in old }
            #expect(try refusal(whole).utf8.count < 2000)
        }
    }

    @Test("a ref may still move to a version that is stored already")
    func stored() throws {
        let bad = ModelFiles.adapter([
            "\(Self.query).lora_A.weight": [2, 8], "\(Self.query).lora_B.weight": [4, 2],
        ])
        #expect(throws: RefError.self) { try put(bad) }
        let id = try repository.put("models/a", Version(.model, "a", files: ModelFiles.llama))
        #expect(try repository.move(["models/b": id]).warnings.isEmpty)
    }
}
