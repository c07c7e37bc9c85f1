import CCrypto
import CKernels
import Objects
import TestSupport
import Testing

@Suite("Identities")
struct IdentityTests {
    @Test(
        "an identity is what sha256sum prints",
        arguments: [
            ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
            ),
        ])
    func knownDigests(text: String, digest: String) {
        #expect(ObjectID(of: Array(text.utf8).span).hex == digest)
    }

    @Test("bytes in any pieces have the identity of the whole")
    func pieces() {
        var generator = SeededGenerator(seed: 1)
        let bytes = generator.bytes(5000)
        let whole = ObjectID(of: bytes.span)
        for _ in 0..<20 {
            var hasher = ObjectHasher()
            var offset = 0
            while offset < bytes.count {
                let count = min(Int.random(in: 0...700, using: &generator), bytes.count - offset)
                hasher.update(bytes.span.extracting(offset..<offset + count))
                offset += count
            }
            #expect(hasher.finalize() == whole)
        }
    }

    @Test("two interleaved digests equal those computed separately")
    func pairs() {
        var generator = SeededGenerator(seed: 3)
        for _ in 0..<50 {
            let first = generator.bytes(3000)
            let second = generator.bytes(3000)
            var hashers = (ObjectHasher(), ObjectHasher())
            var offsets = (0, 0)
            while offsets.0 < 3000 || offsets.1 < 3000 {
                let counts = (
                    min(Int.random(in: 0...400, using: &generator), 3000 - offsets.0),
                    min(Int.random(in: 0...400, using: &generator), 3000 - offsets.1)
                )
                ObjectHasher.update(
                    &hashers.0, first.span.extracting(offsets.0..<offsets.0 + counts.0),
                    &hashers.1, second.span.extracting(offsets.1..<offsets.1 + counts.1))
                offsets = (offsets.0 + counts.0, offsets.1 + counts.1)
            }
            #expect(hashers.0.finalize() == ObjectID(of: first.span))
            #expect(hashers.1.finalize() == ObjectID(of: second.span))
        }
    }

    @Test("the processor's instructions and libcrypto compress alike")
    func compressions() throws {
        guard fti_sha256_supported() else { return }
        var generator = SeededGenerator(seed: 4)
        for blocks in [1, 2, 3, 17] {
            let bytes = (0..<2).map { _ in generator.bytes(64 * blocks) }
            let starts: [[UInt32]] = (0..<2).map { _ in
                (0..<8).map { _ in UInt32.random(in: 0...UInt32.max, using: &generator) }
            }
            var expected = starts
            var alone = starts
            var first = starts[0]
            var second = starts[1]
            for index in 0..<2 {
                fti_crypto_sha256_compress(&expected[index], bytes[index], blocks)
                fti_sha256_compress(&alone[index], bytes[index], blocks)
            }
            fti_sha256_compress_pair(&first, bytes[0], &second, bytes[1], blocks)
            #expect(alone == expected)
            #expect([first, second] == expected)
        }
    }

    @Test("identities round-trip as text and as bytes, and sort by their bytes")
    func roundTrip() {
        var generator = SeededGenerator(seed: 2)
        let ids = (0..<50).map { _ in ObjectID(bytes: generator.bytes(32).span) }
        for id in ids {
            #expect(ObjectID(hex: id.hex) == id)
            #expect(ObjectID(bytes: id.bytes.span) == id)
            #expect(id.hex.hasPrefix(id.short) && id.short.count == 12)
        }
        #expect(ids.sorted() == ids.sorted { $0.bytes.lexicographicallyPrecedes($1.bytes) })
    }

    private static let digits = String(repeating: "0123456789abcdef", count: 4)

    @Test(
        "anything but 64 lower-case digits is refused",
        arguments: [
            ("", 0), ("0", 1), ("", 63), ("0", 64), ("g", 63), ("A", 63), (" ", 63), ("\n", 63),
            ("x", 63), ("０", 63), ("é", 62), ("é", 63), ("\u{0}", 64), ("-", 63), ("/", 63),
            (":", 63), ("`", 63),
        ])
    func badText(wrong: String, right: Int) {
        let digits = String(Self.digits.prefix(right))
        #expect(ObjectID(hex: digits + wrong) == nil)
        #expect(ObjectID(hex: wrong + digits) == nil)
    }

    @Test("hexadecimal text decodes only when it is whole and lower-case")
    func hexadecimal() {
        #expect(Hexadecimal.decode("00ff10") == [0, 255, 16])
        #expect(Hexadecimal.decode("") == [])
        for text in ["0", "0g", "0F", "00 "] { #expect(Hexadecimal.decode(text) == nil) }
    }
}
