import Encoders
import Foundation
import Objects
import TestSupport
import Testing

/// The programs with a cross-encoder in a repository: put, bound by a release, asked.
@Suite("Asking with a cross-encoder")
struct RerankedAskTests {
    private let project: EncoderProject

    private static let documents = [
        ("pump", "The pump starts when the soil is dry."), ("valve", "The valve is a pump. Dry."),
        ("frost", "The frost alarm starts. The pump is dry."), ("soil", "Soil, soil, soil."),
        ("alarm", "When is the alarm? The alarm starts the pump when a valve is dry."),
    ]
    private static let question = "When does the pump start?"

    init() throws {
        project = try EncoderProject()
        for (name, text) in Self.documents {
            try project.write("docs/\(name).md", Array("# \(name)\n\n\(text)\n".utf8))
        }
        for (name, bytes) in SampleModel.reranker().files {
            try project.write("reranker/\(name)", bytes)
        }
        try project.write(
            "features.yaml",
            Array(
                "ref: features/prod\nsources:\n  - files: docs\nembed: {dimension: 64}\n".utf8))
        try run("ftictl", "init")
        try run("ftictl", "put", "models/reranker", "reranker")
        try project.write("llm/config.json", Array("{}".utf8))
        try run("ftictl", "put", "models/llm", "llm")
        try run("fti-feature", "run", "features.yaml")
    }

    @discardableResult
    private func run(
        _ program: String, _ arguments: String..., status: Int32 = 0
    ) throws -> Outcome {
        try project.run(program, arguments, status: status)
    }

    private func run(
        _ program: String, _ arguments: [String], status: Int32
    ) throws -> Outcome {
        try project.run(program, arguments, status: status)
    }

    /// Binds a release that is ranked by the untrained rule, which needs no ranker beside a generator.
    private func release(
        _ name: String = "releases/prod", _ options: String..., status: Int32 = 0
    ) throws -> Outcome {
        try run(
            "ftictl",
            ["release", name, "--features", "features/prod", "--generator", "models/llm"] + options,
            status: status)
    }

    @Test("ask scores passages as the cross-encoder does, and orders them by that")
    func ask() throws {
        let bound = try release("releases/prod", "--reranker", "models/reranker").output
        #expect(bound.contains("reranker"))
        let kept = try run(
            "ftictl", "release", "releases/b", "--from", "releases/prod", "-m", "again", "--json"
        ).object()
        let id = try #require(kept["reranker"] as? String)
        #expect(try run("ftictl", "refs").output.contains("binds reranker"))
        #expect(try run("ftictl", "show", "releases/b").output.contains("reranker"))

        let reply = try run(
            "fti-inference", "ask", Self.question, "--release", "releases/b", "--json"
        ).object()
        #expect(reply["reranker"] as? String == id)
        let sources = try #require(reply["sources"] as? [[String: Any]])
        #expect(sources.count == Self.documents.count)
        let scores = sources.compactMap { $0["rerank"] as? Double }
        #expect(scores.count == sources.count && scores == scores.sorted(by: >))
        let encoder = try CrossEncoder(try SampleModel.reranker().model())
        let expected = encoder.scores(
            of: try sources.map { source in
                // A heading that is also the name of the file is no part of what is read.
                try #require(source["text"] as? String)
            }, for: Self.question)
        for (score, expected) in zip(scores, expected) {
            #expect(abs(score - Double(expected)) < 1e-5)
        }

        _ = try release("releases/plain")
        let plain = try run(
            "fti-inference", "ask", Self.question, "--release", "releases/plain", "--json"
        ).object()
        let before = try #require(plain["sources"] as? [[String: Any]])
        #expect(before.map { $0["key"] as? String } != sources.map { $0["key"] as? String })
        #expect(plain["answered"] as? Bool == reply["answered"] as? Bool)
        let two = try run(
            "fti-inference", "ask", Self.question, "--release", "releases/prod", "--reranker",
            "models/reranker", "--rerank-candidates", "2", "--explain"
        ).output
        #expect(two.contains("orders the first 2 chunks") && two.contains("   reranked "))
    }

    @Test("a model that is no cross-encoder is refused: by the release, or when it is opened")
    func refused() throws {
        try project.write("ranker/config.json", Array(#"{"type": "ranker"}"#.utf8))
        try project.write("ranker/model.safetensors", [1])
        try run("ftictl", "put", "models/ranker", "ranker")
        let ranker = try release("releases/prod", "--reranker", "models/ranker", status: 4)
        #expect(ranker.error.contains("is a ranker") && ranker.error.contains("try: "))
        let config = Array(#"{"model_type": "gpt2"}"#.utf8)
        try project.write("reranker/config.json", config)
        try run("ftictl", "put", "models/gpt", "reranker")
        _ = try release("releases/prod", "--reranker", "models/gpt")
        let asked = try run(
            "fti-inference", "ask", Self.question, "--release", "releases/prod", status: 4)
        #expect(asked.error.contains("has no encoder for the architecture gpt2"))
        #expect(asked.error.contains("try: use a cross-encoder of the BERT family"))
        try run(
            "fti-inference", "ask", Self.question, "--release", "releases/prod",
            "--rerank-candidates", "0", status: 64)
        try project.write("serve.yaml", Array("repo: .fti\nserve: releases/prod\n".utf8))
        let served = try run("fti-inference", "serve", "serve.yaml", "--check", status: 4)
        #expect(served.error.contains("has no encoder for the architecture gpt2"))
    }
}
