import ArgumentParser
import CommandSupport
import Objects
import Refs

struct CatCommand: Command {
    static let configuration = CommandConfiguration(
        "cat", abstract: "Print the bytes of a file, an object, a snapshot or a row.",
        discussion: """
            The id of an object is the SHA-256 of its bytes. On a terminal, control characters are \
            escaped. A row is printed as JSON. With --json, the bytes are a member of an object: as \
            text if they are UTF-8, otherwise in base64.
            """,
        examples: [
            "ftictl cat models/current:config.json", "ftictl cat 3fa9c1d2e4b5 | sha256sum",
            "ftictl cat features/prod:handbook/leave.md#0",
        ])

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
        // The library cannot throw an error of the output, so carry the error past it.
        var failure: (any Error)?
        var text = VisibleText()
        let isTerminal = context.output.terminal.isTerminal
        try repository.objects.stream(id) { bytes in
            guard failure == nil else { return }
            do {
                if isTerminal {
                    try context.output.raw(text.take(bytes))
                } else {
                    try context.output.raw(bytes)
                }
            } catch { failure = error }
        }
        if let failure { throw failure }
        if isTerminal { try context.output.raw(text.finish()) }
    }

    /// The maximum number of bytes that one JSON object may contain.
    private static let jsonLimit = 64 << 20

    private func emit(
        _ id: ObjectID, in repository: OpenRepository, _ context: CommandContext
    ) throws {
        let objects = try repository.objects
        let size = try objects.size(of: id) ?? 0
        guard size <= Self.jsonLimit else {
            throw CommandError.usage(
                "\(revision) has \(Quantity.bytes(size)), too much for one JSON object",
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

/// Escapes control characters in content that is streamed to a terminal.
struct VisibleText {
    /// The beginning of a line whose end has not arrived.
    private var rest: [UInt8] = []
    /// An unfinished line longer than this is shown without waiting for its end.
    private static let limit = 64 << 10

    /// Takes a part of the content and returns the bytes that can be shown.
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

    /// Returns the rest, at the end of the content.
    mutating func finish() -> [UInt8] {
        let shown = Self.shown(rest[...])
        rest = []
        return shown
    }

    private static func shown(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        Array(String(decoding: bytes, as: UTF8.self).printable(multiline: true).utf8)
    }
}
