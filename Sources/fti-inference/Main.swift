import ArgumentParser
import CommandSupport

@main
struct Main {
    static func main() {
        CommandLineTool.main(Inference.self, Array(CommandLine.arguments.dropFirst()))
    }
}

/// The command line of the inference pipeline.
struct Inference: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fti-inference",
        abstract: "Answer questions from features with a model, and name the hashes of both.",
        version: "fti-inference \(Version.text)",
        subcommands: [Ask.self, Serve.self, RecordCanary.self])
}
