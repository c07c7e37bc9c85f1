@testable internal import Objects
@testable internal import Refs

extension FuzzTarget {
    private static let logWords = [
        "\"actions\":[", "{\"type\":\"ref\"", "{\"type\":\"pack\"", "{\"type\":\"unpack\"",
        "{\"type\":\"format\"", "\"base\":", "\"prev\":\"", "\"nonce\":\"", "\"requires\":[",
        "\"since\":", "\"old\":null", "models/current", "features/prod",
        "2026-08-01T09:30:00.000Z", "9007199254740991",
    ]

    /// Log entries: an accepted one encodes to the same bytes, and is applied or refused.
    ///
    /// The input is the first line; the target computes the second.
    static let entries = FuzzTarget("entries", longestInput: 2048, words: logWords) { example in
        try example.log().filter { $0.name.hasSuffix(".json") }.map { file in
            Array(file.bytes.prefix { $0 != 0x0A })
        }
    } run: { input throws(FuzzFinding) in
        let line = Array(input)
        guard let json = try? JSON(parsing: input), let number = json["n"]?.integer else { return }
        let seal = "\n{\"sha256\":\"\(ObjectID(of: line.span).hex)\"}\n"
        let bytes = line + Array(seal.utf8)
        guard let entry = try? LogEntry(decoding: bytes, number: number) else { return }
        try FuzzFinding.unless(entry.encoded == bytes, "an entry has two encodings")
        if number == 0 {
            _ = try? State(first: entry)
        } else if var state = Self.stateBefore(entry) {
            let refs = state.refs
            do throws(RefError) { try state.apply(entry) } catch {
                _ = error.message
                try FuzzFinding.unless(state.refs == refs, "a refused entry changes the state")
            }
        }
    }

    /// A state with the number and the hash that the entry expects.
    private static func stateBefore(_ entry: LogEntry) -> State? {
        guard let start = Timestamp(milliseconds: 0), let previous = entry.previous,
            let repository = RandomBits(hex: String(repeating: "0", count: 32))
        else { return nil }
        let first = LogEntry(
            number: 0, previous: nil, base: nil, time: start, writer: "", message: "",
            nonce: repository,
            actions: [.format(version: State.formatVersion, repository: repository)])
        var state = try? State(first: first)
        state?.number = entry.number - 1
        state?.entryHash = previous
        return state
    }

    /// Checkpoints and hints: accepted ones survive a round trip.
    static let checkpoints = FuzzTarget(
        "checkpoints",
        words: logWords + [
            "\"type\":\"checkpoint\"", "\"entry\":\"", "\"refs\":[", "\"removed\":[",
            "\"repository\":\"", "\"version\":1", "\npack ",
        ]
    ) { example in
        var seeds = try example.log().filter { $0.name == "tip" }.map(\.bytes)
        var state: State?
        for file in try example.log() {
            guard let number = LogFile.number(ofEntry: file.name) else { continue }
            let entry = try LogEntry(decoding: file.bytes, number: number)
            if state == nil { state = try State(first: entry) } else { try state?.apply(entry) }
            if let state { seeds.append(try Checkpoint.encode(state)) }
        }
        return seeds
    } run: { input throws(FuzzFinding) in
        let bytes = Array(input)
        if let hint = TipHint(decoding: bytes) {
            try FuzzFinding.unless(hint.encoded == bytes, "a hint has two encodings")
        }
        guard let end = bytes.firstIndex(of: 0x0A),
            let number = (try? JSON(parsing: input.extracting(0..<end)))?["n"]?.integer,
            number >= 0
        else { return }
        let name = CheckpointName(number: number, hash: ObjectID(of: bytes.span))
        guard let state = Checkpoint.decode(bytes, name: name),
            let again = try? Checkpoint.encode(state)
        else { return }
        let second = CheckpointName(number: number, hash: ObjectID(of: again.span))
        guard let copy = Checkpoint.decode(again, name: second), copy.refs == state.refs,
            copy.entryHash == state.entryHash, (try? copy.packs) == (try? state.packs)
        else { throw FuzzFinding("a checkpoint does not survive a round trip") }
    }
}
