import ArgumentParser
import CommandSupport

/// The inference pipeline's executable.
struct Inference: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fti-inference",
        abstract: "Answers questions from features with a model, and names the hashes of both.",
        version: "fti-inference \(Version.text)",
        subcommands: [Ask.self])
}
