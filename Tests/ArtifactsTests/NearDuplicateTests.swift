import TestSupport
import Testing

@testable import Artifacts

@Suite("Near-duplicates")
struct NearDuplicateTests {
    private func similarity(_ left: String, _ right: String) -> Double {
        ShingleSet(of: left).similarity(to: ShingleSet(of: right))
    }

    /// Random sets in families: each member of a family differs from its first in some shingles.
    private func sets(_ families: Int, of members: Int, seed: UInt64) -> [ShingleSet] {
        var random = SeededGenerator(seed: seed)
        return (0..<families).flatMap { _ -> [ShingleSet] in
            let size = Int.random(in: 5...120, using: &random)
            let first = (0..<size).map { _ in random.next() }
            return (0..<members).map { _ in
                let changes = Int.random(in: 0...(size / 3), using: &random)
                var member = first
                for _ in 0..<changes {
                    member[Int.random(in: 0..<size, using: &random)] = random.next()
                }
                return ShingleSet(hashes: member)
            }
        }
    }

    @Test("the signature estimates the exact Jaccard similarity")
    func estimate() {
        let sets = sets(100, of: 3, seed: 1)
        var errors: [Double] = []
        for start in stride(from: 0, to: sets.count, by: 3) {
            for (left, right) in [(start, start + 1), (start, start + 2), (start + 1, start + 2)] {
                let (a, b) = (MinHash(of: sets[left]).values, MinHash(of: sets[right]).values)
                let same = zip(a, b).count { $0 == $1 }
                let estimate = Double(same) / Double(MinHash.permutations)
                errors.append(estimate - sets[left].similarity(to: sets[right]))
            }
        }
        // The standard deviation of one estimate is at most 0.044.
        #expect(errors.allSatisfy { abs($0) < 0.2 })
        #expect(abs(errors.reduce(0, +) / Double(errors.count)) < 0.02)
        #expect(MinHash(of: sets[0]).values == MinHash(of: sets[0]).values)
    }

    @Test("every reported pair is similar, and no pair of 0.9 is missed", arguments: [2, 3, 4])
    func complete(seed: UInt64) {
        let sets = sets(60, of: 8, seed: seed)
        var known = NearDuplicates()
        for set in sets { known.add(set) }
        var (found, missed, close) = (0, 0, 0)
        for (index, set) in sets.enumerated() {
            let matches = known.matches(set)
            #expect(matches.contains { $0.index == index && $0.similarity == 1 })
            #expect(zip(matches, matches.dropFirst()).allSatisfy { $0.similarity >= $1.similarity })
            for match in matches {
                #expect(match.similarity == set.similarity(to: sets[match.index]))
                #expect(match.similarity >= NearDuplicates.threshold)
            }
            found += matches.count
            let indices = Set(matches.map(\.index))
            for (other, candidate) in sets.enumerated() {
                let exact = set.similarity(to: candidate)
                if exact >= 0.9, !indices.contains(other) { missed += 1 }
                if exact >= NearDuplicates.threshold { close += 1 }
            }
        }
        #expect(missed == 0)
        // A pair of 0.8 is missed with a probability of 5e-8.
        #expect(found == close && found > sets.count + 100)
    }

    @Test(
        "case, punctuation, white space and Unicode forms do not count; short texts compare words")
    func texts() {
        #expect(
            similarity("How do I drill the holes, here?", "how do i DRILL\nthe holes here") == 1)
        #expect(
            similarity("Cafe\u{301} opens at seven every day", "Café opens at seven every day") == 1
        )
        #expect(similarity("drill holes", "holes drill") == 1)
        #expect(similarity("drill holes", "drill bricks") == 1.0 / 3)
        #expect(similarity("", "") == 0 && similarity("...", "a") == 0)
        #expect(similarity("one two three four five", "one two three four six") == 0)
        let chinese = "控制器可以安装在任何干燥的地方"
        #expect(similarity(chinese, chinese) == 1 && similarity(chinese, "传感器需要电池") == 0)
        #expect(ShingleSet(of: String(repeating: "a b c ", count: 50_000)).hashes.count == 3)
        var known = NearDuplicates()
        known.add("...")
        known.add("what size holes do I drill")
        #expect(known.matches("!").isEmpty)
        #expect(known.matches("What size holes do I drill?").map(\.index) == [1])
        #expect(known.count == 2)
    }

    @Test("texts from one template are compared with a bounded number of others")
    func template() {
        var known = NearDuplicates()
        let frame = (0..<40).map { "word\($0)" }.joined(separator: " ")
        for number in 0..<3000 { known.add("\(frame) \(number)") }
        let matches = known.matches("\(frame) 7")
        #expect(matches.first?.index == 7 && matches.first?.similarity == 1)
        #expect(matches.count <= NearDuplicates.comparisonLimit)
    }
}
