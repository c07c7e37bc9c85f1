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
            "Build datasets from features and train a ranker on them, or run your own trainer.",
        version: "fti-training \(Version.text)",
        subcommands: [Run.self, Overlap.self])
}

/// `fti-training run CONFIG`.
struct Run: Command {
    static let configuration = CommandConfiguration(
        abstract: "Train as a configuration says, and publish the model in one transaction.",
        discussion: ArgumentHelp.discussion(
            """
            Reads a YAML file. With features, it names labels and training parameters: the run builds \
            datasets, trains a ranker and evaluates it on questions that training has not seen. The \
            same inputs give the same files for any number of threads. With trainer, it names a \
            dataset and a command: the run executes the command and publishes what it leaves.
            """,
            examples: [
                "fti-training run training.yaml", "fti-training run training.yaml --json",
                "fti-training run trainer.yaml --resume",
            ]))

    @OptionGroup var options: GlobalOptions

    @Argument(help: ArgumentHelp("The configuration, a YAML file.", valueName: "config"))
    var config: String

    @Flag(help: "Go on from the checkpoint that the last failed run of the trainer published.")
    var resume = false

    @Option(
        help: ArgumentHelp(
            "Send at most N requests to the language model of `generate`.", valueName: "n"))
    var maxRequests: Int?

    @Option(help: ArgumentHelp("Use N threads for the ranker.", valueName: "n"))
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
        switch try TrainingPlan(reading: config) {
        case .ranker(let configuration):
            guard !resume else {
                throw CommandError.usage(
                    "--resume goes on with a trainer, and \(config) has none",
                    remedy: "fti-training run \(config)")
            }
            try train(configuration, context)
        case .trainer(let configuration):
            guard maxRequests == nil else {
                throw CommandError.usage("--max-requests is for runs that build datasets")
            }
            try train(configuration, context)
        }
    }

    private func train(_ configuration: TrainingConfiguration, _ context: CommandContext) throws {
        var configuration = configuration
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
            embedders: EmbedderRegistry([
                BertProvider(),
                ServiceProvider(try ServiceEndpoint(environment: Environment.variable)),
            ]),
            verified: verified.leaves,
            segments: SegmentCache(at: context.cachePath(of: path, ending: "segments")),
            generation: try configuration.generate.map { settings in
                TrainingRun.Generation(
                    by: try settings.open(Environment.variable),
                    keeping: context.cachePath(of: path, ending: keptName(configuration)))
            },
            progress: { progress.update($0) })
        let report = try run.run { try? context.output.note($0) }
        try show(
            report.json, report.lines, report.transaction, warnings: report.warnings, context)
    }

    private func train(_ configuration: TrainerConfiguration, _ context: CommandContext) throws {
        let progress = context.progress
        let path = try context.repositoryLocation(configured: configuration.repository)
        let run = TrainerRun(
            repository: try context.repository(at: path), configuration: configuration,
            writer: context.writer, version: Version.text, isResumed: resume,
            surroundings: TrainerRun.Surroundings(
                environment: Environment.all, repository: RepositoryLocation.existing(path),
                logs: context.stateFolder.map { "\($0)/runs" }, passesInterrupts: true),
            progress: { progress.update($0) })
        let report = try run.run()
        try show(
            report.json, report.lines, report.transaction, warnings: report.warnings, context)
    }

    private func show(
        _ json: JSONObject, _ lines: [String], _ transaction: Int?, warnings: [String],
        _ context: CommandContext
    ) throws {
        context.output.made(transaction: transaction)
        for warning in warnings { try context.output.note("warning: \(warning)") }
        if context.output.isJSON {
            try context.output.emit(json)
        } else {
            for line in lines { try context.output.line(line.printable()) }
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
