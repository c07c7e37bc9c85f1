import ArgumentParser
import CommandSupport
import Objects
import Refs

struct LineageCommand: Command {
    static let configuration = CommandConfiguration(
        "lineage", abstract: "Show what a snapshot was made from, or what was made from it.",
        discussion: """
            lineage follows inputs to their sources. It names the parent (the previous version) but \
            does not follow it. For a row or a file, it also names the version since which that row \
            or file has not changed.
            """,
        examples: [
            "ftictl lineage models/current", "ftictl lineage features/prod --down",
            "ftictl lineage models/current --dot | dot -Tsvg > lineage.svg",
        ])

    @Argument(
        help:
            ArgumentHelp("A snapshot, or a row or file of one.", valueName: "rev[:path]"),
        completion: .revisions)
    var revision: String

    @Flag(help: "Show what was made from the snapshot.")
    var down = false

    @Flag(help: "Print a graph in the format of Graphviz.")
    var dot = false

    @OptionGroup var options: GlobalOptions

    static var isPaged: Bool { true }

    func run(_ context: CommandContext) throws {
        let repository = try context.open()
        let (root, origin) = try origin(in: repository)
        let labels = try RefLabels.read(in: repository)
        let lineage = try Lineage.trace(root, isDown: down, in: repository)
        if context.output.isJSON {
            for node in lineage.nodes {
                try context.output.emit(node.json(labels, origin: node.depth == 0 ? origin : nil))
            }
        } else if dot {
            for line in lineage.dot(labels) { try context.output.line(line) }
        } else {
            let view = LineageView(
                style: context.output.style, now: context.now, labels: labels)
            if let origin { try context.output.line(view.line(origin)) }
            for line in view.lines(lineage.nodes) { try context.output.line(line) }
        }
    }

    /// The snapshot whose lineage to show, and the named part of it.
    private func origin(in repository: OpenRepository) throws -> (ObjectID, PartOrigin?) {
        let resolution = try repository.resolve(revision)
        switch resolution.target {
        case .entry, .row:
            guard let id = resolution.snapshot, let path = try Revision(revision).path else {
                break
            }
            let origin = try PartOrigin.find(
                resolution.target, path: path, of: id, in: repository)
            return (id, origin)
        case .snapshot, .object: break
        }
        return (try repository.snapshotID(revision), nil)
    }
}
