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

    @Test("a part ends with the whole, and at its own time")
    func parts() {
        let whole = Deadline(after: .seconds(1000))
        let part = whole.part(of: .seconds(100))
        #expect(part.remaining <= .seconds(100) && whole.remaining > .seconds(100))
        #expect(whole.part(of: .seconds(5000)).moment == whole.moment)
        #expect(whole.part(of: .zero).hasEnded && !whole.hasEnded)
        part.cancel()
        #expect(part.isCancelled && !whole.isCancelled)
        let other = whole.part(of: .seconds(100)).part(of: .seconds(10))
        #expect(!other.hasEnded)
        whole.cancel()
        #expect(other.isCancelled && other.remaining == .zero)
    }
}
