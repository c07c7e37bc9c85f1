import Glibc
import Objects
import Serving
import Synchronization
import Testing

@Suite("Pools of threads for blocking work")
struct WorkPoolTests {
    @Test("work beyond the queue is refused at once, and accepted again when there is room")
    func bounded() async throws {
        let pool = WorkPool(width: 1, queue: 1)
        let gate = Gate()
        let deadline = Deadline(after: .seconds(60))
        let waiting = (0..<2).map { _ in
            Task {
                try await pool.run(by: deadline) {
                    while !gate.isOpen { sleepMilliseconds(5) }
                }
            }
        }
        while pool.load < 2 { try await Task.sleep(for: .milliseconds(5)) }
        await #expect(throws: WorkPool.Refusal.full) { try await pool.run(by: deadline) {} }
        gate.open()
        for task in waiting { try await task.value }
        #expect(try await pool.run(by: deadline) { 7 } == 7)
        await pool.stop()
    }

    @Test("work whose deadline passed in the queue is not done")
    func late() async throws {
        let pool = WorkPool(width: 1, queue: 4)
        let deadline = Deadline(after: .seconds(60))
        deadline.cancel()
        await #expect(throws: WorkPool.Refusal.ended) { try await pool.run(by: deadline) { 1 } }
        await pool.stop()
    }
}

private final class Gate: Sendable {
    private let state = Atomic(false)
    var isOpen: Bool { state.load(ordering: .relaxed) }
    func open() { state.store(true, ordering: .relaxed) }
}
