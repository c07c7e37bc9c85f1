#if !_endian(little)
    #error("table vectors are little-endian fp32 numbers that are used in place")
#endif

/// Operations on the columns of table nodes: bytes and fp32 numbers.
///
/// This file is one of the few that use pointers. Each pointer stays inside the closure that lends it and within the
/// bounds of its buffer.
package enum TableBytes {
    static func append(_ values: [UInt32], to bytes: inout [UInt8]) {
        values.withUnsafeBytes { bytes.append(contentsOf: $0) }
    }

    package static func append(_ values: [Float], to bytes: inout [UInt8]) {
        values.withUnsafeBytes { bytes.append(contentsOf: $0) }
    }

    /// Reads the u32 count at `offset`; four bytes must be there.
    static func count(_ bytes: Span<UInt8>, at offset: Int) -> Int {
        Int(LittleEndian.uint32(bytes, at: offset))
    }

    /// Returns the byte order of two keys as a number below zero, zero or above zero; a prefix comes first.
    package static func compare(_ left: Span<UInt8>, _ right: Span<UInt8>) -> Int {
        let shared = min(left.count, right.count)
        var index = 0
        while index < shared {
            if left[index] != right[index] { return Int(left[index]) - Int(right[index]) }
            index += 1
        }
        return left.count - right.count
    }

    static func areEqual(_ left: Span<UInt8>, _ right: Span<UInt8>) -> Bool {
        guard left.count == right.count else { return false }
        return left.withUnsafeBytes { left in
            right.withUnsafeBytes { right in
                // Compare eight bytes at a time: every diff compares rows of several kilobytes.
                var index = 0
                while index + 8 <= left.count {
                    if left.loadUnaligned(fromByteOffset: index, as: UInt64.self)
                        != right.loadUnaligned(fromByteOffset: index, as: UInt64.self)
                    {
                        return false
                    }
                    index += 8
                }
                while index < left.count {
                    if left[index] != right[index] { return false }
                    index += 1
                }
                return true
            }
        }
    }

    static func hash(_ bytes: Span<UInt8>, into hasher: inout Hasher) {
        // The length separates adjacent fields.
        hasher.combine(bytes.count)
        bytes.withUnsafeBytes { hasher.combine(bytes: $0) }
    }

    /// The offset of the first fp32 number that is infinite or NaN, or nil. The byte count must be a multiple of 4.
    static func firstNotFinite(_ bytes: Span<UInt8>) -> Int? {
        bytes.withUnsafeBytes { bytes in
            // Exactly these numbers have all exponent bits set, so adding the lowest exponent bit to the exponent
            // alone carries into the sign.
            let exponent: UInt32 = 0x7F80_0000
            let lowest: UInt32 = 0x0080_0000
            let exponents = SIMD8<UInt32>(repeating: exponent)
            let lowests = SIMD8<UInt32>(repeating: lowest)
            var carries = SIMD8<UInt32>(repeating: 0)
            var offset = 0
            while offset + 32 <= bytes.count {
                let numbers = bytes.loadUnaligned(fromByteOffset: offset, as: SIMD8<UInt32>.self)
                carries |= (numbers & exponents) &+ lowests
                offset += 32
            }
            var carry: UInt32 = 0
            for lane in 0..<8 { carry |= carries[lane] }
            while offset < bytes.count {
                let number = bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)
                carry |= (number & exponent) &+ lowest
                offset += 4
            }
            guard carry >> 31 != 0 else { return nil }
            return stride(from: 0, to: bytes.count, by: 4).first { offset in
                bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self) & exponent == exponent
            }
        }
    }

    /// Lends bytes as fp32 numbers. They must begin at a multiple of 4 in memory.
    static func withFloats<Result>(
        _ bytes: Span<UInt8>, _ body: (Span<Float>) -> Result
    ) -> Result {
        bytes.withUnsafeBytes { bytes in
            precondition(
                bytes.count == 0 || Int(bitPattern: bytes.baseAddress) % 4 == 0,
                "numbers are aligned")
            return bytes.withMemoryRebound(to: Float.self) { body($0.span) }
        }
    }

    /// Appends the fp32 numbers in `range` of `bytes` with one copy.
    static func appendFloats(_ bytes: Span<UInt8>, _ range: Range<Int>, to floats: inout [Float]) {
        bytes.extracting(range).withUnsafeBytes { source in
            // The start of an array's storage is aligned, so the range is aligned to 4.
            source.withMemoryRebound(to: Float.self) { floats.append(contentsOf: $0) }
        }
    }
}
