internal import Synchronization

/// The pieces that were decoded last, up to a number of bytes.
///
/// A difference and its base are read together more often than not: comparing two versions of a table reads
/// each old leaf for itself and again as the base of the new one.
final class RecentPieces: Sendable {
    private struct Contents {
        var bytes: [ObjectID: [UInt8]] = [:]
        /// Identities in the order in which they came, oldest first.
        var order: [ObjectID] = []
        var size = 0
    }

    /// Enough for a hundred leaves, and little enough that memory is used again rather than asked for; what is
    /// older is read again.
    private static let capacity = 4 << 20
    /// Larger pieces are pieces of files, which are read once.
    private static let pieceLimit = 128 << 10

    private let contents = Mutex(Contents())

    subscript(_ id: ObjectID) -> [UInt8]? { contents.withLock { $0.bytes[id] } }

    func insert(_ id: ObjectID, _ bytes: [UInt8]) {
        guard bytes.count <= Self.pieceLimit else { return }
        contents.withLock { contents in
            guard contents.bytes.updateValue(bytes, forKey: id) == nil else { return }
            contents.order.append(id)
            contents.size += bytes.count
            guard contents.size > Self.capacity else { return }
            // Half at a time, so that the order is not shifted for every piece.
            var dropped = 0
            for old in contents.order {
                guard contents.size > Self.capacity / 2 else { break }
                contents.size -= contents.bytes.removeValue(forKey: old)?.count ?? 0
                dropped += 1
            }
            contents.order.removeFirst(dropped)
        }
    }
}
