internal import CZlib
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

/// Inflates one stream a piece at a time; whatever comes out before a broken place is given.
final class Inflater {
    /// How the stream goes on after a step.
    enum State {
        case open, ended, broken
    }

    /// What a step did.
    struct Step {
        let consumed: Int
        let output: [UInt8]
        let state: State
    }

    private let stream: UnsafeMutablePointer<z_stream>
    private var isUsable: Bool

    /// Begins a stream; `windowBits` are those of zlib's `inflateInit2`.
    init(windowBits: Int32) {
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        isUsable =
            inflateInit2_(
                stream, windowBits, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK
    }

    deinit {
        inflateEnd(stream)
        stream.deinitialize(count: 1)
        stream.deallocate()
    }

    /// Begins the next stream of the same kind; false when there is no memory for it.
    func reset() -> Bool { isUsable && inflateReset(stream) == Z_OK }

    /// Inflates what `input` begins with, to at most `room` bytes.
    func inflate(_ input: [UInt8], room: Int) -> Step {
        guard isUsable else { return Step(consumed: 0, output: [], state: .broken) }
        var input = input
        var status = Z_OK
        var consumed = 0
        let output = [UInt8](unsafeUninitializedCapacity: room) { buffer, count in
            input.withUnsafeMutableBufferPointer { input in
                stream.pointee.next_in = input.baseAddress
                stream.pointee.avail_in = UInt32(input.count)
                stream.pointee.next_out = buffer.baseAddress
                stream.pointee.avail_out = UInt32(room)
                status = CZlib.inflate(stream, Z_NO_FLUSH)
                consumed = input.count - Int(stream.pointee.avail_in)
                count = room - Int(stream.pointee.avail_out)
                stream.pointee.next_in = nil
                stream.pointee.next_out = nil
            }
        }
        let state: State =
            switch status {
            case Z_STREAM_END: .ended
            // No progress for want of input or of room is no damage.
            case Z_OK, Z_BUF_ERROR: .open
            default: .broken
            }
        return Step(consumed: consumed, output: output, state: state)
    }
}
