internal import CZlib
internal import CZstd

/// Encodes and decodes zstd frames (RFC 8878). Use one per thread: it holds contexts.
final class Zstd {
    /// The kind of content that a frame is tuned for.
    enum Profile {
        /// Text and other content with repetitions: level 1, a few percent larger than level 3 at one and a half
        /// times its speed.
        case general
        /// Numbers, which have no matches: zstd reduced to Huffman coding of literals, smaller than level 1 and three
        /// times as fast.
        case entropy
    }

    private let general: OpaquePointer
    private let entropy: OpaquePointer
    private let decoder: OpaquePointer

    init() {
        guard let general = ZSTD_createCCtx(), let entropy = ZSTD_createCCtx(),
            let decoder = ZSTD_createDCtx()
        else { fatalError("zstd cannot create a context: out of memory") }
        self.general = general
        self.entropy = entropy
        self.decoder = decoder
        ZSTD_CCtx_setParameter(general, ZSTD_c_compressionLevel, 1)
        ZSTD_CCtx_setParameter(entropy, ZSTD_c_compressionLevel, -100)
        ZSTD_CCtx_setParameter(entropy, ZSTD_c_hashLog, 6)
        ZSTD_CCtx_setParameter(entropy, ZSTD_c_minMatch, 7)
        // literalCompressionMode: negative levels turn literal coding off, but here it is the only step wanted. The
        // parameter is experimental; without it, level 1 gives a similar result more slowly.
        if ZSTD_isError(ZSTD_CCtx_setParameter(entropy, ZSTD_c_experimentalParam5, 1)) != 0 {
            ZSTD_CCtx_setParameter(entropy, ZSTD_c_compressionLevel, 1)
        }
    }

    deinit {
        ZSTD_freeCCtx(general)
        ZSTD_freeCCtx(entropy)
        ZSTD_freeDCtx(decoder)
    }

    /// Appends a frame and returns its length; appends nothing and returns nil if the length would exceed `limit`.
    func compress(
        _ bytes: Span<UInt8>, profile: Profile, prefix: [UInt8]? = nil, limit: Int,
        to output: inout [UInt8]
    ) -> Int? {
        let context = profile == .general ? general : entropy
        let capacity = ZSTD_compressBound(bytes.count)
        let frame = [UInt8](unsafeUninitializedCapacity: capacity) { buffer, count in
            let status = bytes.withUnsafeBytes { source in
                (prefix ?? []).withUnsafeBytes { base in
                    // zstd uses a prefix for one frame only.
                    if prefix != nil { ZSTD_CCtx_refPrefix(context, base.baseAddress, base.count) }
                    return ZSTD_compress2(
                        context, buffer.baseAddress, capacity, source.baseAddress, source.count)
                }
            }
            count = ZSTD_isError(status) != 0 ? 0 : status
        }
        guard !frame.isEmpty, frame.count <= limit else { return nil }
        output.append(contentsOf: frame)
        return frame.count
    }

    /// Decodes the frame that fills `stored` to exactly `size` bytes, in an array with the given capacity.
    func decompress(
        _ stored: Span<UInt8>, size: Int, capacity: Int = 0, prefix: [UInt8]? = nil
    ) throws(CodecError) -> [UInt8] {
        var status = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: max(size, capacity)) { buffer, count in
            status = stored.withUnsafeBytes { source in
                (prefix ?? []).withUnsafeBytes { base in
                    if prefix != nil { ZSTD_DCtx_refPrefix(decoder, base.baseAddress, base.count) }
                    return ZSTD_decompressDCtx(
                        decoder, buffer.baseAddress, size, source.baseAddress, source.count)
                }
            }
            count = status == size ? size : 0
        }
        guard ZSTD_isError(status) == 0, status == size else {
            throw CodecError("not a zstd frame of \(size) bytes")
        }
        return bytes
    }

    /// Decodes the frame that fills `stored` into `bytes`; returns false unless it fills them exactly.
    func decompress(_ stored: Span<UInt8>, into bytes: UnsafeMutableBufferPointer<UInt8>) -> Bool {
        stored.withUnsafeBytes {
            ZSTD_decompressDCtx(decoder, bytes.baseAddress, bytes.count, $0.baseAddress, $0.count)
                == bytes.count
        }
    }
}

/// Encodes and decodes zlib streams (RFC 1950), which most standard libraries can read.
enum Zlib {
    /// The fastest level: structured objects are small and mostly consist of digests, which do not compress.
    private static let level: Int32 = 1

    /// Encodes `bytes` as a stream.
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

    /// Decodes the stream that fills `stored` to exactly `size` bytes.
    static func decompress(_ stored: Span<UInt8>, size: Int) throws(CodecError) -> [UInt8] {
        var isWhole = false
        // One byte more than expected, to detect a longer stream.
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
