import Foundation
import TestSupport
import Testing

@Suite("Recording a canary")
struct CanaryCommandTests {
    private let bench: Workbench
    private let generator: StandInGenerator

    init() throws {
        bench = try Workbench()
        generator = try StandInGenerator(model: "tiny")
    }

    private func record(_ options: String = "", before: String = "") throws -> Outcome {
        try bench.run("\(before) fti-inference canary \(generator.url) \(options)")
    }

    @Test("the answers of the only model go to standard output, or to a file")
    func works() throws {
        let shown = try record("--items 2")
        #expect(shown.status == 0, "\(shown.error)")
        let canary = try shown.object()
        #expect(canary["type"] as? String == "canary" && canary["model"] as? String == "tiny")
        #expect((canary["items"] as? [Any])?.count == 2)
        #expect(try generator.count("requests") == 4)
        let written = try record("--items 2 --model tiny -o canary.json --json")
        #expect(try written.object()["items"] as? Int == 2)
        let file = try Data(contentsOf: bench.directory.appending(path: "canary.json"))
        #expect(String(decoding: file, as: UTF8.self) + "\n" == shown.output)
    }

    @Test("an engine that does not repeat itself gets no canary")
    func unsteady() throws {
        // The last of six answers comes from another model.
        try generator.behave(#"{"name": "another", "every": 6}"#)
        let outcome = try record("--items 3 -o canary.json")
        #expect(outcome.status == 4)
        #expect(
            outcome.error.contains("does not repeat itself") && outcome.error.contains("answer 3"))
        let path = bench.directory.appending(path: "canary.json").path
        #expect(!FileManager.default.fileExists(atPath: path))
    }

    @Test("wrong addresses, models and keys are explained, and no key is shown")
    func wrong() throws {
        #expect(try record("--model other").error.contains("The model other does not exist"))
        #expect(try bench.run("fti-inference canary ftp://x --model m").status == 64)
        #expect(try record("--items 0").status == 64)
        let unset = try record("--key LLM_KEY")
        #expect(unset.status == 64 && unset.error.contains("LLM_KEY, which is not set"))
        #expect(unset.error.contains("try: export LLM_KEY=KEY"))
        let pasted = try record("--key sk-proj-hush")
        #expect(pasted.status == 64 && pasted.error.contains("not the key itself"))
        #expect(!pasted.error.contains("hush"))
        try generator.behave(
            #"{"mode": "refuse", "status": 401, "body": {"error": {"message": "bad hush-hush"}}}"#)
        let refused = try record("--model tiny --key LLM_KEY", before: "LLM_KEY=hush-hush")
        #expect(refused.status == 74 && refused.error.contains("refuses the key"))
        #expect(!refused.error.contains("hush-hush"))
    }
}
