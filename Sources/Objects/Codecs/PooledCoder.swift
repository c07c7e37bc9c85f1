internal import Synchronization

/// A coder that moves from thread to thread through a pool, so its lock is never waited for.
final class PooledCoder: Sendable {
    private let coder = Mutex(PieceCoder())

    /// See ``PieceCoder/decode(_:codec:size:base:)``.
    func decode(
        _ stored: [UInt8], codec: Codec, size: Int, base: [UInt8]?
    ) throws(CodecError) -> [UInt8] {
        try coder.withLock { (coder) throws(CodecError) in
            try coder.decode(stored, codec: codec, size: size, base: base)
        }
    }
}
