/// What may be the name of a key.
enum KeyName {
    /// The most bytes that a name may have.
    static let byteLimit = 64

    /// Whether a text matches `[a-z0-9][a-z0-9._-]*` and is not too long.
    static func isValid(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        guard let first = bytes.first, bytes.count <= byteLimit, isAlphanumeric(first) else {
            return false
        }
        return bytes.allSatisfy {
            isAlphanumeric($0) || $0 == 0x2E || $0 == 0x5F || $0 == 0x2D
        }
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x61...0x7A: true
        default: false
        }
    }
}
