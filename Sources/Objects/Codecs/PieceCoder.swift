internal import Synchronization

/// Turns pieces into stored bytes and back, choosing the codec. Holds contexts: make one per thread.
final class PieceCoder {
    /// A piece that new pieces are stored as a difference against.
    struct Base {
        let id: ObjectID
        let bytes: [UInt8]
    }

    private let zstd = Zstd()

    /// Text above this many bits a byte does not shrink enough to be worth a decoder's time.
    private static let compressibleBits = 7.2

    /// Appends the stored form of a piece and says how it is coded. It is at most as long as the piece, a
    /// leaf's at most ``LeafBlocks/storedLimit(size:)``.
    func encode(
        _ bytes: Span<UInt8>, hint: StorageHint, base: Base? = nil, to output: inout [UInt8]
    ) -> Codec {
        let start = output.count
        if case .leaf = hint, let base,
            // A leaf takes at least its own size, or nearly: there is no need to encode it to know that.
            let difference = encodeDelta(bytes, base, alone: bytes.count)
        {
            output.append(contentsOf: difference)
            return .delta
        }
        let codec = encodeAlone(bytes, hint: hint, to: &output)
        if codec == .leaf { return codec }
        guard let base, let difference = encodeDelta(bytes, base, alone: output.count - start)
        else { return codec }
        output.removeLast(output.count - start)
        output.append(contentsOf: difference)
        return .delta
    }

    private func encodeAlone(
        _ bytes: Span<UInt8>, hint: StorageHint, to output: inout [UInt8]
    ) -> Codec {
        let start = output.count
        switch hint {
        case .structured:
            let stream = Zlib.compress(bytes)
            if stream.count < bytes.count {
                output.append(contentsOf: stream)
                return .zlib
            }
        case .leaf(let vectorOffset, let dimension):
            if LeafCodec.encode(
                bytes, vectorOffset: vectorOffset, dimension: dimension, zstd: zstd, to: &output)
            {
                return .leaf
            }
            if let codec = encodeByContent(bytes, to: &output) { return codec }
        case .bulk, .numbers:
            if let codec = encodeByContent(bytes, to: &output) { return codec }
        }
        precondition(output.count == start, "a codec that does not gain appends nothing")
        LittleEndian.append(bytes, to: &output)
        return .stored
    }

    private func encodeByContent(_ bytes: Span<UInt8>, to output: inout [UInt8]) -> Codec? {
        let lanes = LaneEntropy(of: bytes)
        if lanes.width > 1 {
            return PlaneCodec.encode(
                bytes, width: lanes.width, bits: lanes.bits, zstd: zstd, to: &output)
                ? .planes : nil
        }
        guard lanes.bits[0] < Self.compressibleBits else { return nil }
        let limit = bytes.count - max(1, bytes.count / 32)
        return zstd.compress(bytes, profile: .general, limit: limit, to: &output) == nil
            ? nil : .zstd
    }

    /// The stored form of a difference, when it takes at most half of the `alone` bytes that the piece takes by
    /// itself: beyond that, reading two pieces for one costs more than it saves.
    private func encodeDelta(_ bytes: Span<UInt8>, _ base: Base, alone: Int) -> [UInt8]? {
        let limit = alone / 2 - ObjectID.byteCount
        guard limit > 0 else { return nil }
        var stored = base.id.bytes
        return zstd.compress(
            bytes, profile: .general, prefix: base.bytes, limit: limit, to: &stored) == nil
            ? nil : stored
    }

    /// The identity of the piece that a stored difference is against.
    static func deltaBase(_ stored: Span<UInt8>) throws(CodecError) -> ObjectID {
        guard stored.count > ObjectID.byteCount else { throw CodecError("no base of a difference") }
        return ObjectID(bytes: stored)
    }

    /// Exactly `size` bytes from a stored form; `base` must be given for a difference.
    func decode(
        _ stored: [UInt8], codec: Codec, size: Int, base: [UInt8]? = nil
    ) throws(CodecError) -> [UInt8] {
        switch codec {
        case .stored:
            guard stored.count == size else { throw CodecError("the wrong number of bytes") }
            return stored
        case .zlib: return try Zlib.decompress(stored.span, size: size)
        case .zstd: return try zstd.decompress(stored.span, size: size)
        case .planes: return try PlaneCodec.decode(stored.span, size: size, zstd: zstd)
        case .leaf: return try LeafCodec.decode(stored.span, size: size, zstd: zstd)
        case .delta:
            guard let base, stored.count > ObjectID.byteCount else {
                throw CodecError("no base of a difference")
            }
            return try zstd.decompress(
                stored.span.extracting(ObjectID.byteCount..<stored.count), size: size, prefix: base)
        }
    }
}

/// How a piece's bytes are stored; the raw value is on disk.
///
/// Every codec is lossless and says nothing about identity. Decoding is bounded by the raw size in the
/// pack's index, never by what stored bytes claim.
package enum Codec: UInt8, Sendable, CaseIterable {
    /// The bytes themselves.
    case stored = 0
    /// One zlib stream (RFC 1950).
    case zlib = 1
    /// One zstd frame (RFC 8878).
    case zstd = 2
    /// Byte planes of fixed-width numbers, each stored or one zstd frame; see ``PlaneCodec``.
    case planes = 3
    /// A table leaf: vectors for use in place, their codes, and text; see ``LeafBlocks``. Such a piece begins at a
    /// multiple of 64 bytes in its pack.
    case leaf = 4
    /// A zstd frame against another piece as its prefix: 32 bytes of that piece's identity, the frame.
    /// The other piece is never stored this way itself.
    case delta = 5
}

/// Why stored bytes do not decode.
struct CodecError: Error {
    let reason: String

    init(_ reason: String) { self.reason = reason }
}

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
