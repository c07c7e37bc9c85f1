import CKernels
import Objects
import TestSupport
import Testing

@Suite("Codes of vectors")
struct VectorCodesTests {
    /// The parts of the stored form.
    private struct Parts {
        var scales: [Float]
        var residuals: [Float]
        var norms: [Float]
        var codes: [Int8]
        let stride: Int

        init(_ bytes: [UInt8], _ codes: VectorCodes) {
            func floats(_ at: Int) -> [Float] {
                bytes.withUnsafeBytes { bytes in
                    (0..<codes.rows).map {
                        bytes.loadUnaligned(fromByteOffset: at + 4 * $0, as: Float.self)
                    }
                }
            }
            scales = floats(0)
            residuals = floats(codes.residualsAt)
            norms = floats(codes.normsAt)
            self.codes = bytes[codes.codesAt...].map { Int8(bitPattern: $0) }
            stride = codes.stride
        }
    }

    private func code(_ vectors: [[Float]]) -> Parts {
        let codes = VectorCodes(rows: vectors.count, dimension: vectors.first?.count ?? 0)
        let numbers = Array(vectors.joined())
        let bytes = numbers.withUnsafeBytes { Array($0) }
        return Parts(codes.encoded(of: bytes.span), codes)
    }

    @Test(
        "residual and norm are true bounds, and tight",
        arguments: [1, 7, 8, 63, 64, 65, 384, 1000])
    func bounds(dimension: Int) {
        let vectors = VectorSamples.all(dimension: dimension, seed: UInt64(dimension))
        let parts = code(vectors)
        for (row, vector) in vectors.enumerated() where vector.allSatisfy({ $0.isFinite }) {
            let isHuge = vector.contains { abs($0) > 0x1p60 }
            #expect(isHuge == (parts.norms[row] == .infinity))
            if isHuge { continue }
            let codes = parts.codes[row * parts.stride..<(row + 1) * parts.stride]
            var rest = 0.0
            var whole = 0.0
            for (number, code) in zip(vector, codes) {
                let error = Double(number) - Double(parts.scales[row]) * Double(code)
                rest += error * error
                whole += Double(number) * Double(number)
                #expect(code > -128)
                #expect(
                    abs(error) <= Double(parts.scales[row]) * 0.5001 || parts.scales[row] == 0)
            }
            for (bound, root) in [
                (parts.residuals[row], rest.squareRoot()), (parts.norms[row], whole.squareRoot()),
            ] {
                #expect(Double(bound) >= root)
                #expect(bound <= Float(root * 1.000_001) + 0x1p-149)
            }
            #expect(codes.dropFirst(dimension).allSatisfy { $0 == 0 })
        }
    }

    @Test("the portable path gives the same bytes", arguments: [1, 5, 64, 100, 384])
    func paths(dimension: Int) {
        let vectors = VectorSamples.all(dimension: dimension, seed: 5)
        let codes = VectorCodes(rows: vectors.count, dimension: dimension)
        let numbers = Array(vectors.joined())
        let rows = codes.rows
        var portable = [UInt8](repeating: 0, count: codes.byteCount)
        numbers.withUnsafeBytes { numbers in
            portable.withUnsafeMutableBytes { bytes in
                guard let source = numbers.baseAddress, let base = bytes.baseAddress else { return }
                fti_code_vectors_portable(
                    source, rows, dimension, codes.stride, base, base + codes.residualsAt,
                    base + codes.normsAt, (base + codes.codesAt).assumingMemoryBound(to: Int8.self))
            }
        }
        let bytes = numbers.withUnsafeBytes { Array($0) }
        #expect(codes.encoded(of: bytes.span) == portable)
    }

    @Test("a vector's codes depend neither on its neighbours nor on its position")
    func rowsStandAlone() {
        let vectors = VectorSamples.all(dimension: 20, seed: 9)
        let together = code(vectors)
        for (row, vector) in vectors.enumerated() {
            let alone = code([vector])
            #expect(alone.codes == Array(together.codes[row * 64..<(row + 1) * 64]))
            #expect(alone.scales[0].bitPattern == together.scales[row].bitPattern)
            #expect(alone.residuals[0].bitPattern == together.residuals[row].bitPattern)
            #expect(alone.norms[0].bitPattern == together.norms[row].bitPattern)
        }
    }

    @Test(
        "vectors that are not finite have codes 0 and infinite bounds; zero vectors have bounds of 0"
    )
    func special() {
        let parts = code([
            [0, .nan], [-.infinity, 1], [0, -0], [0x1p-149, 0x1p-120], [0x1p63, 0],
        ])
        #expect(parts.codes.allSatisfy { $0 == 0 } && parts.scales == [0, 0, 0, 0, 0])
        #expect(parts.residuals[0] == .infinity && parts.residuals[1] == .infinity)
        #expect(parts.norms[0] == .infinity && parts.norms[1] == .infinity)
        #expect(parts.residuals[4] == .infinity && parts.norms[4] == .infinity)
        #expect(parts.residuals[2] == 0 && parts.norms[2] == 0)
        #expect(parts.residuals[3] >= 0x1p-120 && parts.residuals[3] == parts.norms[3])
    }

    @Test("golden bytes of the stored form")
    func golden() {
        let bytes = [Float]([1, -2, 0.5, 127, 63.5, -0.25]).withUnsafeBytes { Array($0) }
        let codes = VectorCodes(rows: 2, dimension: 3)
        #expect(codes.residualsAt == 8 && codes.normsAt == 16 && codes.codesAt == 64)
        let stored = codes.encoded(of: bytes.span)
        #expect(stored.count == codes.byteCount && codes.byteCount == 64 + 2 * 64)
        let parts = Parts(stored, codes)
        #expect(parts.scales == [2.0 / 127, 1])
        // 63.5 and 31.75 units: halves go to the even neighbour.
        #expect(
            parts.codes[0..<4] == [64, -127, 32, 0] && parts.codes[64..<68] == [127, 64, 0, 0])
        #expect(stored[24..<64].allSatisfy { $0 == 0 })
        #expect(VectorCodes(rows: 0, dimension: 3).byteCount == 0)
        #expect(VectorCodes(rows: 3, dimension: 0).byteCount == 64)
    }
}

/// Difficult vectors of several kinds.
enum VectorSamples {
    static func all(dimension: Int, seed: UInt64) -> [[Float]] {
        var generator = SeededGenerator(seed: seed)
        var vectors: [[Float]] = []
        func add(_ make: (inout SeededGenerator) -> Float) {
            vectors.append((0..<dimension).map { _ in make(&generator) })
        }
        for _ in 0..<4 { add { Float.random(in: -1...1, using: &$0) } }
        add { _ in 0 }
        add { _ in -0.0 }
        add { _ in 1 }
        add { Float.random(in: -1...1, using: &$0) * 0x1p-130 }
        add { Float.random(in: -1...1, using: &$0) * 0x1p-100 }
        add { Float.random(in: -1...1, using: &$0) * Float.greatestFiniteMagnitude }
        add { Bool.random(using: &$0) ? 0x1p-149 : -0x1p-149 }
        add { Float(sign: .plus, exponent: .random(in: -140...50, using: &$0), significand: 1) }
        add { Float(Int.random(in: -127...127, using: &$0)) + 0.5 }
        vectors.append([Float](repeating: 0.25, count: dimension - 1) + [Float.nan])
        vectors.append([-Float.infinity] + [Float](repeating: 0.25, count: dimension - 1))
        return vectors
    }
}
