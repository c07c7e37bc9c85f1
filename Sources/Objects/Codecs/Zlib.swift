internal import CZlib

/// zlib streams (RFC 1950), which every language's standard library reads.
enum Zlib {
    /// The fastest level: structured objects are small, and mostly digests that nothing compresses.
    private static let level: Int32 = 1

    /// The stream for `bytes`.
    static func compress(_ bytes: Span<UInt8>) -> [UInt8] {
        let bound = compressBound(uLong(bytes.count))
        return [UInt8](unsafeUninitializedCapacity: Int(bound)) { buffer, count in
            var written = bound
            let status = bytes.withUnsafeBufferPointer {
                compress2(buffer.baseAddress, &written, $0.baseAddress, uLong($0.count), level)
            }
            precondition(status == Z_OK, "the output has room for the worst case")
            count = Int(written)
        }
    }

    /// Exactly `size` bytes from one stream that fills `stored`.
    static func decompress(_ stored: Span<UInt8>, size: Int) throws(CodecError) -> [UInt8] {
        var isWhole = false
        // One byte more than expected, so that a longer stream is noticed.
        let bytes = [UInt8](unsafeUninitializedCapacity: size + 1) { buffer, count in
            var written = uLong(size + 1)
            var consumed = uLong(stored.count)
            let status = stored.withUnsafeBufferPointer {
                uncompress2(buffer.baseAddress, &written, $0.baseAddress, &consumed)
            }
            isWhole = status == Z_OK && consumed == uLong(stored.count) && written == uLong(size)
            count = isWhole ? size : 0
        }
        guard isWhole else { throw CodecError("not a zlib stream of \(size) bytes") }
        return bytes
    }
}
