package import Objects

/// What `log/tip` says: the newest entry that somebody has seen durable.
///
/// It may lag and must never lead, so a log that ends before it has lost its tail.
package struct TipHint: Hashable {
    package let number: Int
    package let entryHash: ObjectID
    let checkpoint: CheckpointName?

    /// The bytes that every hint has, so that one can be written over another: room for the longest.
    package static let byteCount = 256

    package init(number: Int, entryHash: ObjectID, checkpoint: CheckpointName?) {
        self.number = number
        self.entryHash = entryHash
        self.checkpoint = checkpoint
    }

    /// `NUMBER HASH CHECKPOINT CHECKSUM`, spaces, and a line feed: the checksum is the SHA-256 of what is before
    /// its space.
    package var encoded: [UInt8] {
        let text = "\(number) \(entryHash.hex) \(checkpoint?.text ?? "-")"
        let bytes = Array("\(text) \(ObjectID(of: Array(text.utf8).span).hex)".utf8)
        return bytes + [UInt8](repeating: 0x20, count: Self.byteCount - 1 - bytes.count) + [0x0A]
    }

    /// Reads a hint, or gives nil: garbage is no hint.
    init?(decoding bytes: [UInt8]) {
        guard bytes.count == Self.byteCount else { return nil }
        let words = bytes.dropLast().split(separator: 0x20).map {
            String(decoding: $0, as: UTF8.self)
        }
        guard words.count == 4, let number = LogFile.number(words[0].utf8),
            let entryHash = ObjectID(hex: words[1])
        else { return nil }
        self.init(
            number: number, entryHash: entryHash, checkpoint: CheckpointName(words[2]))
        guard encoded == bytes else { return nil }
    }
}

extension TipHint {
    /// Whether bytes are what a crash leaves of a hint that was being written over another: the beginning of one and
    /// the end of another, or the beginning of one and zeros or nothing. Anything else that is no hint is damage.
    ///
    /// - Parameters:
    ///   - entries: The newest entries, of which one or two the hints were about.
    ///   - checkpoints: The checkpoints that the hints may name.
    package static func isTorn(
        _ bytes: [UInt8], about entries: [(number: Int, hash: ObjectID)],
        checkpoints: [CheckpointName]
    ) -> Bool {
        guard bytes.count <= byteCount else { return false }
        let names: [CheckpointName?] = [nil] + checkpoints
        var beginning = 0
        var end = 0
        for (number, hash) in entries {
            for name in names {
                let hint = TipHint(number: number, entryHash: hash, checkpoint: name).encoded
                beginning = max(beginning, zip(hint, bytes).prefix { $0 == $1 }.count)
                guard bytes.count == byteCount else { continue }
                end = max(end, zip(hint.reversed(), bytes.reversed()).prefix { $0 == $1 }.count)
            }
        }
        return beginning + end >= byteCount || bytes.dropFirst(beginning).allSatisfy { $0 == 0 }
    }
}
