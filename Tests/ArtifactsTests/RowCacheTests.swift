@testable import Artifacts
import Objects
import TestSupport
import Testing

@Suite("Cached rows")
struct RowCacheTests {
    private func key(_ number: Int) -> RowCache<Int>.Key {
        RowCache.Key(leaf: ObjectID(of: [UInt8(number / 200)].span), place: number % 200)
    }

    @Test("the cache stays within its limit, and keeps the entries that are used")
    func limit() {
        let cache = RowCache<Int>(byteLimit: 8 * 1000)
        for number in 0..<5000 {
            cache.insert(key(number), number, bytes: 100)
            #expect(cache.byteCount <= 8000)
            // Eight entries, one in each part, are used all the time.
            for used in 0..<min(8, number) { #expect(cache[key(used)] == used) }
        }
        #expect((0..<5000).count { cache[key($0)] != nil } == 80)
        // An entry that is larger than the cache does not stay.
        cache.insert(key(9), 9, bytes: 100_000)
        #expect(cache.byteCount <= 8000)
    }

    @Test("many threads share a cache")
    func threads() {
        let cache = RowCache<Int>(byteLimit: 20_000)
        let wrong = Threads.map(4, threads: 4) { thread in
            var random = SeededGenerator(seed: UInt64(thread))
            var wrong = 0
            for _ in 0..<20_000 {
                let number = Int(random.next() % 1000)
                if let value = cache[key(number)], value != number { wrong += 1 }
                cache.insert(key(number), number, bytes: 50)
            }
            return wrong
        }
        #expect(wrong == [0, 0, 0, 0] && cache.byteCount <= 20_000)
    }

    @Test("sets of words behave like sets", arguments: [40, 64, 65, 300])
    func words(count: Int) {
        var random = SeededGenerator(seed: UInt64(count))
        for _ in 0..<200 {
            func some() -> [Int] { (0..<6).map { _ in Int(random.next() % UInt64(count)) } }
            let (left, right) = (Set(some()), Set(some()))
            func made(_ words: Set<Int>) -> WordSet {
                words.reduce(into: WordSet()) { $0.insert($1) }
            }
            func expect(_ set: WordSet, _ expected: Set<Int>) {
                #expect(Set((0..<400).filter { set.contains($0) }) == expected)
                #expect(set.count == expected.count && set.isEmpty == expected.isEmpty)
            }
            expect(made(left), left)
            expect(made(left).union(made(right)), left.union(right))
            expect(made(left).intersection(made(right)), left.intersection(right))
            expect(made(left).subtracting(made(right)), left.subtracting(right))
        }
    }
}
