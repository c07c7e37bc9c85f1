import ArgumentParser
import CommandSupport
import InferencePipeline
import Refs

/// `fti-inference ask QUESTION`.
struct Ask: Command {
    static let configuration = CommandConfiguration(
        abstract: "Answer a question with sentences from the best passages.",
        discussion: ArgumentHelp.discussion(
            """
            Features and model are resolved in one state of the log, or taken from a lock file, and must \
            be of one embedding space. Nothing is written.
            """,
            examples: [
                "fti-inference ask \"What size holes do I drill in brick?\"",
                "fti-inference ask \"Why is the light amber?\" --pin fti.lock --json",
            ]))

    @OptionGroup var options: GlobalOptions

    @Argument(help: ArgumentHelp("The question.", valueName: "question"))
    var question: String

    @Option(help: ArgumentHelp("The features to answer from.", valueName: "rev"))
    var features: String?

    @Option(help: ArgumentHelp("The model that ranks passages.", valueName: "rev"))
    var model: String?

    @Option(help: ArgumentHelp("Answer from the versions of this lock file.", valueName: "file"))
    var pin: String?

    @Option(name: .customShort("k"), help: ArgumentHelp("Show N sources.", valueName: "n"))
    var count: Int = 5

    @Flag(
        help: "Preselect rows by the signs of their numbers: faster with many rows, may miss some.")
    var approximate = false

    @Option(help: ArgumentHelp("Compute with N threads.", valueName: "n"))
    var threads: Int = 2

    func validate() throws {
        guard question.contains(where: { $0.isLetter || $0.isNumber }) else {
            throw ValidationError("the question has no words")
        }
        guard 1...1000 ~= count else { throw ValidationError("-k must be from 1 to 1000") }
        guard 1...1024 ~= threads else {
            throw ValidationError("--threads must be from 1 to 1024")
        }
        guard pin == nil || features == nil && model == nil else {
            throw ValidationError("--pin names the versions: leave out --features and --model")
        }
    }

    func run(_ context: CommandContext) throws {
        let selection: Selection
        if let pin {
            selection = try .pinned(by: pin)
        } else {
            selection = .revisions(
                features: features ?? "features/prod", model: model ?? "models/current")
        }
        let answering = try QuestionAnswering(
            selection, in: try context.repository(),
            now: context.now, approximately: approximate, threads: threads)
        let reply = try answering.answer(question, count: count)
        if context.output.isJSON {
            try context.output.emit(reply.json)
        } else {
            for line in reply.lines { try context.output.line(line) }
        }
    }
}
