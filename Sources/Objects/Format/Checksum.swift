internal import CKernels

/// CRC-32C (RFC 3720, appendix B.4): finds damage at the speed of memory.
///
/// It finds every flipped bit and every run of up to 32, but resists nobody who means to deceive: identities do that.
package enum Checksum {
    /// The checksum of bytes.
    package static func of(_ bytes: Span<UInt8>) -> UInt32 {
        bytes.withUnsafeBufferPointer { fti_crc32c(0, $0.baseAddress, $0.count) }
    }
}
