@testable import Artifacts
import Objects
import TestSupport
import Testing

@Suite("Structures of retrieval")
struct RetrievalStructureTests {
    private func key(_ number: Int) -> LeafRow {
        LeafRow(leaf: ObjectID(of: [UInt8(number / 200)].span), place: number % 200)
    }

    @Test("the cache stays within its limit, and keeps the entries that are used")
    func limit() {
        let cache = SharedCache<LeafRow, Int>(byteLimit: 64 * 1000)
        for number in 0..<5000 {
            cache.insert(key(number), number, bytes: 100)
            #expect(cache.byteCount <= 64_000)
            // One entry in each part is used all the time.
            for used in 0..<min(64, number) { #expect(cache[key(used)] == used) }
        }
        #expect((0..<5000).count { cache[key($0)] != nil } == 640)
        // An entry that is larger than the cache does not stay.
        cache.insert(key(9), 9, bytes: 100_000)
        #expect(cache.byteCount <= 64_000)
    }

    @Test("many threads share a cache")
    func threads() {
        let cache = SharedCache<LeafRow, Int>(byteLimit: 20_000)
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

    @Test("the greatest numbers are kept, and NaN is not")
    func greatest() {
        var random = SeededGenerator(seed: 3)
        for count in [1, 2, 7, 100] {
            for given in [0, 1, 6, 7, 8, 500] {
                // Few distinct numbers, so that many are equal.
                var numbers = (0..<given).map { _ in Double(random.next() % 90) }
                if given > 3 { numbers[2] = -.infinity }
                var greatest = Greatest<Double>(count: count)
                for number in numbers {
                    greatest.add(number)
                    greatest.add(.nan)
                }
                let expected = numbers.sorted(by: >).prefix(count)
                #expect(greatest.sorted() == Array(expected))
                #expect(greatest.least == (given >= count ? expected.last : nil))
            }
        }
    }

    @Test("numbers and matches come back from their ranks, in the order of the ranks")
    func ranks() {
        let numbers: [Double] = [
            -.infinity, -1e300, -2, -1, -.leastNonzeroMagnitude, 0, .leastNonzeroMagnitude, 0.5, 1,
            .infinity,
        ]
        for (left, right) in zip(numbers, numbers.dropFirst()) {
            #expect(left.rankCode < right.rankCode)
            #expect(Double(rankCode: left.rankCode) == left)
        }
        #expect(Double.nan.rankCode == 0 && (-0.0).rankCode == 0.0.rankCode)
        let matches = numbers.map { Float($0) }.filter { $0.isFinite }.flatMap { similarity in
            [7, 3, 0].map { VectorMatch(row: $0, similarity: similarity) }
        }
        for (left, right) in zip(matches, matches.dropFirst()) where left != right {
            #expect(left < right || left.similarity == right.similarity)
            #expect((left < right) == (left.rankCode < right.rankCode))
            #expect(VectorMatch(rankCode: left.rankCode) == left)
        }
        #expect(VectorMatch(row: 2, similarity: .nan).rankCode > 0)
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
