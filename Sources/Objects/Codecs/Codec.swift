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
