internal import CZstd

/// zstd frames (RFC 8878). Holds the contexts, so make one per thread.
final class Zstd {
    /// What a frame is tuned for.
    enum Profile {
        /// Text and anything with repeats: level 1, which loses a few percent against level 3 at
        /// one and a half times its speed.
        case general
        /// Numbers, where matches do not exist: only Huffman coding of literals is left of zstd, at three
        /// times the speed of level 1 and with smaller output.
        case entropy
    }

    private let general: OpaquePointer
    private let entropy: OpaquePointer
    private let decoder: OpaquePointer

    init() {
        guard let general = ZSTD_createCCtx(), let entropy = ZSTD_createCCtx(),
            let decoder = ZSTD_createDCtx()
        else { fatalError("zstd cannot make a context: out of memory") }
        self.general = general
        self.entropy = entropy
        self.decoder = decoder
        ZSTD_CCtx_setParameter(general, ZSTD_c_compressionLevel, 1)
        ZSTD_CCtx_setParameter(entropy, ZSTD_c_compressionLevel, -100)
        ZSTD_CCtx_setParameter(entropy, ZSTD_c_hashLog, 6)
        ZSTD_CCtx_setParameter(entropy, ZSTD_c_minMatch, 7)
        // literalCompressionMode: negative levels switch literal coding off, and it is all we want. The
        // parameter is experimental; where it is gone, level 1 does the same job more slowly.
        if ZSTD_isError(ZSTD_CCtx_setParameter(entropy, ZSTD_c_experimentalParam5, 1)) != 0 {
            ZSTD_CCtx_setParameter(entropy, ZSTD_c_compressionLevel, 1)
        }
    }

    deinit {
        ZSTD_freeCCtx(general)
        ZSTD_freeCCtx(entropy)
        ZSTD_freeDCtx(decoder)
    }

    /// Appends a frame and returns its length, or appends nothing and returns nil when the frame would
    /// have more than `limit` bytes.
    func compress(
        _ bytes: Span<UInt8>, profile: Profile, prefix: [UInt8]? = nil, limit: Int,
        to output: inout [UInt8]
    ) -> Int? {
        let context = profile == .general ? general : entropy
        let capacity = ZSTD_compressBound(bytes.count)
        let frame = [UInt8](unsafeUninitializedCapacity: capacity) { buffer, count in
            let status = bytes.withUnsafeBytes { source in
                (prefix ?? []).withUnsafeBytes { base in
                    // A prefix holds for one frame only.
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

    /// Exactly `size` bytes from the frame that fills `stored`, in an array with room for `capacity`.
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

    /// Fills `bytes` from the frame that fills `stored`; false when the frame does not hold exactly as many.
    func decompress(_ stored: Span<UInt8>, into bytes: UnsafeMutableBufferPointer<UInt8>) -> Bool {
        stored.withUnsafeBytes {
            ZSTD_decompressDCtx(decoder, bytes.baseAddress, bytes.count, $0.baseAddress, $0.count)
                == bytes.count
        }
    }
}
