import CKernels
import Storage
import TestSupport
import Testing

@testable import Objects

@Suite("Cutting")
struct CuttingTests {
    private static let small = CutParameters(minimum: 64, average: 256, maximum: 1024)

    /// Cuts all of `bytes` in groups of at least `group` bytes.
    private static func cuts(_ plan: CutPlan, _ bytes: [UInt8], group: Int) -> [Int] {
        var result: [Int] = []
        var offset = 0
        while offset < bytes.count {
            let end = min(bytes.count, offset + group + plan.lookahead)
            let lengths = plan.cuts(
                of: bytes.span.extracting(offset..<end), at: offset, size: bytes.count,
                atLeast: group)
            result += lengths
            offset += lengths.reduce(0, +)
        }
        return result
    }

    @Test(
        "the vector and the portable code path cut at the same places",
        arguments: TestBytes.allCases)
    func kernels(kind: TestBytes) {
        let bytes = kind.make(40_000)
        var generator = SeededGenerator(seed: 5)
        bytes.withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return }
            for _ in 0..<300 {
                let start = Int.random(in: 0..<bytes.count, using: &generator)
                let count = Int.random(in: 0...bytes.count - start, using: &generator)
                let sizes = (0..<3).map { _ in Int.random(in: 32...3000, using: &generator) }
                    .sorted()
                let fast = fti_cut_length(base + start, count, sizes[0], sizes[1], sizes[2])
                let portable = fti_cut_length_portable(
                    base + start, count, sizes[0], sizes[1], sizes[2])
                #expect(fast == portable)
                #expect(fast <= sizes[2] && fast <= count)
                #expect(fast >= min(count, sizes[0]))
            }
        }
    }

    @Test("pieces cover the object and keep to the sizes", arguments: TestBytes.allCases)
    func sizes(kind: TestBytes) {
        let bytes = kind.make(20_000)
        let cuts = Self.cuts(CutPlan(parameters: Self.small), bytes, group: bytes.count)
        #expect(cuts.reduce(0, +) == bytes.count)
        #expect(cuts.dropLast().allSatisfy { (64...1024).contains($0) })
        #expect(cuts.last.map { (1...1024).contains($0) } == true)
    }

    @Test("the mean size of pieces of random bytes is near the average")
    func mean() {
        let bytes = TestBytes.random.make(3_000_000)
        let cuts = Self.cuts(CutPlan(), bytes, group: bytes.count)
        #expect((30...100).contains(cuts.count))
    }

    @Test("cuts do not depend on how an object is buffered", arguments: TestBytes.allCases)
    func groups(kind: TestBytes) {
        let bytes = kind.make(20_000)
        let plan = CutPlan(parameters: Self.small)
        let whole = Self.cuts(plan, bytes, group: bytes.count)
        for group in [1, 100, 1000, 5000, 19_999] {
            #expect(Self.cuts(plan, bytes, group: group) == whole)
        }
    }

    @Test("an insertion changes the pieces around it and no others")
    func insertion() {
        var generator = SeededGenerator(seed: 6)
        let plan = CutPlan(parameters: Self.small)
        func pieces(_ bytes: [UInt8]) -> Set<ObjectID> {
            var offset = 0
            return Set(
                Self.cuts(plan, bytes, group: bytes.count).map { length in
                    defer { offset += length }
                    return ObjectID(of: bytes.span.extracting(offset..<offset + length))
                })
        }
        let bytes = TestBytes.random.make(100_000)
        let before = pieces(bytes)
        for _ in 0..<10 {
            var changed = bytes
            changed.insert(
                contentsOf: generator.bytes(Int.random(in: 1...50, using: &generator)),
                at: Int.random(in: 0...bytes.count, using: &generator))
            #expect(pieces(changed).subtracting(before).count <= 12)
        }
    }

    @Test("known boundaries are cuts, however the object is buffered")
    func boundaries() {
        let piece = CutParameters.tensorPiece
        let boundaries = [1, 2, 100, 100 + piece, 101 + 2 * piece, 5 * piece]
        let bytes = [UInt8](repeating: 0, count: 5 * piece + 77)
        let plan = CutPlan(boundaries: boundaries)
        let whole = Self.cuts(plan, bytes, group: bytes.count)
        #expect(whole.reduce(0, +) == bytes.count)
        #expect(whole.allSatisfy { (1...piece).contains($0) })
        var ends: Set<Int> = []
        var end = 0
        for length in whole {
            end += length
            ends.insert(end)
        }
        #expect(ends.isSuperset(of: boundaries))
        for group in [1, 50, piece, 3 * piece] {
            #expect(Self.cuts(plan, bytes, group: group) == whole)
        }
    }

    @Test("a safetensors file is cut at its tensors, a malformed one like any other file")
    func safetensors() throws {
        let header = Array(
            (#"{"a":{"dtype":"U8","shape":[3000],"data_offsets":[0,3000]},"#
                + #""b":{"dtype":"BF16","shape":[10,10],"data_offsets":[3000,3200]}}"#).utf8)
        var bytes = [UInt8(header.count), 0, 0, 0, 0, 0, 0, 0] + header
        bytes += TestBytes.random.make(3200)
        let plan = try CutPlan.choose(for: BytesBlob(bytes))
        let start = 8 + header.count
        #expect(Self.cuts(plan, bytes, group: 10) == [start, 3000, 200])
        for wrong in [Array(bytes.dropLast()), bytes + [0], Array(bytes.prefix(9)), [], [1]] {
            let plan = try CutPlan.choose(for: BytesBlob(wrong))
            #expect(plan.hint == .bulk)
            #expect(Self.cuts(plan, wrong, group: 100).reduce(0, +) == wrong.count)
        }
    }

    @Test("an empty object has no pieces")
    func empty() {
        #expect(CutPlan().cuts(of: [UInt8]().span, at: 0, size: 0, atLeast: 0).isEmpty)
    }
}
