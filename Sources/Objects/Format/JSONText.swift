internal import CKernels

/// Loops over JSON text that run in C.
///
/// This file is one of the few that use pointers. Each pointer stays inside the closure that lends it and within the
/// bounds of its buffer.
enum JSONText {
    /// Whether a number is written with a fraction or an exponent.
    static func isFloat(_ number: Span<UInt8>) -> Bool {
        for index in number.indices {
            let byte = number[index]
            if byte == 0x2E || byte | 0x20 == 0x65 { return true }
        }
        return false
    }

    /// The offset of the first quote, backslash or control character at or after `start`, or the end. Sets `isASCII` to
    /// false when a byte from `start` up to that offset is not ASCII.
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

    /// Reads the list of numbers whose opening bracket is right before `start`, and appends them as little-endian fp32.
    ///
    /// - Parameters:
    ///   - limit: The most numbers in the list.
    ///   - buffer: Working memory, which grows as needed.
    /// - Returns: The count of numbers and the offset after the list. Nil, with `bytes` unchanged, when the text is not
    ///   a list of numbers, or the list is empty, too long or contains a number in an unusual form; the general
    ///   parser must then read it.
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

    /// The offset of the first line feed at or after `start`, or nil.
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

    /// Appends a text as the inside of a JSON string, and escapes only what must be escaped; see RFC 8785, section
    /// 3.2.2.2.
    static func appendEscaped(_ text: Span<UInt8>, to bytes: inout [UInt8]) {
        text.withUnsafeBufferPointer { text in
            var start = 0
            while start < text.count {
                var seen: UInt8 = 0
                let end = fti_plain_text_end(text.baseAddress, text.count, start, &seen)
                bytes.append(contentsOf: text[start..<end])
                guard end < text.count else { return }
                appendEscape(of: text[end], to: &bytes)
                start = end + 1
            }
        }
    }

    private static func appendEscape(of byte: UInt8, to bytes: inout [UInt8]) {
        bytes.append(0x5C)
        switch byte {
        case 0x08: bytes.append(0x62)
        case 0x09: bytes.append(0x74)
        case 0x0A: bytes.append(0x6E)
        case 0x0C: bytes.append(0x66)
        case 0x0D: bytes.append(0x72)
        case 0..<0x20:
            bytes.append(contentsOf: "u00".utf8)
            bytes.append(contentsOf: Hexadecimal.encode([byte]).utf8)
        default: bytes.append(byte)
        }
    }
}
