import Objects
import Testing

@Suite("Deadlines")
struct DeadlineTests {
    @Test("a deadline ends when its moment passes, or when it is cancelled")
    func ends() {
        let passed = Deadline(after: .seconds(-1))
        #expect(passed.hasEnded && !passed.isCancelled && passed.remaining == .zero)
        let open = Deadline(after: .seconds(60))
        #expect(!open.hasEnded && open.remaining > .seconds(30))
        open.cancel()
        #expect(open.hasEnded && open.isCancelled && open.remaining == .zero)
    }
}
