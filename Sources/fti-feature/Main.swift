import ArgumentParser
import CommandSupport
import FeaturePipeline
import Refs

@main
struct Main {
    static func main() {
        CommandLineTool.main(Feature.self, Array(CommandLine.arguments.dropFirst()))
    }
}

/// The command line of the feature pipeline.
struct Feature: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fti-feature",
        abstract: "Turn documents into features: chunks with vectors, in one table.",
        version: "fti-feature \(Version.text)", subcommands: [RunCommand.self])
}

struct RunCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Update a features ref from its sources, in one transaction.",
        discussion: ArgumentHelp.discussion(
            """
            Embeds only new and changed documents. Removes the rows of missing documents, but only where \
            the sources could be listed completely. Makes no transaction when nothing changed. Never \
            mixes embedding spaces: refuses a run that would, unless --rebuild replaces all rows. Counts, for \
            each reason, the text that was left out, cut, replaced, guessed or not understood; --verbose \
            lists it by document.
            """,
            examples: [
                "fti-feature run features.yaml",
                "fti-feature run features.yaml -m \"Edition 2\" --json",
                "fti-feature run features.yaml --rebuild",
                "fti-feature run features.yaml --dry-run --verbose",
            ]))

    @Argument(help: ArgumentHelp("The configuration, a YAML file.", valueName: "config"))
    var config: String

    @Option(
        name: [.short, .customLong("message")],
        help: ArgumentHelp("The message of the snapshot.", valueName: "text"))
    var message: String?

    @Flag(help: "Embed everything again if the ref has rows in another embedding space.")
    var rebuild = false

    @Flag(
        help: ArgumentHelp(
            "Show what a run would do, without storing anything or asking a service."))
    var dryRun = false

    @Option(
        help: ArgumentHelp(
            "Fail before the first request if vectors of documents need more than this many.",
            valueName: "count"))
    var maxRequests: Int?

    @Flag(
        help: ArgumentHelp(
            "Fail when a source, or a pattern of include or exclude, matches nothing, or when a file or record cannot be read."
        ))
    var strict = false

    @Flag(help: "Keep the rows of a source whose folder does not exist.")
    var allowMissing = false

    @Flag(help: "List all text that was left out, cut, replaced, guessed or not understood.")
    var verbose = false

    @OptionGroup var options: GlobalOptions

    func validate() throws {
        if let maxRequests, maxRequests < 0 {
            throw ValidationError("--max-requests must not be negative")
        }
    }

    func run(_ context: CommandContext) throws {
        let configuration = try FeatureConfiguration(reading: config)
        let pipeline = FeaturePipeline(
            configuration,
            in: try context.repository(
                at: context.repositoryLocation(configured: configuration.repository)),
            by: context.writer, variable: Environment.variable,
            cache: context.cacheFolder)
        let line = context.progress
        let begin = ContinuousClock.now
        let checks = SourceChecks(isStrict: strict, allowsMissing: allowMissing)
        let show = { @Sendable (progress: RunProgress) in
            line.update(ProgressText.of(progress, after: ContinuousClock.now - begin))
        }
        let report =
            dryRun
            ? try pipeline.preview(rebuild: rebuild, checks: checks, progress: show)
            : try pipeline.run(
                message: message, rebuild: rebuild, checks: checks, maxRequests: maxRequests,
                announce: { Self.announce($0, context.output) }, progress: show)
        line.finish()
        context.output.made(transaction: report.transaction)
        if context.output.isJSON {
            try context.output.emit(report.json)
        } else {
            try RunSummary(report, isVerbose: verbose).write(to: context.output)
        }
    }

    /// Says how many requests the run will make, before it makes them.
    private static func announce(_ plan: EmbeddingPlan, _ output: Output) {
        guard plan.requests > 0 else { return }
        try? output.note(
            "\(Quantity.count(plan.texts, "text")) to embed, "
                + "\(Quantity.count(plan.requests, "request"))")
    }
}
