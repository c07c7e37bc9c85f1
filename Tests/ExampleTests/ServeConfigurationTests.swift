import Foundation
import TestSupport
import Testing

@Suite("Mistakes in the configuration of a service")
struct ServeConfigurationTests {
    private func check(_ yaml: String) throws -> Outcome {
        let bench = try Workbench()
        let path = bench.directory.appending(path: "serve.yaml")
        try Data("repo: .fti-example\n\(yaml)\n".utf8).write(to: path)
        return try bench.run("fti-inference serve serve.yaml --check")
    }

    private static let generator =
        "generator:\n  kind: openai\n  model: tiny\n  url: http://127.0.0.1:9/v1\n"

    @Test("a key in place of a variable's name is refused and not shown")
    func pasted() throws {
        for key in ["sk-proj-hush", "hush", "HUSH-1", "1HUSH"] {
            let outcome = try check(Self.generator + "  key: \(key)")
            #expect(outcome.status == 64)
            #expect(outcome.error.contains("serve.yaml:6: generator.key must be the name of"))
            #expect(!outcome.error.lowercased().contains("hush"), "\(outcome.error)")
        }
        let unset = try check(Self.generator + "  key: LLM_KEY")
        #expect(unset.status == 64 && unset.error.contains("LLM_KEY, which is not set"))
        #expect(unset.error.contains("try: export LLM_KEY=KEY"))
    }

    @Test(
        "a mistake has its line, its key and what to do",
        arguments: [
            ("generator: {kind: openai, model: m, url: llm}", 64, "serve.yaml:2: generator.url"),
            ("listen:\n  hosts: [a, b c]", 64, "serve.yaml:3: the setting listen.hosts"),
            ("listen:\n  address: here", 64, "serve.yaml:3: the setting listen.address"),
            ("poll: 1ms", 64, "serve.yaml:2: poll must be from 10ms to 1h"),
            ("serve: features/prod", 4, "features/prod is a features snapshot, not a release"),
            ("serve: releases/live2026", 2, "try: ftictl release releases/live2026 --features"),
            ("retrieval: {where: nobody = 'x'}", 64, "no row has an attribute that"),
            ("retrieval: {where: nobody = 'x'}", 64, "retrieval.where"),
            (
                "rerank: {candidates: 0}", 64,
                "serve.yaml:2: rerank.candidates must be a whole number from 1 to 1000"
            ),
            ("rerank:\n  model: m\n  k: 5", 64, "serve.yaml:4: "),
            (
                "serve: {features: features/prod, model: models/current}\nrerank: {candidates: 5}",
                64, "serve.yaml:3: rerank.model is missing"
            ),
            ("rerank: {model: models/absent}", 2, "models/absent"),
            (
                "rerank: {model: models/current}", 64,
                "the reranker models/current is not the one of releases/prod, which binds none"
            ),
        ])
    func mistakes(yaml: String, status: Int32, part: String) throws {
        let outcome = try check(yaml)
        #expect(outcome.status == status && outcome.error.contains(part), "\(outcome.error)")
    }
}
