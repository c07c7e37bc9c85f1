internal import CCrypto
internal import CKernels

/// Computes SHA-256 over bytes that arrive in parts.
///
/// A value type: a copy continues from the same state. On processors with SHA-256 instructions, feeding two hashers at
/// once is nearly twice as fast as one after the other; other processors use libcrypto.
public struct ObjectHasher: Sendable, Equatable {
    static let blockSize = 64
    private static let hasInstructions = fti_sha256_supported()

    /// The chaining value after the last whole block.
    private(set) var words: SIMD8<UInt32>
    /// The bytes after the last whole block, padded with zeros.
    private(set) var rest: SIMD64<UInt8>
    /// The number of bytes so far.
    private(set) var count: Int

    /// Begins a digest.
    public init() {
        // The first 32 bits of the fractional parts of the square roots of the first eight primes.
        words = SIMD8<UInt32>(
            0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c,
            0x1f83_d9ab, 0x5be0_cd19)
        rest = SIMD64()
        count = 0
    }

    /// Continues from a recorded state, which is unverified: only the final digest proves it.
    init(words: SIMD8<UInt32>, rest: SIMD64<UInt8>, count: Int) {
        self.words = words
        self.rest = rest
        self.count = count
    }

    /// Adds bytes to the digest.
    public mutating func update(_ bytes: Span<UInt8>) {
        let taken = fill(bytes)
        guard taken < bytes.count else { return }
        let blocks = (bytes.count - taken) / Self.blockSize
        let whole = blocks * Self.blockSize
        bytes.extracting(taken..<taken + whole).withUnsafeBufferPointer { compress($0, blocks) }
        count += whole
        keep(bytes.extracting(taken + whole..<bytes.count))
    }

    /// Adds bytes to two digests at once.
    public static func update(
        _ first: inout ObjectHasher, _ firstBytes: Span<UInt8>, _ second: inout ObjectHasher,
        _ secondBytes: Span<UInt8>
    ) {
        let left = first.fill(firstBytes)
        let right = second.fill(secondBytes)
        let blocks = min(firstBytes.count - left, secondBytes.count - right) / blockSize
        guard blocks > 0, hasInstructions else {
            first.update(firstBytes.extracting(left..<firstBytes.count))
            second.update(secondBytes.extracting(right..<secondBytes.count))
            return
        }
        firstBytes.extracting(left..<firstBytes.count).withUnsafeBufferPointer { firstBuffer in
            secondBytes.extracting(right..<secondBytes.count).withUnsafeBufferPointer {
                compressPair(&first, firstBuffer, &second, $0, blocks)
            }
        }
        first.count += blocks * blockSize
        second.count += blocks * blockSize
        first.update(firstBytes.extracting(left + blocks * blockSize..<firstBytes.count))
        second.update(secondBytes.extracting(right + blocks * blockSize..<secondBytes.count))
    }

    /// The identity of an object with the bytes so far.
    public func finalize() -> ObjectID {
        var last = self
        let used = count % Self.blockSize
        last.rest[used] = 0x80
        if used >= Self.blockSize - 8 { last.compressRest() }
        let bits = UInt64(count) << 3
        for index in 0..<8 {
            last.rest[Self.blockSize - 1 - index] = UInt8(
                truncatingIfNeeded: bits >> UInt64(8 * index))
        }
        last.compressRest()
        func word(_ index: Int) -> UInt64 {
            UInt64(last.words[index]) << 32 | UInt64(last.words[index + 1])
        }
        return ObjectID(word(0), word(2), word(4), word(6))
    }

    /// Adds the first bytes to an unfinished block, if there is one; returns how many bytes it took.
    private mutating func fill(_ bytes: Span<UInt8>) -> Int {
        let used = count % Self.blockSize
        guard used > 0 else { return 0 }
        let taken = min(Self.blockSize - used, bytes.count)
        for index in 0..<taken { rest[used + index] = bytes[index] }
        count += taken
        if used + taken == Self.blockSize { compressRest() }
        return taken
    }

    private mutating func compressRest() {
        let block = rest
        withUnsafeBytes(of: block) { compress($0.bindMemory(to: UInt8.self), 1) }
        rest = SIMD64()
    }

    /// Keeps fewer bytes than a block for later.
    private mutating func keep(_ bytes: Span<UInt8>) {
        count += bytes.count
        for index in 0..<bytes.count { rest[index] = bytes[index] }
    }

    private mutating func compress(_ bytes: UnsafeBufferPointer<UInt8>, _ blocks: Int) {
        guard blocks > 0, let base = bytes.baseAddress else { return }
        withUnsafeMutableBytes(of: &words) { words in
            guard let state = words.bindMemory(to: UInt32.self).baseAddress else { return }
            if Self.hasInstructions {
                fti_sha256_compress(state, base, blocks)
            } else {
                fti_crypto_sha256_compress(state, base, blocks)
            }
        }
    }

    private static func compressPair(
        _ first: inout ObjectHasher, _ firstBytes: UnsafeBufferPointer<UInt8>,
        _ second: inout ObjectHasher, _ secondBytes: UnsafeBufferPointer<UInt8>, _ blocks: Int
    ) {
        withUnsafeMutableBytes(of: &first.words) { left in
            withUnsafeMutableBytes(of: &second.words) { right in
                guard let leftState = left.bindMemory(to: UInt32.self).baseAddress,
                    let rightState = right.bindMemory(to: UInt32.self).baseAddress,
                    let leftBase = firstBytes.baseAddress, let rightBase = secondBytes.baseAddress
                else { return }
                fti_sha256_compress_pair(leftState, leftBase, rightState, rightBase, blocks)
            }
        }
    }
}

extension ObjectID {
    /// The identity of an object with these bytes.
    public init(of bytes: Span<UInt8>) {
        var hasher = ObjectHasher()
        hasher.update(bytes)
        self = hasher.finalize()
    }

    /// The identities of consecutive pieces, computed two at a time.
    static func ofPieces(of bytes: Span<UInt8>, lengths: [Int]) -> [ObjectID] {
        var ids: [ObjectID] = []
        ids.reserveCapacity(lengths.count)
        var offset = 0
        for index in stride(from: 0, to: lengths.count, by: 2) {
            var first = ObjectHasher()
            var second = ObjectHasher()
            let middle = offset + lengths[index]
            let end = middle + (index + 1 < lengths.count ? lengths[index + 1] : 0)
            ObjectHasher.update(
                &first, bytes.extracting(offset..<middle), &second, bytes.extracting(middle..<end))
            ids.append(first.finalize())
            if index + 1 < lengths.count { ids.append(second.finalize()) }
            offset = end
        }
        return ids
    }
}
