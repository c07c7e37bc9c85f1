import ArgumentParser
import CommandSupport
import Objects
import Refs

struct LineageCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "lineage",
        abstract: "Show what a snapshot was made from, or what was made from it.",
        discussion: ArgumentHelp.discussion(
            "",
            examples: [
                "ftictl lineage models/current", "ftictl lineage features/prod --down",
                "ftictl lineage models/current --dot | dot -Tsvg > lineage.svg",
            ]))

    @Argument(help: ArgumentHelp("The snapshot.", valueName: "rev"))
    var revision: String

    @Flag(help: "Show what was made from it.")
    var down = false

    @Flag(help: "Print a graph for Graphviz.")
    var dot = false

    @OptionGroup var options: GlobalOptions

    func run(_ context: CommandContext) throws {
        let repository = try context.open()
        let root = try repository.snapshotID(revision)
        let labels = try RefLabels(log: repository.repository.log, state: repository.state)
        let lineage = try Lineage(of: root, isDown: down, in: repository)
        if context.output.isJSON {
            for node in lineage.nodes { try context.output.emit(node.json(labels)) }
        } else if dot {
            for line in lineage.dot(labels) { try context.output.line(line) }
        } else {
            let view = LineageView(
                style: context.output.style, now: context.now, labels: labels)
            for line in view.lines(lineage.nodes) { try context.output.line(line) }
        }
    }
}
