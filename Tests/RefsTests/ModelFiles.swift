import Objects

/// Files of models as PEFT, transformers and safetensors write them, with zeros as numbers.
enum ModelFiles {
    /// A file of tensors with these shapes.
    static func safetensors(
        _ shapes: KeyValuePairs<String, [Int]>, _ dtype: String = "F32", width: Int = 4
    ) -> [UInt8] {
        var header = JSONObject()
        var end = 0
        for (name, shape) in shapes {
            let size = shape.reduce(width, *)
            header[name] = [
                "dtype": .string(dtype), "shape": .array(shape.map { .integer($0) }),
                "data_offsets": [.integer(end), .integer(end + size)],
            ]
            end += size
        }
        let text = JSON.object(header).canonicalBytes
        let length = (0..<8).map { UInt8(truncatingIfNeeded: text.count >> (8 * $0)) }
        return length + text + [UInt8](repeating: 0, count: end)
    }

    /// The configuration of a LoRA adapter; `members` are further ones.
    static func config(rank: Int = 2, _ members: String = "") -> [UInt8] {
        Array(
            """
            {"peft_type": "LORA", "r": \(rank), "base_model_name_or_path": "/data/base",
             "bias": "none", "use_dora": false, "use_bdlora": null\(members)}
            """.utf8)
    }

    /// A folder with an adapter.
    static func adapter(
        _ shapes: KeyValuePairs<String, [Int]>, rank: Int = 2, _ members: String = "",
        in folder: String = ""
    ) -> [String: [UInt8]] {
        [
            "\(folder)adapter_config.json": config(rank: rank, members),
            "\(folder)adapter_model.safetensors": safetensors(shapes),
        ]
    }

    /// A model like Llama with tied embeddings: a vocabulary of 16, 4 channels, 6 in the feed-forward layer.
    static let llama: [String: [UInt8]] = [
        "config.json": Array(#"{"model_type":"llama"}"#.utf8),
        "model.safetensors": safetensors([
            "model.embed_tokens.weight": [16, 4], "model.norm.weight": [4],
            "model.layers.0.self_attn.q_proj.weight": [4, 4],
            "model.layers.0.self_attn.v_proj.weight": [2, 4],
            "model.layers.0.mlp.up_proj.weight": [6, 4],
            "model.layers.1.self_attn.q_proj.weight": [4, 4],
            "model.layers.1.self_attn.v_proj.weight": [2, 4],
            "model.layers.1.mlp.up_proj.weight": [6, 4],
        ]),
    ]
}
