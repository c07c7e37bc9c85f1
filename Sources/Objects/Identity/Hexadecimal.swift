/// Lower-case hexadecimal text.
public enum Hexadecimal {
    private static let digits = Array("0123456789abcdef".utf8)

    /// Two digits a byte.
    public static func encode(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        text.reserveCapacity(bytes.count * 2)
        for byte in bytes {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// The value of one ASCII digit; nil for anything else, upper case included.
    public static func value(of byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x61...0x66: byte - 0x61 + 10
        default: nil
        }
    }

    /// The bytes of an even number of digits, or nil.
    public static func decode(_ text: String) -> [UInt8]? {
        let digits = text.utf8Span.span
        guard digits.count.isMultiple(of: 2) else { return nil }
        var result: [UInt8] = []
        result.reserveCapacity(digits.count / 2)
        var at = 0
        while at < digits.count {
            guard let high = value(of: digits[at]), let low = value(of: digits[at + 1]) else {
                return nil
            }
            result.append(high << 4 | low)
            at += 2
        }
        return result
    }
}
