import Synchronization

/// A sum that several threads add to.
final class Total: Sendable {
    private let sum = Atomic<Int>(0)

    var value: Int { sum.load(ordering: .relaxed) }

    func add(_ count: Int) { sum.add(count, ordering: .relaxed) }
}
