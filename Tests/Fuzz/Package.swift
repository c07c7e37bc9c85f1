// swift-tools-version: 6.2
import PackageDescription

// A package of its own: building and testing the project never builds its fuzzer. The targets are also part of
// the project's tests, which replay the committed corpora through them.

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
]

func project(_ name: String) -> Target.Dependency { .product(name: name, package: "fti") }

let package = Package(
    name: "fti-fuzz",
    dependencies: [.package(name: "fti", path: "../..")],
    targets: [
        .target(name: "CFuzzer", path: "CFuzzer"),
        .target(
            name: "FuzzTargets",
            dependencies: [
                project("Storage"), project("Objects"), project("Refs"),
                project("Artifacts"), project("TextAnalysis"), project("ModelServices"),
                project("Encoders"),
                project("Documents"),
                project("FeaturePipeline"), project("TrainingPipeline"),
            ],
            path: "Targets", exclude: ["ReplayTests.swift"], swiftSettings: strict),
        .executableTarget(
            name: "fuzz", dependencies: ["FuzzTargets", "CFuzzer"], path: "Program",
            swiftSettings: strict,
            // The default linker does not support the debug information of instrumented code.
            linkerSettings: [.unsafeFlags(["-use-ld=lld"])]),
    ]
)
