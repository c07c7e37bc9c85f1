// swift-tools-version: 6.2
import PackageDescription

// A separate package, so that building and testing the project never builds its benchmarks.

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
]

func project(_ name: String) -> Target.Dependency { .product(name: name, package: "fti") }

/// A program that measures one thing within a single process, or creates the data for it.
func program(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(
        name: name, dependencies: ["Measuring"] + dependencies, swiftSettings: strict)
}

let package = Package(
    name: "fti-benchmarks",
    dependencies: [.package(name: "fti", path: "..")],
    targets: [
        .target(
            name: "Measuring",
            dependencies: [project("Objects"), project("Refs"), project("Storage")],
            swiftSettings: strict),
        program("delta", [project("Objects"), project("Refs"), project("Storage")]),
        program(
            "encode",
            [
                project("Artifacts"), project("Encoders"), project("Objects"), project("Refs"),
                project("Storage"),
            ]),
        program("fixtures", [project("Objects"), project("Refs"), project("Storage")]),
        program("moves", [project("Objects"), project("Refs"), project("Storage")]),
        program("parse", [project("Objects"), project("Storage")]),
        program(
            "questions",
            [
                project("Artifacts"), project("InferencePipeline"), project("Objects"),
                project("Refs"), project("Storage"),
            ]),
        program("scan", [project("Objects"), project("Refs")]),
        program(
            "search",
            [project("Artifacts"), project("Objects"), project("Refs"), project("Storage")]),
    ]
)
