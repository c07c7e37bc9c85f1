import ArgumentParser
import Artifacts
import CommandSupport
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
        subcommands: [Run.self, Overlap.self])
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

    @Option(
        help: ArgumentHelp(
            "Send at most N requests to the language model of `generate`.", valueName: "n"))
    var maxRequests: Int?

    @Option(help: ArgumentHelp("Use N threads.", valueName: "n"))
    var threads: Int = 2

    func validate() throws {
        guard 1...1024 ~= threads else {
            throw ValidationError("--threads must be from 1 to 1024")
        }
        guard (maxRequests ?? 0) >= 0 else {
            throw ValidationError("--max-requests must not be negative")
        }
    }

    /// The ending of the file that keeps replies for a ref.
    private func keptName(_ configuration: TrainingConfiguration) -> String {
        configuration.generatedDataset.replacing("/", with: "+")
    }

    func run(_ context: CommandContext) throws {
        var configuration = try TrainingConfiguration(reading: config)
        if let maxRequests {
            guard var generate = configuration.generate else {
                throw CommandError.usage("--max-requests needs the key generate in \(config)")
            }
            generate.requestLimit = min(maxRequests, generate.requestLimit ?? .max)
            configuration.generate = generate
        }
        let progress = context.progress
        let path = try context.repositoryLocation(configured: configuration.repository)
        let verified = try context.verifiedLeaves(of: path)
        defer { verified.save() }
        let run = TrainingRun(
            repository: try context.repository(at: path),
            configuration: configuration,
            writer: context.writer,
            version: Version.text, threads: threads,
            embedders: EmbedderSource(
                endpoint: try ServiceEndpoint(environment: Environment.variable)),
            verified: verified.leaves,
            segments: SegmentCache(at: context.cachePath(of: path, ending: "segments")),
            generation: try configuration.generate.map { settings in
                TrainingRun.Generation(
                    by: try settings.open(Environment.variable),
                    keeping: context.cachePath(of: path, ending: keptName(configuration)))
            },
            progress: { progress.update($0) })
        let report = try run.run { try? context.output.note($0) }
        context.output.made(transaction: report.transaction)
        for warning in report.warnings { try context.output.note("warning: \(warning)") }
        if context.output.isJSON {
            try context.output.emit(report.json)
        } else {
            for line in report.lines { try context.output.line(line.printable()) }
        }
    }
}

extension GenerationSettings {
    /// Opens the language model.
    ///
    /// - Throws: A usage error when the address or the key cannot be used; it does not repeat a key.
    func open(_ variable: (String) -> String?) throws -> ExampleModel {
        let address: ServiceAddress
        do throws(ServiceAddress.Malformed) {
            address = try ServiceAddress(url, of: .chat)
        } catch { throw CommandError.usage("generate.url \(error.reason)") }
        let key = try keyVariable.map {
            try ServiceKey(setting: "generate.key", naming: $0, variable)
        }
        var endpoint = ServiceEndpoint(address, key: key)
        endpoint.timeout = timeout
        endpoint.retries = retries
        var limits = ChatService.Limits()
        limits.atOnce = atOnce
        limits.silence = timeout
        return ExampleModel(
            ChatService(model, at: endpoint, limits: limits), at: address.description)
    }
}
