import ArgumentParser
import Artifacts
import CommandSupport
import Encoders
import ModelServices
import Objects
import Refs
import TrainingPipeline

@main
struct Main {
    static func main() {
        CommandLineTool.main(Training.self, Array(CommandLine.arguments.dropFirst()))
    }
}

/// The command line of the training pipeline.
struct Training: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fti-training",
        abstract:
            "Build datasets from features, train a ranker on them, and evaluate it.",
        version: "fti-training \(Version.text)",
        subcommands: [Run.self])
}

/// `fti-training run CONFIG`.
struct Run: Command {
    static let configuration = CommandConfiguration(
        abstract: "Train on features and publish datasets and model in one transaction.",
        discussion: ArgumentHelp.discussion(
            """
            Reads a YAML file that names the features, labels and training parameters. Evaluation uses \
            questions that training has not seen. The same inputs give the same files for any number of \
            threads.
            """,
            examples: ["fti-training run training.yaml", "fti-training run training.yaml --json"]))

    @OptionGroup var options: GlobalOptions

    @Argument(help: ArgumentHelp("The configuration, a YAML file.", valueName: "config"))
    var config: String

    @Option(help: ArgumentHelp("Use N threads.", valueName: "n"))
    var threads: Int = 2

    func validate() throws {
        guard 1...1024 ~= threads else {
            throw ValidationError("--threads must be from 1 to 1024")
        }
    }

    func run(_ context: CommandContext) throws {
        let configuration = try TrainingConfiguration(reading: config)
        let progress = context.progress
        let path = try context.repositoryLocation(configured: configuration.repository)
        let verified = try context.verifiedLeaves(of: path)
        defer { verified.save() }
        let run = TrainingRun(
            repository: try context.repository(at: path),
            configuration: configuration,
            writer: context.writer,
            version: Version.text, threads: threads,
            embedders: EmbedderRegistry([
                BertProvider(),
                ServiceProvider(try ServiceEndpoint(environment: Environment.variable)),
            ]),
            verified: verified.leaves,
            segments: SegmentCache(at: context.cachePath(of: path, ending: "segments")),
            progress: { progress.update($0) })
        let report = try run.run()
        context.output.made(transaction: report.transaction)
        for warning in report.warnings { try context.output.note("warning: \(warning)") }
        if context.output.isJSON {
            try context.output.emit(report.json)
        } else {
            for line in report.lines { try context.output.line(line.printable()) }
        }
    }
}
