import Objects
import Refs
import Storage
import Testing

@Suite("A generator and what it was made from")
struct GeneratorLineageTests {
    private let repository: Repository
    private let features: ObjectID

    init() throws {
        repository = try Repository.create(in: MemoryBucket(), writer: testWriter())
        features = try repository.put("features/prod", Version(.features, "f"))
    }

    private func release(_ generator: ObjectID, prompt: String? = nil) throws -> Release {
        let transaction = try repository.begin(writer: testWriter())
        let prompt = try prompt.map {
            Release.Prompt(.template, try transaction.objects.write(Array($0.utf8), hint: .bulk))
        }
        return try transaction.bind(
            Release.Roles(features: features, generator: generator, prompt: prompt))
    }

    /// Puts a model with text files.
    private func put(
        _ name: String, _ files: [String: String], inputs: [String: ObjectID] = [:],
        params: JSONObject = JSONObject()
    ) throws -> ObjectID {
        var version = Version(
            .model, name, inputs: inputs, files: files.mapValues { Array($0.utf8) })
        version.params = params
        return try repository.put("models/\(name)", version)
    }

    private func refusal(_ generator: ObjectID, prompt: String? = nil) throws -> String {
        let error = try #require(refError { _ = try release(generator, prompt: prompt) })
        #expect(error.fault == .refused && error.remedy != nil)
        return error.message
    }

    private static let tokenizer = """
        {"version": "1.0", "truncation": null, "padding": null,
         "added_tokens": [{"id": 0, "content": "<s>"}, {"id": 1, "content": "</s>"}],
         "model": {"type": "BPE", "vocab": {"a": 2, "b": 3}, "merges": ["a b"]}}
        """
    /// The same tokenizer as a newer library writes it, after a training.
    private static let rewritten = """
        {"version":"1.0","truncation":{"max_length":512},"padding":{"strategy":"BatchLongest"},
        "added_tokens":[{"id":1,"content":"</s>"},{"id":0,"content":"<s>"}],"model":{"type":"BPE",
        "dropout":null,"ignore_merges":false,"vocab":{"b":3,"a":2},"merges":[["a","b"]]}}
        """
    private static let other = tokenizer.replacing(#""b": 3"#, with: #""c": 3"#)

    @Test("a tokenizer that a trainer wrote anew is the same one; another one is refused")
    func tokenizers() throws {
        let base = try put("base", ["tokenizer.json": Self.tokenizer])
        for text in [Self.tokenizer, Self.rewritten] {
            let tuned = try put(
                "tuned", ["tokenizer.json": text, "x": text], inputs: ["base": base])
            _ = try release(tuned)
        }
        let tuned = try put("other", ["tokenizer.json": Self.other], inputs: ["base": base])
        let message = try refusal(tuned)
        #expect(
            message.contains("has another tokenizer (tokenizer.json) than its base \(base.short)"))
        // A model without tokenizer is served with that of its base; one may have another form.
        _ = try release(try put("none", ["a": "1"], inputs: ["base": base]))
        _ = try release(try put("form", ["vocab.txt": "a"], inputs: ["base": base]))
        // The change may be meant.
        let changed = try put(
            "changed", ["tokenizer.json": Self.other], inputs: ["base": base],
            params: JSONObject([("tokenizer", "changed")]))
        _ = try release(changed)
        let next = try put("next", ["tokenizer.json": Self.other], inputs: ["base": changed])
        _ = try release(next)
        // What the nearest base does not show, an older one may.
        let between = try put("between", ["a": "2"], inputs: ["base": base])
        #expect(
            try refusal(try put("far", ["tokenizer.json": Self.other], inputs: ["base": between]))
                .contains(base.short))
    }

    @Test("tokenizers in older forms are compared file by file")
    func forms() throws {
        let files = [
            "vocab.json": #"{"a":0}"#, "merges.txt": "a b",
            "special_tokens_map.json":
                #"{"eos_token":{"content":"</s>","lstrip":false},"pad_token":"<pad>"}"#,
        ]
        let base = try put("base", files)
        var same = files
        same["special_tokens_map.json"] = #"{"eos_token":"</s>"}"#
        same["added_tokens.json"] = "{}"
        _ = try release(try put("same", same, inputs: ["base": base]))
        for (name, text) in [
            ("merges.txt", "b a"), ("added_tokens.json", #"{"<x>":9}"#),
            ("special_tokens_map.json", #"{"eos_token":"<end>"}"#),
        ] {
            var changed = files
            changed[name] = text
            let tuned = try put("tuned", changed, inputs: ["base": base])
            #expect(try refusal(tuned).contains("another tokenizer (\(name))"))
        }
    }

    @Test("a chat template may move to a file of its own, but not change or disappear")
    func templates() throws {
        let template = "{% for m in messages %}{{ m.content }}{% endfor %}"
        let config = JSON.object(JSONObject([("chat_template", .string(template))])).canonicalText
        let base = try put("base", ["tokenizer.json": "{}", "tokenizer_config.json": config])
        let moved = ["tokenizer.json": "{}", "chat_template.jinja": template + "\n"]
        _ = try release(try put("moved", moved, inputs: ["base": base]))
        let list = #"{"chat_template":[{"name":"default","template":"\#(template)"}]}"#
        _ = try release(
            try put(
                "list", ["tokenizer.json": "{}", "tokenizer_config.json": list],
                inputs: ["base": base]))
        let changed = ["tokenizer.json": "{}", "chat_template.jinja": "{{ messages }}"]
        let tuned = try put("changed", changed, inputs: ["base": base])
        #expect(try refusal(tuned).contains("has another chat template than its base"))
        let without = try put("without", ["tokenizer.json": "{}"], inputs: ["base": base])
        #expect(try refusal(without).contains("has no chat template"))
        // A base without a template may get one.
        _ = try release(try put("new", moved, inputs: ["base": without]))
        // The adapter that was merged has the templates of the training.
        let adapter = try put("adapter", changed)
        let merged = try put("merged", moved, inputs: ["base": base, "adapter": adapter])
        #expect(try refusal(merged).contains("than its adapter \(adapter.short)"))
    }

    @Test("an adapter needs its base")
    func adapters() throws {
        let files = ["adapter_config.json": "{}", "adapter_model.bin": "1"]
        let alone = try put("alone", files)
        #expect(try refusal(alone).contains("is an adapter without the input base"))
        let base = try put("base", ["config.json": "{}"])
        _ = try release(try put("adapter", files, inputs: ["base": base]))
        _ = try release(try put("merged", files.merging(["model.safetensors": ""]) { $1 }))
    }

    @Test("the prompt is that of the dataset, also of an earlier training")
    func prompts() throws {
        let prompt = #"{"type":"prompt"}"#
        let id = ObjectID(of: Array(prompt.utf8).span)
        var version = Version(.dataset, "sft", files: ["prompt.json": Array(prompt.utf8)])
        version.params["prompt"] = .string(id.hex)
        let dataset = try repository.put("datasets/sft", version)
        let bare = try repository.put("datasets/bare", Version(.dataset, "bare"))
        let tuned = try put("sft", ["a": "1"], inputs: ["dataset": dataset])
        let later = try put("dpo", ["a": "2"], inputs: ["dataset": bare, "base": tuned])
        for generator in [tuned, later] {
            _ = try release(generator, prompt: prompt)
            let message = try refusal(generator, prompt: #"{"type":"other"}"#)
            #expect(message.contains("prompt \(id.short)") && message.contains(dataset.short))
            #expect(try refusal(generator).contains("binds no prompt"))
        }
        _ = try release(try put("bare", ["a": "3"], inputs: ["dataset": bare]), prompt: "{}")
    }
}
