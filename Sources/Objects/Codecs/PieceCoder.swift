internal import Synchronization

/// Encodes pieces for storage, with the codec that suits them, and decodes them. Use one per thread: it holds contexts.
final class PieceCoder {
    /// A piece against which a delta is stored.
    struct Base {
        let id: ObjectID
        let bytes: [UInt8]
    }

    private let zstd = Zstd()

    /// Text with more bits per byte does not shrink enough to be worth the time of decoding.
    private static let compressibleBits = 7.2

    /// Appends the stored form of a piece; returns the codec. The stored form is at most as long as the piece; that of
    /// a leaf has at most ``LeafBlocks/storedLimit(size:)`` bytes.
    func encode(
        _ bytes: Span<UInt8>, hint: StorageHint, base: Base? = nil, to output: inout [UInt8]
    ) -> Codec {
        let start = output.count
        if case .leaf = hint, let base,
            // The stored form of a leaf is about as long as the leaf, so there is no need to encode it first.
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
        precondition(output.count == start, "a codec that saves nothing appends nothing")
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

    /// The stored form as a delta; nil if it would be longer than half of `alone`, the length of the piece's stored
    /// form without a base: reading two pieces instead of one would then cost more than the delta saves.
    private func encodeDelta(_ bytes: Span<UInt8>, _ base: Base, alone: Int) -> [UInt8]? {
        let limit = alone / 2 - ObjectID.byteCount
        guard limit > 0 else { return nil }
        var stored = base.id.bytes
        return zstd.compress(
            bytes, profile: .general, prefix: base.bytes, limit: limit, to: &stored) == nil
            ? nil : stored
    }

    /// The identity of the base of a stored delta.
    static func deltaBase(_ stored: Span<UInt8>) throws(CodecError) -> ObjectID {
        guard stored.count > ObjectID.byteCount else {
            throw CodecError("the base of a delta is missing")
        }
        return ObjectID(bytes: stored)
    }

    /// Decodes a stored form to exactly `size` bytes; a delta needs its `base`.
    func decode(
        _ stored: [UInt8], codec: Codec, size: Int, base: [UInt8]? = nil
    ) throws(CodecError) -> [UInt8] {
        switch codec {
        case .stored:
            guard stored.count == size else { throw CodecError("it has the wrong number of bytes") }
            return stored
        case .zlib: return try Zlib.decompress(stored.span, size: size)
        case .zstd: return try zstd.decompress(stored.span, size: size)
        case .planes: return try PlaneCodec.decode(stored.span, size: size, zstd: zstd)
        case .leaf: return try LeafCodec.decode(stored.span, size: size, zstd: zstd)
        case .delta:
            guard let base, stored.count > ObjectID.byteCount else {
                throw CodecError("the base of a delta is missing")
            }
            return try zstd.decompress(
                stored.span.extracting(ObjectID.byteCount..<stored.count), size: size, prefix: base)
        }
    }
}

/// How the bytes of a piece are stored; the raw value is the one on disk.
///
/// Every codec is lossless, and identities do not depend on it. Decoding trusts only the raw size in the pack's index,
/// never a size that stored bytes claim.
package enum Codec: UInt8, Sendable, CaseIterable {
    /// The bytes themselves.
    case stored = 0
    /// One zlib stream (RFC 1950).
    case zlib = 1
    /// One zstd frame (RFC 8878).
    case zstd = 2
    /// Byte planes of fixed-width numbers, each uncompressed or one zstd frame; see ``PlaneCodec``.
    case planes = 3
    /// A table leaf: vectors that are used in place, their codes, and text; see ``LeafBlocks``. The stored form begins
    /// at a multiple of 64 bytes in the pack.
    case leaf = 4
    /// A delta: the 32 bytes of the identity of another piece, its base, then a zstd frame with the base as its
    /// prefix. A base is never stored as a delta itself.
    case delta = 5
}

/// Why stored bytes cannot be decoded.
struct CodecError: Error {
    let reason: String

    init(_ reason: String) { self.reason = reason }
}

/// A coder that threads share through a pool; only one thread holds it at a time, so its lock is never contended.
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
