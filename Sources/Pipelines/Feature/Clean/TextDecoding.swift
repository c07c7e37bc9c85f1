/// Turns bytes into text without trusting what they claim to be.
enum TextDecoding {
    /// What the bytes of a text are written in.
    enum Encoding: Equatable {
        case utf8, utf16(isBigEndian: Bool), latin1
    }

    /// The text of bytes: by their byte-order mark, else UTF-8 when they are valid as such, else
    /// Latin-1 (as Windows-1252, which is what is meant by it since HTML 5).
    static func decode(_ bytes: [UInt8]) throws(UnreadableDocument) -> String {
        switch try encoding(of: bytes) {
        case .utf8:
            let start = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
            return String(decoding: bytes[start...], as: UTF8.self)
        case .utf16(let isBigEndian): return utf16(bytes.dropFirst(2), isBigEndian: isBigEndian)
        case .latin1: return latin1(bytes)
        }
    }

    /// How the bytes are to be read.
    ///
    /// - Throws: When they hold what no text does: NUL, or, in Latin-1, control characters.
    static func encoding(of bytes: [UInt8]) throws(UnreadableDocument) -> Encoding {
        if bytes.starts(with: [0xFF, 0xFE]) { return .utf16(isBigEndian: false) }
        if bytes.starts(with: [0xFE, 0xFF]) { return .utf16(isBigEndian: true) }
        if bytes.contains(0) { throw UnreadableDocument("is not text: it holds NUL bytes") }
        if UTF8Validation.isValid(bytes) { return .utf8 }
        guard !bytes.contains(where: isControl) else {
            throw UnreadableDocument("is not text: neither UTF-8 nor Latin-1")
        }
        return .latin1
    }

    private static func isControl(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x1B: false
        case 0..<0x20, 0x7F: true
        default: false
        }
    }

    private static func utf16(_ bytes: ArraySlice<UInt8>, isBigEndian: Bool) -> String {
        var units: [UInt16] = []
        units.reserveCapacity(bytes.count / 2)
        var at = bytes.startIndex
        while at + 1 < bytes.endIndex {
            let first = UInt16(bytes[at])
            let second = UInt16(bytes[at + 1])
            units.append(isBigEndian ? first << 8 | second : second << 8 | first)
            at += 2
        }
        return String(decoding: units, as: UTF16.self)
    }

    /// Reads Windows-1252, where 0x80 to 0x9F are printable.
    static func latin1(_ bytes: [UInt8]) -> String {
        var scalars = String.UnicodeScalarView()
        for byte in bytes {
            if (0x80..<0xA0).contains(byte) {
                scalars.append(windows1252[Int(byte - 0x80)])
            } else {
                scalars.append(Unicode.Scalar(byte))
            }
        }
        return String(scalars)
    }

    /// What 0x80 to 0x9F mean; a space where they mean nothing.
    private static let windows1252 = Array("€ ‚ƒ„…†‡ˆ‰Š‹Œ Ž  ‘’“”•–—˜™š›œ žŸ".unicodeScalars)
}

/// Whether bytes are UTF-8.
private enum UTF8Validation {
    static func isValid(_ bytes: [UInt8]) -> Bool {
        String(validating: bytes, as: UTF8.self) != nil
    }
}
