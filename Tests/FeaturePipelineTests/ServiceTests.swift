import Artifacts
import Foundation
import Objects
import Storage
import TestSupport
import Testing

@testable import ModelServices
@testable import FeaturePipeline

@Suite("Requests to services")
struct ServiceRequestTests {
    private func service(_ embed: String) throws -> EmbedderChoice.Service {
        let folder = try TemporaryDirectory()
        try folder.write(
            "f.yaml",
            "ref: features/x\nsources: [{files: docs}]\nembed: {url: \"http://h/v1\", model: m, dimension: 4\(embed)}\n"
        )
        let configuration = try FeatureConfiguration(reading: "\(folder.path)/f.yaml")
        guard case .service(let service) = configuration.embedder else {
            throw CancellationError()
        }
        return service
    }

    private func body(_ service: EmbedderChoice.Service, _ role: EmbeddingRole) throws -> JSON {
        try JSON(
            parsing: EmbeddingExchange(model: service.model, texts: ["t"], role: role).body.span)
    }

    @Test("a request has the configured members of its role")
    func members() throws {
        let plain = try service("")
        #expect(
            try body(plain, .document)
                == ["model": "m", "input": ["t"], "encoding_format": "float"])
        let service = try service(
            ", request: {user: ada, truncate: true, dimensions: 4, encoding_format: null, nested: {a: [1, \"2\"]}}, "
                + "query-request: {input_type: query}, document-request: {input_type: passage}")
        for (role, type) in [(EmbeddingRole.document, "passage"), (.query, "query")] {
            #expect(
                try body(service, role) == [
                    "model": "m", "input": ["t"], "user": "ada", "truncate": true, "dimensions": 4,
                    "nested": ["a": [1, "2"]], "input_type": .string(type),
                ])
        }
    }

    @Test("members belong to the embedding space, headers do not")
    func space() throws {
        let spaces = try ["", ", request: {a: 1}", ", query-request: {a: 1}", ", headers: {x: y}"]
            .map { try service($0).model.space(canaries: []) }
        #expect(Set(spaces.map(\.id)).count == 3 && spaces[0].id == spaces[3].id)
        #expect(spaces[0].declaredDifferences(from: spaces[1]).first?.hasPrefix("request") == true)
        let full = try service(", request: {a: [1, null]}").model
        let canaries = ServiceModel.canaryTexts.map { _ in [Float(0.5), 0.5, -0.5, 0.5] }
        let space = full.space(canaries: canaries)
        let read = try EmbeddingSpace(decoding: space.encoded)
        #expect(read == space && ServiceModel(of: read)?.request == full.request)
    }

    @Test("headers take values from environment variables, which nothing prints")
    func headers() throws {
        let service = try service(
            ", headers: {api-key: $AZURE_KEY, Authorization: \"Token ${T}x$$\", OpenAI-Organization: org-1}"
        )
        let values = ["AZURE_KEY": "hush-hush", "T": "tok"]
        let headers = try service.headers.map {
            try $0.resolved(for: service.address) { values[$0] }
        }
        #expect(
            headers.map(\.line) == [
                "api-key: hush-hush", "Authorization: Token tokx$", "OpenAI-Organization: org-1",
            ])
        #expect(!"\(headers)".contains("hush") && !String(reflecting: headers).contains("hush"))
        let error = try #require(throws: EmbeddingError.self) {
            try service.headers[0].resolved(for: service.address) { _ in nil }
        }
        #expect(error.message.contains("AZURE_KEY") && error.fault == .usage)
        let split = try #require(throws: EmbeddingError.self) {
            try service.headers[0].resolved(for: service.address) { _ in "a\r\nb: hush-hush" }
        }
        #expect(!split.message.contains("hush"))
        #expect(
            try ServiceHeader.fromEnvironment {
                $0 == ServiceHeader.variable ? "a: b \nc:d\n" : nil
            }
            .map(\.line) == ["a: b", "c: d"])
        #expect(throws: EmbeddingError.self) {
            try ServiceHeader.fromEnvironment { _ in "no colon" }
        }
    }

    @Test(
        "values that cannot be sent, or would reveal a secret, are refused with their line",
        arguments: [
            ", headers: {api-key: hush-hush}", ", headers: {Authorization: Bearer hush-hush}",
            ", headers: {Host: x}", ", headers: {content-length: 1}", ", headers: {\"a b\": x}",
            ", headers: {x: $}", ", headers: {x: \"${A\"}", ", headers: [a]",
            ", request: {model: x}", ", request: {input: x}", ", query-request: {input: [a]}",
            ", request: {encoding_format: base64}", ", request: [a]", ", requests: {a: 1}",
            ", request: {a: {b: {c: {d: {e: {f: {g: {h: {i: {j: 1}}}}}}}}}}",
        ])
    func refused(embed: String) throws {
        let error = try #require(throws: FeatureError.self) { try service(embed) }
        #expect(error.fault == .usage && !error.message.contains("hush-hush"), "\(error.message)")
    }
}

@Suite("Vectors of interrupted runs")
struct KeptVectorsTests {
    private let now: Timestamp
    private let space: EmbeddingSpace

    init() throws {
        now = try #require(Timestamp("2026-08-01T09:30:00.000Z"))
        space = ServiceModel("m", dimension: 4).space(
            canaries: ServiceModel.canaryTexts.map { _ in [0.5, 0.5, -0.5, 0.5] })
    }

    private func open(_ folder: TemporaryDirectory, ref: String = "features/x") throws
        -> KeptVectors
    {
        try #require(KeptVectors.open(ref, of: "r", in: folder.path, now: now))
    }

    private func file(_ folder: TemporaryDirectory) throws -> String {
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        return "\(folder.path)/\(try #require(names.first))"
    }

    @Test("kept vectors are found again, up to the first damaged record")
    func found() throws {
        let folder = try TemporaryDirectory()
        let texts = (0..<10).map { "text \($0)" }
        let vectors = (0..<10).map { [Float($0), 1, -2.5, 0x1p-30] }
        do {
            let empty = try open(folder)
            #expect(empty.space == nil)
            let kept = try #require(empty.of(space))
            kept.add(Array(vectors[..<6]), of: texts[..<6])
            kept.add(Array(vectors[6...]), of: texts[6...])
            for (text, vector) in zip(texts, vectors) { #expect(kept.vector(of: text) == vector) }
            // One process at a time.
            #expect(KeptVectors.open("features/x", of: "r", in: folder.path, now: now) == nil)
            #expect(KeptVectors.open("features/y", of: "r", in: folder.path, now: now) != nil)
        }
        let path = try folder.names().map { folder($0) }.max {
            try Data(contentsOf: URL(filePath: $0)).count
                < Data(contentsOf: URL(filePath: $1)).count
        }
        let whole = try Data(contentsOf: URL(filePath: try #require(path)))
        for cut in [0, 1, 40, 60] {
            try whole.dropLast(cut).write(to: URL(filePath: try #require(path)))
            chmod(try #require(path), 0o600)
            let again = try open(folder)
            #expect(again.space == space)
            let found = texts.count { again.vector(of: $0) != nil }
            #expect(found == 10 - (cut + 55) / 56)
            #expect(again.vector(of: "another") == nil)
        }
    }

    @Test("vectors of another space are discarded, and so is a file that others can read")
    func forgotten() throws {
        let folder = try TemporaryDirectory()
        do { try #require(try open(folder).of(space)).add([[1, 0, 0, 0]], of: ["a"][...]) }
        var other = space
        other.version = "n"
        do {
            let kept = try open(folder)
            #expect(kept.vector(of: "a") != nil)
            let new = try #require(kept.of(other))
            #expect(new.vector(of: "a") == nil)
        }
        do {
            let kept = try open(folder)
            #expect(kept.space == other)
            kept.remove()
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
        _ = try open(folder)
        chmod(try file(folder), 0o644)
        #expect(KeptVectors.open("features/x", of: "r", in: folder.path, now: now) == nil)
    }
}
