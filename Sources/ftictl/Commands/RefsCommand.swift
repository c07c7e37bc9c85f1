import ArgumentParser
import CommandSupport
import Objects
import Refs
import Storage

struct RefsCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "refs",
        abstract: "List every ref: its id, kind and age.",
        discussion: ArgumentHelp.discussion(
            "", examples: ["ftictl refs", "ftictl refs --json"]))

    @OptionGroup var options: GlobalOptions

    func run(_ context: CommandContext) throws {
        let repository = try context.open()
        let style = context.output.style
        var columns = Columns([.left, .left, .left, .left, .left])
        var damage: RefError?
        for (name, ref) in repository.state.refs.sorted(by: { $0.key < $1.key }) {
            var snapshot: Snapshot?
            var isDamaged = false
            // What is damaged takes nothing away from the others.
            do { snapshot = try repository.snapshotUnlessCollected(ref.target) } catch let error
                as RefError where error.fault == .damaged
            {
                damage = damage ?? error
                isDamaged = true
            }
            if context.output.isJSON {
                try context.output.emit([
                    "name": .string(name.text), "id": .id(ref.target),
                    "kind": .string(name.namespace.kind.rawValue),
                    "transaction": .integer(ref.transaction),
                    "time": .string(ref.time.description),
                    "message": snapshot.map { .string($0.message) } ?? .null,
                ])
                continue
            }
            let message = snapshot?.message.split(whereSeparator: \.isNewline).first ?? ""
            columns.append([
                Columns.Cell(name.text, style.cyan), Columns.Cell(ref.target.short, style.yellow),
                Columns.Cell(
                    snapshot?.summary ?? (isDamaged ? "damaged" : "moved and collected since")),
                Columns.Cell(Quantity.age(of: ref.time, at: context.now), style.dim),
                Columns.Cell(String(message).printable().truncated(to: 60)),
            ])
        }
        for line in columns.lines { try context.output.line(line) }
        if repository.state.refs.isEmpty, !context.output.isJSON {
            try context.output.note("there are no refs yet; ftictl put models/first PATH makes one")
        }
        if let damage { throw damage }
    }
}
