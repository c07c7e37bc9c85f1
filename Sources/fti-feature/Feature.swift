import ArgumentParser
import CommandSupport
import FeaturePipeline

/// The feature pipeline's command line.
struct Feature: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fti-feature",
        abstract: "Turn documents into features: chunks with vectors, in one table.",
        version: FeaturePipeline.version, subcommands: [RunCommand.self])
}
