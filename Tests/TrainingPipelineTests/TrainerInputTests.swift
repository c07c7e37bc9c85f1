import Foundation
import Objects
import Refs
import Storage
import TestSupport
import Testing
@testable import TrainingPipeline

@Suite("The inputs and the output of a trainer fit each other")
struct TrainerInputTests {
    private func error(_ body: () throws -> TrainerReport) throws -> TrainingError {
        let error = try #require(throws: TrainingError.self) { _ = try body() }
        #expect(error.fault == .refused && error.remedy != nil)
        return error
    }

    private static func rows(_ questions: [String]) -> String {
        questions.map { #"{"question":"\#($0)"}"# + "\n" }.joined()
    }

    private static let questions = [
        "How many holes do I have to drill for the larger of the two brackets?",
        "Which screws come with the wall mount?",
    ]

    @Test("a trainer gets the evaluation dataset, which becomes an input of the model")
    func evaluation() throws {
        let bench = try TrainerBench()
        try bench.put("datasets/sft", ["train.jsonl": Self.rows(Self.questions)])
        try bench.put("datasets/eval", ["e.jsonl": Self.rows(["Where is the fuse box?"])])
        let report = try bench.run(
            "cat \"$FTI_EVALUATION_DIR/e.jsonl\" > \"$FTI_OUTPUT_DIR/seen\"",
            top: "evaluation: datasets/eval")
        #expect(report.warnings.isEmpty && report.inputs["evaluation"] != nil)
        #expect(try bench.text("seen", of: "models/sft")?.contains("fuse box") == true)
        #expect(
            try bench.record()["inputs"]?["evaluation"]?["revision"] == "datasets/eval")
        // Without examples of a known form, nothing can be compared.
        try bench.put("datasets/eval", ["e.jsonl": "{\"text\":\"a\"}\n"])
        let warnings = try bench.run(
            "echo 2 > $FTI_OUTPUT_DIR/a", top: "evaluation: datasets/eval"
        ).warnings
        #expect(warnings.count == 1 && warnings[0].contains("were not compared"))
    }

    @Test("evaluation with examples that are trained on is refused, and near-duplicates warn")
    func overlap() throws {
        let bench = try TrainerBench()
        try bench.put("datasets/sft", ["train.jsonl": Self.rows(Self.questions)])
        try bench.put("datasets/eval", ["e.jsonl": Self.rows([Self.questions[1].uppercased()])])
        let script = "touch \"\(bench.files("ran"))\"; echo 1 > $FTI_OUTPUT_DIR/a"
        let refused = try error { try bench.run(script, top: "evaluation: datasets/eval") }
        guard case .overlap(let overlap) = refused else { throw refused }
        #expect(overlap.exact.count == 1)
        #expect(try !bench.files.names().contains("ran"))
        try bench.put(
            "datasets/eval",
            [
                "e.jsonl": Self.rows([
                    Self.questions[0].replacing("brackets?", with: "brackets now?")
                ])
            ])
        let warnings = try bench.run(script, top: "evaluation: datasets/eval").warnings
        #expect(warnings.count == 1 && warnings[0].contains("near-duplicates"))
    }

    @Test("training and evaluation are asked with the same prompt")
    func prompts() throws {
        let bench = try TrainerBench()
        let prompt = JSONObject([("prompt", .string(String(repeating: "ab", count: 32)))])
        try bench.put("datasets/sft", ["t.jsonl": Self.rows(["a b c"])], params: prompt)
        try bench.put("datasets/eval", ["e.jsonl": Self.rows(["d e f"])])
        let script = "echo 1 > $FTI_OUTPUT_DIR/a"
        let message = try error { try bench.run(script, top: "evaluation: datasets/eval") }.message
        #expect(message.contains("datasets/sft are asked with the prompt abababababab"))
        #expect(message.contains("datasets/eval without a prompt"))
        try bench.put("datasets/eval", ["e.jsonl": Self.rows(["d e f"])], params: prompt)
        _ = try bench.run(script, top: "evaluation: datasets/eval")
    }

    @Test("another tokenizer or template than that of the base is refused, unless it is meant")
    func tokenizer() throws {
        let bench = try TrainerBench()
        try bench.put("models/base", ["tokenizer.json": "{\"a\":1}", "chat_template.jinja": "x"])
        let copy = "cp \"$FTI_BASE_DIR\"/* \"$FTI_OUTPUT_DIR\"; chmod u+w \"$FTI_OUTPUT_DIR\"/*\n"
        let base = "base: models/base"
        #expect(try bench.run(copy, top: base).warnings.isEmpty)
        let model = try bench.repository.state().target(of: try RefName("models/sft"))
        let token = copy + "echo '{\"a\":2}' > $FTI_OUTPUT_DIR/tokenizer.json"
        let template = copy + "echo y > $FTI_OUTPUT_DIR/chat_template.jinja"
        let missing = copy + "rm $FTI_OUTPUT_DIR/chat_template.jinja"
        for (script, phrase) in [
            (token, "has another tokenizer (tokenizer.json) than its base models/base"),
            (template, "has another chat template than"), (missing, "has no chat template"),
        ] {
            let refused = try error { try bench.run(script, top: base) }
            #expect(refused.message.contains(phrase))
            #expect(refused.remedy?.contains("tokenizer: changed") == true)
        }
        #expect(try bench.repository.state().target(of: try RefName("models/sft")) == model)
        // The work is not lost: the log is kept.
        #expect(try !bench.files.names(in: "state/runs").isEmpty)
        _ = try bench.run(token, top: base, options: "tokenizer: changed")
        #expect(try bench.snapshot("models/sft")?.params["tokenizer"] == "changed")
        let warnings = try bench.run("echo 1 > $FTI_OUTPUT_DIR/a", top: base).warnings
        #expect(warnings.count == 1 && warnings[0].contains("has no tokenizer"))
        #expect(throws: TrainingError.self) {
            try bench.run(copy, top: base, options: "tokenizer: other")
        }
    }

    @Test("an adapter that does not fit the base is not published, and neither is the model")
    func adapter() throws {
        let bench = try TrainerBench()
        func tensors(_ name: String, _ shape: [Int]) -> String {
            let size = shape.reduce(1, *)
            let header =
                #"{"\#(name)":{"dtype":"F8_E4M3","shape":\#(shape),"data_offsets":[0,\#(size)]}}"#
            let text = header.padding(toLength: 127 + 256, withPad: " ", startingAt: 0)
            return "\u{7F}\u{1}\0\0\0\0\0\0" + text + String(repeating: "\0", count: size)
        }
        try bench.put(
            "models/base", ["model.safetensors": tensors("model.layers.0.q.weight", [4, 4])])
        try bench.files.write(
            "tensors", tensors("base_model.model.model.layers.1.q.lora_A.weight", [2, 4]))
        let script = """
            mkdir $FTI_OUTPUT_DIR/adapter
            echo 1 > $FTI_OUTPUT_DIR/a
            echo '{"peft_type":"LORA","r":2}' > $FTI_OUTPUT_DIR/adapter/adapter_config.json
            cp "\(bench.files("tensors"))" $FTI_OUTPUT_DIR/adapter/adapter_model.safetensors
            """
        for adapter in ["", "\nadapter: models/sft-adapter"] {
            let refused = try error { try bench.run(script, top: "base: models/base" + adapter) }
            #expect(refused.message.contains("does not fit its base"))
            #expect(try bench.snapshot("models/sft") == nil)
        }
        #expect(try bench.run(script).warnings.contains { $0.contains("has no input base") })
        // A trainer cannot go on from an adapter of an unknown model.
        try bench.put("models/adapter", ["adapter_config.json": "{}", "adapter_model.bin": "1"])
        let refused = try error { try bench.run(script, top: "base: models/adapter") }
        #expect(refused.message.contains("is an adapter without the input base"))
    }
}
