import ArgumentParser
import CommandSupport
import Maintenance
import Objects
import Refs

struct StatsCommand: Command {
    static let configuration = CommandConfiguration(
        "stats",
        abstract: "Show how much data the repository holds and how much disk space it uses.",
        examples: ["ftictl stats", "ftictl stats --json"])

    @OptionGroup var options: GlobalOptions

    func run(_ context: CommandContext) throws {
        let repository = try context.open()
        let figures = try repository.objects.packStatistics()
        let transactions = repository.state.number + 1
        let idle = try repository.repository.idlePackFiles(in: repository.state)
        let removed = idle.removed.reduce(0) { $0 + $1.size }
        let unknown = idle.unknown.reduce(0) { $0 + $1.size }
        if context.output.isJSON {
            try context.output.emit([
                "objects": .integer(figures.objects), "packs": .integer(figures.packs),
                "pieces": .integer(figures.pieces), "transactions": .integer(transactions),
                "refs": .integer(repository.state.refs.count),
                "rawBytes": .integer(figures.rawBytes),
                "storedBytes": .integer(figures.storedBytes),
                "removedPacks": .integer(idle.removed.count), "removedBytes": .integer(removed),
                "unknownPacks": .integer(idle.unknown.count), "unknownBytes": .integer(unknown),
                "repository": .string(repository.state.repositoryID.hex),
            ])
            return
        }
        var columns = Columns([.left, .right, .left])
        func row(_ name: String, _ value: String, _ note: String = "") {
            columns.append([name, value, note])
        }
        row("refs", Quantity.count(repository.state.refs.count))
        row("transactions", Quantity.count(transactions))
        row("objects", Quantity.count(figures.objects))
        row("packs", Quantity.count(figures.packs))
        row("raw", Quantity.bytes(figures.rawBytes), "all objects, uncompressed")
        let share =
            figures.rawBytes > 0
            ? Quantity.decimal(
                Double(figures.storedBytes) / Double(figures.rawBytes) * 100, places: 1)
                + " % of raw" : ""
        row("stored", Quantity.bytes(figures.storedBytes), share)
        if removed > 0 { row("removed", Quantity.bytes(removed), "ftictl gc deletes the files") }
        if unknown > 0 {
            row("unknown", Quantity.bytes(unknown), "of active or crashed writers: ftictl gc")
        }
        for line in columns.lines { try context.output.line(line) }
    }
}
