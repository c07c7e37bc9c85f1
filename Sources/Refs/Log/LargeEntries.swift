internal import Synchronization

/// Entries with many moves that were decoded lately. Following one ref takes one action of an entry, and a command that
/// names thousands of refs would decode the entry that moved them all once for each.
final class LargeEntries: Sendable {
    /// Fewer actions are decoded in no time.
    private static let leastActions = 64
    /// An entry takes some MB at most.
    private static let limit = 16

    private let known = Mutex<[Int: LogEntry]>([:])

    /// The entry of a number; nil when it was not kept.
    subscript(number: Int) -> LogEntry? { known.withLock { $0[number] } }

    /// Keeps an entry if it is large.
    func keep(_ entry: LogEntry) {
        guard entry.actions.count >= Self.leastActions else { return }
        known.withLock { known in
            if known.count >= Self.limit { known.removeAll() }
            known[entry.number] = entry
        }
    }
}
