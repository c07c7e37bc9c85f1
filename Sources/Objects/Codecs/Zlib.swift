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
