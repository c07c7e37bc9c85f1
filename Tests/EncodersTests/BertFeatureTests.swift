import Foundation
import TestSupport
import Testing

/// The programs with a sentence embedder in the repository.
@Suite("Features by a sentence embedder")
struct BertFeatureTests {
    private let project: EncoderProject

    init() throws {
        project = try EncoderProject()
        for (name, text) in [
            ("pump", "The pump starts when the soil is dry."), ("valve", "The valve is a pump."),
            ("frost", "The frost alarm starts. The pump is dry."),
        ] {
            try project.write("docs/\(name).md", "# \(name)\n\n\(text)\n")
        }
        try project.write("model", SampleModel.embedder())
        try configure()
        try project.run("ftictl", ["init"])
        try project.run("ftictl", ["put", "models/embedder", "model"])
    }

    private func configure(
        chunk: String = "{size: 1000}", embed: String = "{name: bert, model: models/embedder}"
    ) throws {
        try project.write(
            "features.yaml",
            "ref: features/prod\nsources:\n  - files: docs\nchunk: \(chunk)\nembed: \(embed)\n")
    }

    private func features(_ options: String..., status: Int32 = 0) throws -> Outcome {
        try project.run("fti-feature", ["run", "features.yaml"] + options, status: status)
    }

    @Test("a run embeds with the stored model, names it as an input, and embeds nothing twice")
    func run() throws {
        let first = try features("--json").object()
        #expect(first["embedded"] as? Int == 3)
        let model = try project.run("ftictl", ["resolve", "models/embedder"]).output
            .trimmingCharacters(in: .whitespacesAndNewlines)
        let shown = try project.run("ftictl", ["show", "features/prod", "--json"]).object()
        #expect((shown["inputs"] as? [String: Any])?["embedder"] as? String == model)

        let second = try features("--json").object()
        #expect(second["embedded"] as? Int == 0 && second["transaction"] is NSNull)
        // A README is no reason to embed again; other weights are.
        try project.write("model/README.md", "About the model.\n")
        try project.run("ftictl", ["put", "models/embedder", "model"])
        #expect(try features("--json").object()["embedded"] as? Int == 0)
        try project.write("model", SampleModel.embedder(seed: 2))
        try project.run("ftictl", ["put", "models/embedder", "model"])
        let refused = try features(status: 4)
        #expect(refused.error.contains("weights"))
        #expect(try features("--rebuild", "--json").object()["embedded"] as? Int == 3)
        #expect(try features("--dry-run", "--json").object()["embedded"] as? Int == 0)
    }

    @Test("questions are embedded by the model of the features, which a collection keeps")
    func questions() throws {
        _ = try features()
        try project.run("fti-training", ["run", try trainingFile()])
        try project.run("ftictl", ["rm", "models/embedder"])
        try project.run("ftictl", ["gc", "--keep", "0s", "--grace", "0s"])
        try project.run("ftictl", ["verify", "--full"])
        let reply = try project.run(
            "fti-inference",
            [
                "ask", "When does the pump start?", "--features", "features/prod", "--model",
                "models/candidate", "--json",
            ]
        ).object()
        let sources = try #require(reply["sources"] as? [[String: Any]])
        #expect(!sources.isEmpty)
    }

    private func trainingFile() throws -> String {
        try project.write(
            "training.yaml", "features: features/prod\nsplit: {heldout: 0}\n")
        return "training.yaml"
    }

    @Test("chunks may be measured in tokens, and texts that are too long are counted")
    func tokens() throws {
        let words = String(repeating: "pump valve frost. ", count: 30)
        try project.write("docs/long.md", "# long\n\n\(words)\n")
        let whole = try features("--json").object()
        let report = try #require(whole["report"] as? [[String: Any]])
        let cut = try #require(report.first { $0["fate"] as? String == "cut" })
        #expect(cut["count"] as? Int == 1)
        #expect((cut["reason"] as? String)?.contains("22 tokens") ?? false)

        try configure(chunk: "{size: 20, overlap: 0, unit: tokens}")
        let small = try features("--json").object()
        // 30 sentences of four tokens, at most five of them together.
        #expect((small["chunks"] as? Int ?? 0) >= 3 + 6)
        let rest = try #require(small["report"] as? [[String: Any]])
        #expect(rest.allSatisfy { $0["fate"] as? String != "cut" })
        try configure(chunk: "{size: 20, unit: tokens}", embed: "{name: builtin}")
        let refused = try features(status: 64)
        #expect(refused.error.contains("features.yaml:4") && refused.error.contains("tokens"))
    }

    @Test("a model that cannot run, or is not there, fails the run and says why")
    func refusals() throws {
        try project.write("other/config.json", #"{"model_type": "xlm-roberta"}"#)
        try project.write("other/model.safetensors", [1, 2, 3])
        try project.run("ftictl", ["put", "models/other", "other"])
        try configure(embed: "{name: bert, model: models/other}")
        let unsupported = try features(status: 4)
        #expect(unsupported.error.contains("xlm-roberta"))
        #expect(unsupported.error.contains("embed.url"))
        try configure(embed: "{name: bert, model: models/none}")
        #expect(try features(status: 2).error.contains("models/none"))
        try configure(embed: "{name: bert}")
        #expect(try features(status: 64).error.contains("embed.model is missing"))
        try configure(embed: "{name: bart, model: models/embedder}")
        #expect(try features(status: 64).error.contains("builtin and bert"))
    }
}
