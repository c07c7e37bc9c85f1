internal import CKernels

/// Little-endian numbers in byte arrays; offsets must be in range.
package enum LittleEndian {
    package static func uint32(_ bytes: Span<UInt8>, at offset: Int) -> UInt32 {
        UInt32(bytes[offset]) | UInt32(bytes[offset + 1]) << 8 | UInt32(bytes[offset + 2]) << 16
            | UInt32(bytes[offset + 3]) << 24
    }

    static func uint64(_ bytes: Span<UInt8>, at offset: Int) -> UInt64 {
        UInt64(uint32(bytes, at: offset)) | UInt64(uint32(bytes, at: offset + 4)) << 32
    }

    package static func append(_ value: UInt32, to bytes: inout [UInt8]) {
        for shift in stride(from: 0, through: 24, by: 8) {
            bytes.append(UInt8(truncatingIfNeeded: value >> UInt32(shift)))
        }
    }

    static func append(_ value: UInt64, to bytes: inout [UInt8]) {
        append(UInt32(truncatingIfNeeded: value), to: &bytes)
        append(UInt32(truncatingIfNeeded: value >> 32), to: &bytes)
    }

    static func set(_ value: UInt32, at offset: Int, in bytes: inout [UInt8]) {
        for index in 0..<4 {
            bytes[offset + index] = UInt8(truncatingIfNeeded: value >> UInt32(8 * index))
        }
    }

    static func append(_ span: Span<UInt8>, to bytes: inout [UInt8]) {
        span.withUnsafeBufferPointer { bytes.append(contentsOf: $0) }
    }
}

/// CRC-32C (RFC 3720, appendix B.4): detects damage at the speed of memory.
///
/// It detects every single flipped bit and every burst of up to 32 bits. It does not protect against forgery;
/// identities do.
package enum Checksum {
    /// The checksum of bytes.
    package static func of(_ bytes: Span<UInt8>) -> UInt32 {
        bytes.withUnsafeBufferPointer { fti_crc32c(0, $0.baseAddress, $0.count) }
    }
}

extension RandomAccessCollection where Index == Int {
    /// The first index whose element does not come before the wanted position; `endIndex` when all do. Calls
    /// `isBefore` O(log n) times.
    ///
    /// - Parameter isBefore: Whether an element comes before the position. Once it is false, it must be false for all
    ///   later elements.
    package func binarySearch(_ isBefore: (Element) -> Bool) -> Int {
        var low = startIndex
        var high = endIndex
        while low < high {
            let middle = (low + high) / 2
            if isBefore(self[middle]) { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
