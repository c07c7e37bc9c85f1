import Artifacts
import Glibc
import Objects
import TestSupport
import Testing

@Suite struct PortableMathTests {
    @Test("exp and log agree with the C library to 2 units in the last place")
    func elementary() {
        var random = SeededGenerator(seed: 1)
        for _ in 0..<20_000 {
            let x = random.unit() * 1400 - 700
            #expect(ulps(PortableMath.exp(x), Glibc.exp(x)) <= 2, "exp(\(x))")
            let y = Glibc.exp(random.unit() * 1400 - 700)
            #expect(ulps(PortableMath.log(y), Glibc.log(y)) <= 2, "log(\(y))")
            let near = 1 + (random.unit() - 0.5) * 1e-3
            #expect(ulps(PortableMath.log(near), Glibc.log(near)) <= 2, "log(\(near))")
        }
    }

    @Test("limits")
    func limits() {
        #expect(PortableMath.exp(0) == 1)
        #expect(PortableMath.exp(710) == .infinity)
        #expect(PortableMath.exp(-746) == 0)
        #expect(PortableMath.exp(-740) == Glibc.exp(-740))
        #expect(PortableMath.exp(.nan).isNaN)
        #expect(PortableMath.log(1) == 0)
        #expect(PortableMath.log(0) == -.infinity)
        #expect(PortableMath.log(.infinity) == .infinity)
        #expect(PortableMath.log(-1).isNaN)
        let smallest = Double.leastNonzeroMagnitude
        #expect(ulps(PortableMath.log(smallest), Glibc.log(smallest)) <= 2)
        let largest = Double.greatestFiniteMagnitude
        #expect(ulps(PortableMath.log(largest), Glibc.log(largest)) <= 2)
    }

    @Test("the logistic function and its logarithm neither overflow nor lose small values")
    func logistic() {
        #expect(PortableMath.sigmoid(0) == 0.5)
        #expect(PortableMath.sigmoid(800) == 1)
        #expect(PortableMath.sigmoid(-800) == 0)
        #expect(PortableMath.negativeLogSigmoid(-1000) == 1000)
        #expect(PortableMath.negativeLogSigmoid(1000) == 0)
        for x in stride(from: -40.0, through: 40, by: 0.37) {
            let expected = log1p(Glibc.exp(-x))
            let actual = PortableMath.negativeLogSigmoid(x)
            #expect(abs(actual - expected) <= 1e-9 * max(expected, 1e-12), "x = \(x)")
        }
    }

    @Test(
        "results have the same bits as in earlier versions",
        arguments: [(0.1, 0x3FF1_AEC7_B35A_00D4), (-3.5, 0x3F9EEC1018E4FF66)])
    func golden(x: Double, bits: UInt64) {
        #expect(PortableMath.exp(x).bitPattern == bits)
    }

    @Test("an inner product adds in the documented order", arguments: [0, 1, 7, 8, 9, 24, 387])
    func dotProduct(count: Int) {
        var random = SeededGenerator(seed: UInt64(count))
        let a = (0..<count).map { _ in Float(random.unit() - 0.5) }
        let b = (0..<count).map { _ in Float(random.unit() - 0.5) }
        var lanes = [Float](repeating: 0, count: 8)
        for index in 0..<(count / 8 * 8) { lanes[index % 8] += a[index] * b[index] }
        var expected =
            ((lanes[0] + lanes[4]) + (lanes[2] + lanes[6]))
            + ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7]))
        for index in (count / 8 * 8)..<count { expected += a[index] * b[index] }
        #expect(DotProduct.of(a.span, b.span) == expected)
        let matrix = [9, 9, 9] + b + [9]
        #expect(DotProduct.of(a.span, row: 3, in: matrix.span) == expected)
    }

    private func ulps(_ a: Double, _ b: Double) -> Double {
        a == b ? 0 : abs(a - b) / max(b.ulp, a.ulp)
    }
}

/// The identity of some bytes.
func digest(of bytes: [UInt8]) -> ObjectID { ObjectID(of: bytes.span) }
