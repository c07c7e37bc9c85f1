import Artifacts
import Encoders
import Foundation
import Objects
import Storage
import TestSupport

/// A small BERT with random weights: 2 blocks of 32 numbers, 4 heads, and words of its own.
enum SampleModel {
    static let words = [
        "[PAD]", "[UNK]", "[CLS]", "[SEP]", "the", "pump", "starts", "when", "soil", "is", "dry",
        "##er", "##s", "valve", "frost", "alarm", "a", "b", "c", "##a", "##b", ".", ",",
    ]
    static let width = 32
    static let inner = 48
    static let positions = 24
    static let layers = 2

    /// The names and shapes of the tensors of an encoder.
    static func shapes(words: Int = words.count) -> [(String, [Int])] {
        var shapes: [(String, [Int])] = [
            ("embeddings.word_embeddings.weight", [words, width]),
            ("embeddings.position_embeddings.weight", [positions, width]),
            ("embeddings.token_type_embeddings.weight", [2, width]),
            ("embeddings.LayerNorm.weight", [width]), ("embeddings.LayerNorm.bias", [width]),
        ]
        for layer in 0..<layers {
            let name = "encoder.layer.\(layer)."
            for part in ["self.query", "self.key", "self.value", "output.dense"] {
                shapes.append(("\(name)attention.\(part).weight", [width, width]))
                shapes.append(("\(name)attention.\(part).bias", [width]))
            }
            shapes.append(("\(name)intermediate.dense.weight", [inner, width]))
            shapes.append(("\(name)intermediate.dense.bias", [inner]))
            shapes.append(("\(name)output.dense.weight", [width, inner]))
            shapes.append(("\(name)output.dense.bias", [width]))
            for part in ["attention.output", "output"] {
                shapes.append(("\(name)\(part).LayerNorm.weight", [width]))
                shapes.append(("\(name)\(part).LayerNorm.bias", [width]))
            }
        }
        return shapes
    }

    /// Random tensors of a model.
    static func tensors(_ shapes: [(String, [Int])], seed: UInt64 = 1) -> [(String, [Int], [Float])]
    {
        var random = SeededGenerator(seed: seed)
        return shapes.map { name, shape in
            let count = shape.reduce(1, *)
            let isScale = name.hasSuffix("LayerNorm.weight")
            return (
                name, shape,
                (0..<count).map { _ in
                    (isScale ? 1 : 0) + Float.random(in: -0.3...0.3, using: &random)
                }
            )
        }
    }

    /// The bytes of a safetensors file.
    static func safetensors(
        _ tensors: [(String, [Int], [Float])], as type: String = "F32"
    ) -> [UInt8] {
        var header = JSONObject()
        var data: [UInt8] = []
        for (name, shape, numbers) in tensors {
            let start = data.count
            for number in numbers {
                let bits = number.bitPattern
                switch type {
                case "BF16": withUnsafeBytes(of: UInt16(bits >> 16)) { data += $0 }
                case "F16": withUnsafeBytes(of: Float16(number).bitPattern) { data += $0 }
                default: withUnsafeBytes(of: bits) { data += $0 }
                }
            }
            header[name] = [
                "dtype": .string(type), "shape": .array(shape.map { .integer($0) }),
                "data_offsets": .array([.integer(start), .integer(data.count)]),
            ]
        }
        let text = JSON.object(header).canonicalBytes
        return withUnsafeBytes(of: UInt64(text.count)) { Array($0) } + text + data
    }

    static let config: JSON = [
        "model_type": "bert", "num_hidden_layers": .integer(layers), "num_attention_heads": 4,
        "max_position_embeddings": .integer(positions), "hidden_act": "gelu",
        "hidden_size": .integer(width), "intermediate_size": .integer(inner),
        "layer_norm_eps": 1e-12,
    ]

    /// The folder of a sentence embedder.
    static func embedder(
        pooling: String = "mean", type: String = "F32", seed: UInt64 = 1
    ) -> SampleFolder {
        var folder = SampleFolder()
        folder.set("config.json", config)
        folder["vocab.txt"] = Array((words.joined(separator: "\n") + "\n").utf8)
        folder["model.safetensors"] = safetensors(tensors(shapes(), seed: seed), as: type)
        folder.set(
            "modules.json",
            [
                [
                    "idx": 0, "name": "0", "path": "",
                    "type": "sentence_transformers.models.Transformer",
                ],
                [
                    "idx": 1, "name": "1", "path": "1_Pooling",
                    "type": "sentence_transformers.models.Pooling",
                ],
            ])
        folder.set(
            "1_Pooling/config.json",
            [
                "pooling_mode_mean_tokens": .bool(pooling == "mean"),
                "pooling_mode_cls_token": .bool(pooling == "cls"),
                "pooling_mode_max_tokens": .bool(pooling == "max"),
            ])
        return folder
    }

    /// The folder of a cross-encoder.
    static func reranker(outputs: Int = 1, seed: UInt64 = 1) -> SampleFolder {
        var folder = embedder(seed: seed)
        let heads: [(String, [Int])] = [
            ("bert.pooler.dense.weight", [width, width]), ("bert.pooler.dense.bias", [width]),
            ("classifier.weight", [outputs, width]), ("classifier.bias", [outputs]),
        ]
        folder["model.safetensors"] = safetensors(
            tensors(shapes().map { ("bert.\($0)", $1) } + heads, seed: seed))
        folder["modules.json"] = nil
        folder["1_Pooling/config.json"] = nil
        return folder
    }
}

/// A folder of a model in memory.
struct SampleFolder {
    let store = MemoryStore()
    private(set) var files: [String: [UInt8]]

    init(_ files: [String: [UInt8]] = [:]) { self.files = files }

    /// Reads a folder of the file system, without what is below its subfolders' subfolders.
    init(at folder: URL) throws {
        var files: [String: [UInt8]] = [:]
        let names = FileManager.default.enumerator(atPath: folder.path)
        while let name = names?.nextObject() as? String {
            var isFolder: ObjCBool = false
            let path = folder.appending(path: name).path
            guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder),
                !isFolder.boolValue
            else { continue }
            files[name] = [UInt8](try Data(contentsOf: URL(filePath: path)))
        }
        self.files = files
    }

    subscript(name: String) -> [UInt8]? {
        get { files[name] }
        set { files[name] = newValue }
    }

    mutating func set(_ name: String, _ json: JSON) { files[name] = json.canonicalBytes }

    /// The folder as encoders read it.
    func model() throws -> ModelFolder {
        var builder = TreeBuilder()
        for (name, bytes) in files {
            let id = try store.write(bytes, hint: .bulk)
            builder.add(try RelativePath(name), size: bytes.count, id: id)
        }
        return ModelFolder(try builder.write(into: store).id, in: store)
    }
}
