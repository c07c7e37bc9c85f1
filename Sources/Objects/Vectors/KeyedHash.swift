internal import CKernels

/// A keyed hash, several times as fast as SHA-256. Without the key, nobody can forge a match, so the hash detects
/// tampering as well as damage.
///
/// The bytes are cut into blocks of 1 KiB, the last padded with zeros; see `fti_keyed_sums`. The digest is the first
/// half of the SHA-256 of all sums and the byte count.
struct KeyedHash: Sendable {
    /// The first half of a SHA-256.
    struct Digest: Hashable, Sendable {
        let word0, word1: UInt64
    }

    /// The number of bytes in a secret.
    static let secretSize = 32
    private static let blockSize = Int(FTI_KEYED_BLOCK)
    private let key: [UInt64]

    /// Derives a key: words 4 i to 4 i + 3 are the SHA-256 of the secret followed by i as eight bytes.
    init(secret: [UInt8]) {
        key = (0..<UInt64(Self.blockSize / 32)).flatMap { counter in
            var bytes = secret
            LittleEndian.append(counter, to: &bytes)
            let digest = ObjectID(of: bytes.span)
            return [digest.word0, digest.word1, digest.word2, digest.word3]
        }
    }

    /// Hashes bytes.
    func digest(_ bytes: Span<UInt8>) -> Digest {
        let whole = bytes.count / Self.blockSize
        let hasRest = whole * Self.blockSize < bytes.count
        var sums = [UInt64](repeating: 0, count: 2 * (whole + (hasRest ? 1 : 0)) + 1)
        bytes.withUnsafeBytes { bytes in
            sums.withUnsafeMutableBufferPointer { sums in
                guard let bytes = bytes.baseAddress, let sums = sums.baseAddress else { return }
                fti_keyed_sums(bytes, whole, key, sums)
            }
        }
        if hasRest {
            var last: [UInt8] = []
            last.reserveCapacity(Self.blockSize)
            LittleEndian.append(
                bytes.extracting(whole * Self.blockSize..<bytes.count), to: &last)
            last.append(contentsOf: repeatElement(0, count: Self.blockSize - last.count))
            sums.withUnsafeMutableBufferPointer { sums in
                guard let start = sums.baseAddress else { return }
                fti_keyed_sums(last, 1, key, start + 2 * whole)
            }
        }
        sums[sums.count - 1] = UInt64(bytes.count)
        var encoded: [UInt8] = []
        encoded.reserveCapacity(8 * sums.count)
        for sum in sums { LittleEndian.append(sum, to: &encoded) }
        let digest = ObjectID(of: encoded.span)
        return Digest(word0: digest.word0, word1: digest.word1)
    }
}
