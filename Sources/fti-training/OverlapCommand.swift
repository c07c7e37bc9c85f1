import ArgumentParser
import CommandSupport
import Objects
import Refs
import TrainingPipeline

/// `fti-training overlap TRAINING EVALUATION`.
struct Overlap: Command {
    static let configuration = CommandConfiguration(
        abstract: "Compare the examples of two datasets, one to train on and one to evaluate with.",
        discussion: ArgumentHelp.discussion(
            """
            Fails with exit code 4 if a training example has the question or the conversation of an \
            evaluation example. Lists training examples whose question is a near-duplicate, which is \
            no failure.
            """,
            examples: ["fti-training overlap datasets/sft datasets/eval"]))

    @OptionGroup var options: GlobalOptions

    @Argument(help: ArgumentHelp("The dataset to train on, a revision.", valueName: "training"))
    var training: String

    @Argument(
        help: ArgumentHelp("The dataset to evaluate with, a revision.", valueName: "evaluation"))
    var evaluation: String

    func run(_ context: CommandContext) throws {
        let repository = try context.repository()
        let state = try repository.state()
        let resolver = Resolver(repository, state: state, now: context.writer.now())
        let overlap = try DatasetOverlap.find(
            training: try resolver.snapshot(try Revision(training)),
            evaluation: try resolver.snapshot(try Revision(evaluation)),
            in: try repository.objects(in: state))
        guard overlap.exact.isEmpty else { throw TrainingError.overlap(overlap) }
        if context.output.isJSON {
            try context.output.emit(overlap.json)
        } else {
            for line in overlap.lines { try context.output.line(line.printable()) }
        }
    }
}
