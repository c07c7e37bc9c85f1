import Glibc
import Objects
import Serving
import Synchronization
import Testing

// Deadlines are far away: on a loaded machine, a test may wait long for its turn.
@Suite("Pools of threads for blocking work")
struct WorkPoolTests {
    @Test("work beyond the queue is refused at once, and accepted again when there is room")
    func bounded() async throws {
        let pool = WorkPool(width: 1, queue: 1)
        let gate = Gate()
        let deadline = Deadline(after: .seconds(36_000))
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
        let deadline = Deadline(after: .seconds(36_000))
        deadline.cancel()
        await #expect(throws: WorkPool.Refusal.ended) { try await pool.run(by: deadline) { 1 } }
        await pool.stop()
    }

    @Test("the last quarter of the queue is for clients that have nothing in it")
    func fair() async throws {
        let pool = WorkPool(width: 1, queue: 4)
        let gate = Gate()
        let deadline = Deadline(after: .seconds(36_000))
        func start(_ client: String) async throws -> Task<Void, any Error> {
            let load = pool.load
            let task = Task {
                try await pool.run(by: deadline, for: client) {
                    while !gate.isOpen { sleepMilliseconds(5) }
                }
            }
            while pool.load == load { try await Task.sleep(for: .milliseconds(5)) }
            return task
        }
        var tasks: [Task<Void, any Error>] = []
        for _ in 0..<4 { tasks.append(try await start("a")) }
        await #expect(throws: WorkPool.Refusal.full) {
            try await pool.run(by: deadline, for: "a") {}
        }
        tasks.append(try await start("b"))
        await #expect(throws: WorkPool.Refusal.full) {
            try await pool.run(by: deadline, for: "c") {}
        }
        gate.open()
        for task in tasks { try await task.value }
        // A thread counts its work as done a moment after the caller has the result.
        for _ in 0..<2000 where pool.load > 0 { try await Task.sleep(for: .milliseconds(5)) }
        #expect(pool.load == 0)
        await pool.stop()
    }

    @Test("a cancelled call ends at once, whether its work waits or runs")
    func cancelled() async throws {
        let metrics = Metrics()
        let pool = WorkPool(width: 1, queue: 4, metrics: metrics)
        let gate = Gate()
        let deadlines = [Deadline(after: .seconds(36_000)), Deadline(after: .seconds(36_000))]
        let tasks = deadlines.map { deadline in
            Task {
                try await pool.run(by: deadline) {
                    while !gate.isOpen { sleepMilliseconds(5) }
                }
            }
        }
        while pool.load < 2 { try await Task.sleep(for: .milliseconds(5)) }
        for task in tasks {
            task.cancel()
            await #expect(throws: WorkPool.Refusal.ended) { try await task.value }
        }
        for deadline in deadlines { #expect(deadline.isCancelled) }
        #expect(pool.running == 1)
        #expect(pool.waiting == 0)
        #expect(metrics.text.contains("work_refused_total{pool=\"work\",reason=\"ended\"} 2"))
        gate.open()
        #expect(try await eventually { pool.load == 0 })
        await pool.stop()
    }
}

private final class Gate: Sendable {
    private let state = Atomic(false)
    var isOpen: Bool { state.load(ordering: .relaxed) }
    func open() { state.store(true, ordering: .relaxed) }
}
