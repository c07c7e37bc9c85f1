import CKernels
import Testing

@testable import Objects

@Suite("Checksums")
struct ChecksumTests {
    @Test("the check value of the polynomial, and the vectors of RFC 3720")
    func known() {
        func checksum(_ bytes: [UInt8]) -> UInt32 { Checksum.of(bytes.span) }
        #expect(checksum([]) == 0)
        #expect(checksum(Array("123456789".utf8)) == 0xE306_9283)
        #expect(checksum([UInt8](repeating: 0, count: 32)) == 0x8A91_36AA)
        #expect(checksum([UInt8](repeating: 0xFF, count: 32)) == 0x62A8_AB43)
        #expect(checksum(Array(0..<32)) == 0x46DD_794E)
        #expect(checksum((0..<32).reversed()) == 0x113F_DB5C)
    }

    @Test("every code path agrees at every length and alignment, whole or in two parts")
    func paths() {
        let bytes = TestBytes.random.make(9000)
        let sizes = Array(0...80) + [383, 384, 385, 767, 1000, 3071, 3072, 3073, 4000, 6500, 8990]
        bytes.withUnsafeBufferPointer { buffer in
            guard let start = buffer.baseAddress else { return }
            for size in sizes {
                for offset in [0, 1, 3, 7, 8, 10] {
                    let whole = fti_crc32c_portable(0, start + offset, size)
                    #expect(fti_crc32c(0, start + offset, size) == whole, "\(size) at \(offset)")
                    let half = fti_crc32c(0, start + offset, size / 3)
                    let rest = start + offset + size / 3
                    #expect(fti_crc32c(half, rest, size - size / 3) == whole)
                }
            }
        }
    }

    @Test("every flipped bit changes the checksum")
    func flips() {
        var bytes = TestBytes.text.make(600)
        let whole = Checksum.of(bytes.span)
        var changed: UInt32 = 0
        for bit in 0..<8 * bytes.count {
            bytes[bit / 8] ^= 1 << UInt8(bit % 8)
            changed = Checksum.of(bytes.span)
            #expect(changed != whole)
            bytes[bit / 8] ^= 1 << UInt8(bit % 8)
        }
    }
}
