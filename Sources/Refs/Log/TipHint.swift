internal import Objects

/// What `log/tip` says: the newest entry that somebody has seen durable.
///
/// It may lag and must never lead, so a log that ends before it has lost its tail.
struct TipHint: Hashable {
    let number: Int
    let entryHash: ObjectID
    let checkpoint: CheckpointName?

    /// The most bytes that a hint may have.
    static let byteLimit = 1 << 10

    init(number: Int, entryHash: ObjectID, checkpoint: CheckpointName?) {
        self.number = number
        self.entryHash = entryHash
        self.checkpoint = checkpoint
    }

    /// `NUMBER HASH CHECKPOINT CHECKSUM`: the checksum is the SHA-256 of what is before its space.
    var encoded: [UInt8] {
        let text = "\(number) \(entryHash.hex) \(checkpoint?.text ?? "-")"
        return Array("\(text) \(ObjectID(of: Array(text.utf8).span).hex)\n".utf8)
    }

    /// Reads a hint, or gives nil: garbage is no hint.
    init?(decoding bytes: [UInt8]) {
        let words = bytes.split(separator: 0x20).map { String(decoding: $0, as: UTF8.self) }
        guard words.count == 4, let number = LogFile.number(words[0].utf8),
            let entryHash = ObjectID(hex: words[1])
        else { return nil }
        self.init(
            number: number, entryHash: entryHash, checkpoint: CheckpointName(words[2]))
        guard encoded == bytes else { return nil }
    }
}
