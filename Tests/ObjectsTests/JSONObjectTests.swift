import Objects
import TestSupport
import Testing

@Suite("Members of JSON objects")
struct JSONObjectTests {
    @Test(
        "an object from a list of members equals one whose members were assigned one by one",
        arguments: 0..<20 as Range<UInt64>)
    func bulk(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var members: [(String, JSON)] = []
        var assigned = JSONObject()
        for value in 0..<200 {
            let letters = ["a", "é", "e\u{301}", "\u{FFFD}", "😀", "z"]
            let key = (0..<2).map { _ in letters.randomElement(using: &random) ?? "" }.joined()
            members.append((key, .integer(value)))
            assigned[key] = .integer(value)
        }
        #expect(JSONObject(members) == assigned, "seed \(seed)")
        for (key, _) in members { #expect(JSONObject(members)[key] == assigned[key]) }
        for (key, _) in members { assigned[key] = nil }
        #expect(assigned.isEmpty)
        #expect(assigned["a"] == nil)
    }

    @Test("finding a member takes a logarithmic number of comparisons")
    func comparisons() {
        func count(_ size: Int) -> Int {
            let numbers = Array(0..<size)
            var most = 0
            for wanted in stride(from: 0, through: size, by: max(1, size / 64)) {
                var comparisons = 0
                let found = numbers.binarySearch {
                    comparisons += 1
                    return $0 < wanted
                }
                #expect(found == wanted)
                most = max(most, comparisons)
            }
            return most
        }
        for size in [1, 1000, 20_000] {
            #expect(count(2 * size) <= count(size) + 1)
            #expect(count(size) <= 1 + size.bitWidth - size.leadingZeroBitCount)
        }
    }

    @Test("leftover members are named, and a taken member is gone")
    func reader() throws {
        let object = JSONObject([("a", 1), ("b", "x"), ("c", .null)])
        var reader = JSONObjectReader(object)
        #expect(try reader.count("a") == 1)
        #expect(reader.has("b"))
        #expect(!reader.has("a"))
        #expect(reader.take("a") == nil)
        #expect(try reader.string("b") == "x")
        let error = #expect(throws: JSONSchemaError.self) { try reader.finish() }
        #expect(error?.path == "c")
        #expect(reader.take("c") == .null)
        try reader.finish()
    }
}
