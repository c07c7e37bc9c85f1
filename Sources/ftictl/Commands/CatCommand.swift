import ArgumentParser
import CommandSupport
import Objects
import Refs

struct CatCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "cat",
        abstract: "Print the bytes of a file, an object, a snapshot, or a row.",
        discussion: ArgumentHelp.discussion(
            """
            An object's bytes are what its id is the SHA-256 of; on a terminal what would steer it is escaped. A row is \
            printed as JSON. With --json the bytes \
            are a member of an object: as text, or in base64 where they are none.
            """,
            examples: [
                "ftictl cat models/current:config.json", "ftictl cat 3fa9c1d2e4b5 | sha256sum",
                "ftictl cat features/prod:handbook/leave.md#0",
            ]))

    @Argument(help: ArgumentHelp("What to print.", valueName: "rev[:path]"), completion: .revisions)
    var revision: String

    @OptionGroup var options: GlobalOptions

    func run(_ context: CommandContext) throws {
        let repository = try context.open()
        let resolution = try repository.resolve(revision)
        switch resolution.target {
        case .snapshot(let id), .object(let id):
            try write(id, in: repository, context)
        case .entry(let entry) where entry.mode == .directory:
            throw CommandError.usage(
                "\(revision) is a directory", remedy: "ftictl ls \(revision)")
        case .entry(let entry): try write(entry.id, in: repository, context)
        case .row(let key):
            let row = try repository.row(key, of: resolution)
            try context.output.emit(row.exported)
        }
    }

    private func write(
        _ id: ObjectID, in repository: OpenRepository, _ context: CommandContext
    ) throws {
        guard !context.output.isJSON else { return try emit(id, in: repository, context) }
        // The library stops at its own errors only, so an error of the output is carried past it.
        var failure: (any Error)?
        var text = VisibleText()
        let isSeen = context.output.terminal.isTerminal
        try repository.objects.stream(id) { bytes in
            guard failure == nil else { return }
            do {
                if isSeen {
                    try context.output.raw(text.take(bytes))
                } else {
                    try context.output.raw(bytes)
                }
            } catch { failure = error }
        }
        if let failure { throw failure }
        if isSeen { try context.output.raw(text.finish()) }
    }

    /// The most bytes that are put into one JSON object.
    private static let jsonLimit = 64 << 20

    private func emit(
        _ id: ObjectID, in repository: OpenRepository, _ context: CommandContext
    ) throws {
        let objects = try repository.objects
        let size = try objects.size(of: id) ?? 0
        guard size <= Self.jsonLimit else {
            throw CommandError.usage(
                "\(revision) has \(Quantity.bytes(size)), which is too much for one JSON object",
                remedy: "ftictl cat \(revision) without --json")
        }
        let bytes = try objects.read(id, limit: Self.jsonLimit)
        let text = String(validating: bytes, as: UTF8.self)
        try context.output.emit([
            "id": .id(id), "size": .integer(size), "text": text.map { .string($0) } ?? .null,
            "base64": text == nil ? .string(Base64.encode(bytes)) : .null,
        ])
    }
}

/// Content on its way to a terminal, part by part: what the terminal would obey is spelled as escapes.
struct VisibleText {
    /// The beginning of a line whose end is not there yet.
    private var rest: [UInt8] = []
    /// Longer beginnings are shown as they are.
    private static let limit = 64 << 10

    /// Takes a part of the content, and gives the bytes to show by now.
    mutating func take(_ bytes: some Sequence<UInt8>) -> [UInt8] {
        rest += bytes
        guard
            let end = rest.lastIndex(of: 0x0A).map({ $0 + 1 })
                ?? (rest.count > Self.limit ? rest.count : nil)
        else { return [] }
        let shown = Self.shown(rest[..<end])
        rest.removeFirst(end)
        return shown
    }

    /// Gives what is left at the end.
    mutating func finish() -> [UInt8] {
        let shown = Self.shown(rest[...])
        rest = []
        return shown
    }

    private static func shown(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        Array(String(decoding: bytes, as: UTF8.self).printable(multiline: true).utf8)
    }
}
