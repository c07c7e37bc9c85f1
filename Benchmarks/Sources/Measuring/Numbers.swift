/// Decodes files of little-endian 32-bit floats.
public struct Numbers {
    /// Returns the floats in `bytes`; ignores up to three bytes after the last one.
    public static func floats(_ bytes: [UInt8]) -> [Float] {
        let bytes = bytes.span.bytes
        return [Float](unsafeUninitializedCapacity: bytes.byteCount / 4) { buffer, count in
            while count < buffer.count {
                let bits = bytes.unsafeLoadUnaligned(
                    fromByteOffset: 4 * count, as: UInt32.self)
                buffer[count] = Float(bitPattern: UInt32(littleEndian: bits))
                count += 1
            }
        }
    }
}
