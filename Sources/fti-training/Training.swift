import ArgumentParser
import CommandSupport

/// The training pipeline's executable.
struct Training: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fti-training",
        abstract:
            "Builds datasets from features, trains a retrieval policy on them and measures it.",
        version: "fti-training \(Version.text)",
        subcommands: [Run.self])
}
