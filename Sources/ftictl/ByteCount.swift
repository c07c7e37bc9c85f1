import Synchronization

/// A sum that several threads add to.
final class ByteCount: Sendable {
    private let total = Atomic<Int>(0)

    /// Adds to the sum and returns it.
    func add(_ count: Int) -> Int { total.add(count, ordering: .relaxed).newValue }
}
