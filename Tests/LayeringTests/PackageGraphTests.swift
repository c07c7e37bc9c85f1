import Foundation
import TestSupport
import Testing

/// The package description, as SwiftPM itself reads it.
private struct Manifest: Decodable {
    struct Target: Decodable {
        let name: String
        let type: String
        let dependencies: [Dependency]
    }

    /// `{"byName": ["Storage", null]}` or `{"product": ["Yams", "Yams", null, null]}`.
    struct Dependency: Decodable {
        let name: String

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            let parts = try container.decode([String: [String?]].self)
            name = (parts.first?.value.first ?? nil) ?? ""
        }
    }

    struct Product: Decodable {
        let name: String
        let targets: [String]
    }

    let targets: [Target]
    let products: [Product]

    static func read() throws -> Manifest {
        // A scratch path of its own: the build that runs this test holds the lock of the usual one.
        let scratch = try TemporaryDirectory()
        let outcome = try ChildProcess(
            "/usr/bin/env",
            [
                "swift", "package", "--ignore-lock", "--package-path", Project.root.path,
                "--scratch-path",
                scratch.path, "dump-package",
            ]
        ).finish()
        #expect(outcome.status == 0, "\(outcome.error)")
        return try JSONDecoder().decode(Manifest.self, from: Data(outcome.output.utf8))
    }

    func dependencies(of name: String) -> Set<String> {
        Set(targets.first { $0.name == name }?.dependencies.map(\.name) ?? [])
    }

    /// Everything that a target links, directly or indirectly.
    func closure(of name: String) -> Set<String> {
        var found: Set<String> = []
        var open = [name]
        while let next = open.popLast() {
            for dependency in dependencies(of: next) where found.insert(dependency).inserted {
                open.append(dependency)
            }
        }
        return found
    }
}

@Suite("The layers of the package")
struct PackageGraphTests {
    private let manifest: Manifest

    init() throws { manifest = try Manifest.read() }

    private static let pipelines = ["FeaturePipeline", "TrainingPipeline", "InferencePipeline"]

    /// From the bottom up; a target may depend on those below it only.
    private static let layers: [[String]] = [
        [
            "CPosix", "CKernels", "CCrypto", "CZlib", "CZstd", "CMarkdown", "CGumbo", "CXML",
            "CZip",
            "CUchardet", "CCurl", "CUTF8Proc", "CStemmer",
        ],
        ["Storage", "TextAnalysis", "Processes"], ["Objects"], ["FileFormats", "Conditions"],
        ["Refs", "Artifacts", "YAML"], ["Documents"],
        ["ModelServices", "Encoders", "Maintenance", "Serving"],
        ["CommandSupport"] + pipelines,
        ["ftictl", "fti-feature", "fti-training", "fti-inference", "library-example"],
        ["TestSupport"],
    ]

    @Test("no pipeline depends on another, directly or indirectly")
    func pipelinesAreApart() {
        for pipeline in Self.pipelines {
            let links = manifest.closure(of: pipeline)
            #expect(!links.isEmpty, "\(pipeline) is a target")
            #expect(links.isDisjoint(with: Self.pipelines), "\(pipeline) links \(links)")
        }
    }

    @Test("ftictl links no pipeline, no network and no YAML reader")
    func controlPlaneIsApart() {
        let links = manifest.closure(of: "ftictl")
        #expect(links.contains("Refs"))
        #expect(
            links.isDisjoint(
                with: Self.pipelines + ["Documents", "ModelServices", "CCurl", "Yams"]))
    }

    @Test("only ftictl links Maintenance")
    func maintenanceIsApart() {
        #expect(manifest.closure(of: "ftictl").contains("Maintenance"))
        for name in Self.pipelines + [
            "CommandSupport", "fti-feature", "fti-training", "fti-inference",
        ] {
            #expect(!manifest.closure(of: name).contains("Maintenance"), "\(name)")
        }
    }

    @Test("only executables that serve link Serving")
    func servingIsApart() {
        let executables = manifest.targets.filter { $0.type == "executable" }.map(\.name)
        let serving = executables.filter { manifest.closure(of: $0).contains("Serving") }
        #expect(serving == ["fti-inference"])
        for target in manifest.targets where target.type == "regular" {
            #expect(!manifest.dependencies(of: target.name).contains("Serving"), "\(target.name)")
        }
    }

    @Test("only tests depend on TestSupport, and it depends on nothing above Storage")
    func testSupportIsApart() {
        #expect(manifest.closure(of: "TestSupport") == ["Storage", "CPosix"])
        for target in manifest.targets where target.type != "test" {
            #expect(!manifest.closure(of: target.name).contains("TestSupport"), "\(target.name)")
        }
        for product in manifest.products {
            #expect(!product.targets.contains("TestSupport"), "\(product.name)")
        }
        // A control: tests do depend on it.
        #expect(manifest.closure(of: "StorageTests").contains("TestSupport"))
    }

    @Test("every name in the layers is a target")
    func layersExist() {
        let names = Set(manifest.targets.map(\.name))
        for name in Self.layers.joined() + Self.pipelines {
            #expect(names.contains(name), "\(name)")
        }
        #expect(Set(Self.layers.joined()).count == Self.layers.joined().count)
    }

    @Test("text analysis depends on no other target of the project")
    func textAnalysisIsAlone() {
        #expect(manifest.closure(of: "TextAnalysis") == ["CUTF8Proc", "CStemmer"])
    }

    @Test("each pipeline's executable links its own pipeline and no other")
    func executablesLinkOnePipeline() {
        for (executable, pipeline) in zip(
            ["fti-feature", "fti-training", "fti-inference"], Self.pipelines)
        {
            let linked = manifest.closure(of: executable).intersection(Self.pipelines)
            #expect(linked == [pipeline])
        }
    }

    @Test("every dependency points down")
    func dependenciesPointDown() {
        var height: [String: Int] = [:]
        for (level, names) in Self.layers.enumerated() {
            for name in names { height[name] = level }
        }
        for target in manifest.targets where target.type != "test" {
            guard let level = height[target.name] else {
                Issue.record("\(target.name) has no place in the layers")
                continue
            }
            for dependency in target.dependencies {
                guard let lower = height[dependency.name] else { continue }
                #expect(lower < level, "\(target.name) depends on \(dependency.name)")
            }
        }
    }
}
