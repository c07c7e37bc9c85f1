// swift-tools-version: 6.2
import PackageDescription

/// Settings every Swift target shares.
let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
]

/// Links `ftictl` statically: scripts and shell prompts call it for a hash, and a static executable
/// starts in half the time of a dynamic one. The listed archives are those that ArgumentParser's
/// FoundationEssentials needs, which a dynamic executable gets by autolinking.
let staticExecutable: [LinkerSetting] = [
    .unsafeFlags([
        "-static-executable", "-l_FoundationCShims", "-l_FoundationCollections",
        "-lswiftSynchronization", "-Xlinker", "-s", "-use-ld=lld", "-Xlinker", "-w",
    ])
]

/// Links the runtime and Foundation of Swift into the release builds of the pipelines, so that a machine needs no Swift to
/// run them. Their other libraries stay shared: a distribution updates those. The archives are those that a dynamic
/// executable gets by autolinking.
let staticRuntime: [LinkerSetting] = [
    .unsafeFlags(
        [
            "-static-stdlib", "-lFoundationInternationalization", "-lFoundationEssentials",
            "-lCoreFoundation",
            "-l_FoundationICU", "-l_FoundationCShims", "-l_FoundationCollections",
            "-lswiftSynchronization",
        ], .when(configuration: .release))
]

let arguments = Target.Dependency.product(
    name: "ArgumentParser", package: "swift-argument-parser")

/// A system library under `Sources/CSystem`.
func system(_ name: String, pkgConfig: String?, apt: String) -> Target {
    .systemLibrary(
        name: name, path: "Sources/CSystem/\(name)", pkgConfig: pkgConfig,
        providers: [.apt([apt])])
}

let package = Package(
    name: "fti",
    products: [
        .executable(name: "ftictl", targets: ["ftictl"]),
        .executable(name: "fti-feature", targets: ["fti-feature"]),
        .executable(name: "fti-training", targets: ["fti-training"]),
        .executable(name: "fti-inference", targets: ["fti-inference"]),
        .library(name: "Storage", targets: ["Storage"]),
        .library(name: "Objects", targets: ["Objects"]),
        .library(name: "Refs", targets: ["Refs"]),
        .library(name: "TextAnalysis", targets: ["TextAnalysis"]),
        .library(name: "Artifacts", targets: ["Artifacts"]),
        .library(name: "Encoders", targets: ["Encoders"]),
        .library(name: "ModelServices", targets: ["ModelServices"]),
        .library(name: "Encoders", targets: ["Encoders"]),
        .library(name: "Documents", targets: ["Documents"]),
        .library(name: "FeaturePipeline", targets: ["FeaturePipeline"]),
        .library(name: "TrainingPipeline", targets: ["TrainingPipeline"]),
        .library(name: "InferencePipeline", targets: ["InferencePipeline"]),
        .library(name: "Maintenance", targets: ["Maintenance"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/LebJe/TOMLKit", from: "0.6.0"),
        // The HTTP layer of services; only executables that serve link it.
        .package(
            url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
        .package(url: "https://github.com/hummingbird-project/swift-mustache", from: "2.1.1"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        // System libraries and C.
        system("CCrypto", pkgConfig: "libcrypto", apt: "libssl-dev"),
        system("CZlib", pkgConfig: "zlib", apt: "zlib1g-dev"),
        system("CZstd", pkgConfig: "libzstd", apt: "libzstd-dev"),
        system("CMarkdown", pkgConfig: "libcmark-gfm", apt: "libcmark-gfm-extensions-dev"),
        system("CGumbo", pkgConfig: "gumbo", apt: "libgumbo-dev"),
        system("CXML", pkgConfig: "libxml-2.0", apt: "libxml2-dev"),
        system("CZip", pkgConfig: "libzip", apt: "libzip-dev"),
        system("CUchardet", pkgConfig: "uchardet", apt: "libuchardet-dev"),
        // The pkg-config file of libutf8proc has a flag that SwiftPM refuses; libstemmer has no such file.
        system("CUTF8Proc", pkgConfig: nil, apt: "libutf8proc-dev"),
        system("CStemmer", pkgConfig: nil, apt: "libstemmer-dev"),
        system("CCurl", pkgConfig: "libcurl", apt: "libcurl4-openssl-dev"),
        .target(name: "CPosix"),
        // Optimized in debug builds too: tests would wait for its loops.
        .target(name: "CKernels", cSettings: [.unsafeFlags(["-O2"])]),

        // The store, from the bottom up.
        .target(name: "Storage", dependencies: ["CPosix"], swiftSettings: strict),
        .target(
            name: "Objects", dependencies: ["Storage", "CCrypto", "CZlib", "CZstd", "CKernels"],
            swiftSettings: strict),
        // The file formats of models, and differences between tensors.
        .target(
            name: "FileFormats", dependencies: ["Objects", "Storage", "CZlib", "CKernels"],
            swiftSettings: strict),
        .target(
            name: "Refs", dependencies: ["FileFormats", "Objects", "Storage", "CCrypto"],
            swiftSettings: strict),
        // Collection, verification and repair. Only ftictl depends on it.
        .target(
            name: "Maintenance", dependencies: ["Refs", "Objects", "Storage"], swiftSettings: strict
        ),

        // Programs that run within limits or under a supervisor.
        .target(name: "Processes", dependencies: ["CPosix"], swiftSettings: strict),

        // Words, sentences and languages of text.
        .target(
            name: "TextAnalysis", dependencies: ["CUTF8Proc", "CStemmer"], swiftSettings: strict),

        // The conditions of --where.
        .target(name: "Conditions", dependencies: ["Objects", "Storage"], swiftSettings: strict),

        // The YAML reader of all configurations, with line numbers in errors.
        .target(name: "YAML", dependencies: ["Objects", "Yams"], swiftSettings: strict),

        // The pipelines, and the artifacts that they exchange. No pipeline depends on another.
        .target(
            name: "Artifacts",
            dependencies: ["Conditions", "TextAnalysis", "Objects", "Storage", "CKernels"],
            swiftSettings: strict),
        // Language encoders that run here: sentence embedders and rerankers of the BERT family.
        .target(
            name: "Encoders",
            dependencies: [
                "Artifacts", "FileFormats", "TextAnalysis", "Objects", "Storage", "CKernels",
                "CUTF8Proc",
            ], swiftSettings: strict),
        .target(
            name: "ModelServices", dependencies: ["Artifacts", "Objects", "Storage", "CCurl"],
            swiftSettings: strict),
        .target(
            name: "Documents",
            dependencies: [
                "TextAnalysis", "Objects", "Storage", "Processes", "CMarkdown", "CGumbo", "CXML",
                "CZip", "CUchardet",
                "TOMLKit", "Yams", "YAML",
            ], swiftSettings: strict),
        .target(
            name: "FeaturePipeline",
            dependencies: [
                "Conditions", "Documents", "Encoders", "ModelServices", "Artifacts",
                "TextAnalysis", "Refs", "Objects", "Storage", "YAML",
            ],
            path: "Sources/Pipelines/Feature", swiftSettings: strict),
        .target(
            name: "TrainingPipeline",
            dependencies: [
                "Artifacts", "TextAnalysis", "Processes", "FileFormats", "Refs", "Objects",
                "Storage", "YAML",
            ],
            path: "Sources/Pipelines/Training", swiftSettings: strict),
        .target(
            name: "InferencePipeline",
            dependencies: [
                "Conditions", "Artifacts", "TextAnalysis", "Refs", "Objects", "Storage",
            ],
            path: "Sources/Pipelines/Inference", swiftSettings: strict),

        // The HTTP layer of services: limits, tokens, errors, health, metrics, the access log.
        .target(
            name: "Serving",
            dependencies: [
                "Objects", "Storage",
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "HummingbirdTLS", package: "hummingbird"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ], swiftSettings: strict),

        // Executables.
        .target(
            name: "CommandSupport",
            dependencies: ["Conditions", "Refs", "Objects", "Storage", "CPosix", arguments],
            swiftSettings: strict),
        .executableTarget(
            name: "ftictl",
            dependencies: [
                "FileFormats", "Conditions", "CommandSupport", "Artifacts", "Maintenance", "Refs",
                "Objects", "Storage",
                arguments,
            ],
            swiftSettings: strict, linkerSettings: staticExecutable),
        .executableTarget(
            name: "fti-feature",
            dependencies: [
                "FeaturePipeline", "Documents", "CommandSupport", "Refs", "Objects", arguments,
            ],
            swiftSettings: strict, linkerSettings: staticRuntime),
        .executableTarget(
            name: "fti-training",
            dependencies: [
                "TrainingPipeline", "Encoders", "ModelServices", "Artifacts", "CommandSupport",
                "Refs", "Objects", "Storage", arguments,
            ],
            swiftSettings: strict, linkerSettings: staticRuntime),
        .executableTarget(
            name: "fti-inference",
            dependencies: [
                "Conditions", "InferencePipeline", "Encoders", "ModelServices", "Artifacts",
                "Serving", "CommandSupport", "Refs", "Objects", "Storage", "YAML", arguments,
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Mustache", package: "swift-mustache"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strict, linkerSettings: staticRuntime),

        .executableTarget(
            name: "library-example",
            dependencies: [
                "FeaturePipeline", "TrainingPipeline", "InferencePipeline", "Artifacts", "Refs",
                "Objects",
                "Storage",
            ],
            path: "Examples/library", swiftSettings: strict),

        // Tests and their shared support, on which no product may depend.
        .target(
            name: "TestSupport", dependencies: ["Storage"], path: "Tests/TestSupport",
            swiftSettings: strict),
        .testTarget(
            name: "LayeringTests", dependencies: ["TestSupport"], path: "Tests/LayeringTests",
            swiftSettings: strict),
        .testTarget(
            name: "TextAnalysisTests", dependencies: ["TextAnalysis", "TestSupport"],
            path: "Tests/TextAnalysisTests", swiftSettings: strict),
        .testTarget(
            name: "ArtifactsTests",
            dependencies: [
                "Conditions", "Artifacts", "TextAnalysis", "Objects", "Storage", "TestSupport",
            ],
            path: "Tests/ArtifactsTests", swiftSettings: strict),
        .testTarget(
            name: "EncodersTests",
            dependencies: [
                "Encoders", "Artifacts", "Objects", "Storage", "CKernels", "TestSupport",
            ],
            path: "Tests/EncodersTests", swiftSettings: strict),
        .testTarget(
            name: "ObjectsTests",
            dependencies: [
                "FileFormats", "Maintenance", "Objects", "Storage", "CCrypto", "CKernels",
                "TestSupport",
            ],
            path: "Tests/ObjectsTests", swiftSettings: strict),
        .testTarget(
            name: "FuzzTests",
            dependencies: [
                "FileFormats", "Conditions", "Documents", "FeaturePipeline", "TrainingPipeline",
                "ModelServices", "Encoders", "Artifacts",
                "TextAnalysis", "Refs", "Objects", "Storage",
            ],
            path: "Tests/Fuzz/Targets", swiftSettings: strict),
        .testTarget(
            name: "DocumentsTests", dependencies: ["Documents", "Objects", "TestSupport"],
            path: "Tests/DocumentsTests", swiftSettings: strict),
        .testTarget(
            name: "ProcessesTests", dependencies: ["Processes", "TestSupport"],
            path: "Tests/ProcessesTests", swiftSettings: strict),
        .testTarget(
            name: "FeaturePipelineTests",
            dependencies: [
                "Conditions", "Documents", "FeaturePipeline", "ModelServices", "Artifacts",
                "TextAnalysis",
                "Refs", "Objects", "Storage", "TestSupport",
            ],
            path: "Tests/FeaturePipelineTests", swiftSettings: strict),
        .testTarget(
            name: "ModelServicesTests",
            dependencies: ["ModelServices", "Artifacts", "Objects", "Storage", "TestSupport"],
            path: "Tests/ModelServicesTests", swiftSettings: strict),
        .testTarget(
            name: "TrainingPipelineTests",
            dependencies: [
                "TrainingPipeline", "ModelServices", "Artifacts", "TextAnalysis", "Refs", "Objects",
                "Storage", "TestSupport",
            ],
            path: "Tests/TrainingPipelineTests", swiftSettings: strict),
        .testTarget(
            name: "ftictlTests",
            dependencies: [
                "CommandSupport", "Artifacts", "Refs", "Objects", "Storage", "TestSupport",
            ],
            path: "Tests/ftictlTests", swiftSettings: strict),
        .testTarget(
            name: "ExampleTests",
            dependencies: ["Maintenance", "Artifacts", "Refs", "Objects", "TestSupport"],
            path: "Tests/ExampleTests", exclude: ["embedding_service.py"],
            swiftSettings: strict),
        .testTarget(
            name: "InferencePipelineTests",
            dependencies: [
                "Conditions", "Maintenance", "InferencePipeline", "Artifacts", "Refs", "Objects",
                "Storage",
                "TestSupport",
            ],
            path: "Tests/InferencePipelineTests", swiftSettings: strict),
        .testTarget(
            name: "RefsTests",
            dependencies: [
                "FileFormats", "Maintenance", "Refs", "Objects", "Storage", "TestSupport",
            ],
            path: "Tests/RefsTests", swiftSettings: strict),
        .testTarget(
            name: "ServingTests",
            dependencies: [
                "Serving", "Objects", "Storage", "TestSupport",
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            path: "Tests/ServingTests", swiftSettings: strict),
        // What clients in Python see of the running service.
        .testTarget(
            name: "ServeTests", dependencies: ["TestSupport"], path: "Tests/ServeTests",
            exclude: [
                "setup.sh", "bench.py", "checks.py", "api.py", "faults.py", "limits.py", "life.py",
                "versions.py", "rerank.py", "under_load.py", "with_langchain.py", "with_smollm2.py",
            ],
            swiftSettings: strict),
        .testTarget(
            name: "StorageTests", dependencies: ["Storage", "TestSupport"],
            path: "Tests/StorageTests", swiftSettings: strict),
    ]
)
