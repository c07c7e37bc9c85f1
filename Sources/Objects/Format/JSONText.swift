internal import CKernels

/// The loops over JSON text that are worth a kernel.
///
/// Pointers are confined to this file; each is used inside the closure that lends it, within the bounds of
/// its buffer.
enum JSONText {
    /// Whether a number is written with a fraction or an exponent.
    static func isFloat(_ number: Span<UInt8>) -> Bool {
        for index in number.indices {
            let byte = number[index]
            if byte == 0x2E || byte | 0x20 == 0x65 { return true }
        }
        return false
    }

    /// The offset of the first quote, backslash or control character from `start` on, or the end; `isASCII`
    /// becomes false when a byte before it is none.
    static func plainEnd(
        of text: Span<UInt8>, from start: Int, isASCII: inout Bool
    ) -> Int {
        var seen: UInt8 = 0
        let end = text.withUnsafeBufferPointer {
            fti_plain_text_end($0.baseAddress, $0.count, start, &seen)
        }
        if seen != 0 { isASCII = false }
        return end
    }

    /// Reads the list of numbers that opens before `start` and appends them as fp32, little-endian.
    ///
    /// - Returns: The number of numbers and the offset behind the list, or nil, with `bytes` as they were, for a
    ///   list that needs a closer look: it is no list of numbers, or holds an unusual one.
    static func appendFloats(
        of text: Span<UInt8>, from start: Int, atMost limit: Int, to bytes: inout [UInt8],
        through buffer: inout [Float]
    ) -> (count: Int, end: Int)? {
        while true {
            var end = 0
            let count = text.withUnsafeBufferPointer { text in
                buffer.withUnsafeMutableBufferPointer {
                    fti_read_floats(
                        text.baseAddress, text.count, start, $0.baseAddress, $0.count, &end)
                }
            }
            if count == Int(FTI_LIST_TOO_LONG), buffer.count < limit {
                buffer = [Float](repeating: 0, count: min(limit, 4 * max(buffer.count, 256)))
                continue
            }
            guard count > 0 else { return nil }
            buffer.withUnsafeBytes { bytes.append(contentsOf: $0[..<(4 * count)]) }
            return (count, end)
        }
    }

    /// The offset of the first line feed from `start` on, or nil.
    static func lineFeed(in text: Span<UInt8>, from start: Int) -> Int? {
        text.withUnsafeBytes { text in
            let feeds = SIMD32<UInt8>(repeating: 0x0A)
            var offset = start
            while offset + 32 <= text.count {
                let bytes = text.loadUnaligned(fromByteOffset: offset, as: SIMD32<UInt8>.self)
                if any(bytes .== feeds) { break }
                offset += 32
            }
            while offset < text.count {
                if text[offset] == 0x0A { return offset }
                offset += 1
            }
            return nil
        }
    }
}
