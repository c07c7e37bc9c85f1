/// The identity of an object: the SHA-256 of its bytes.
public struct ObjectID: Hashable, Comparable, Sendable, CustomStringConvertible {
    // Four big-endian words, so that comparing words compares the bytes of the digest.
    let word0, word1, word2, word3: UInt64

    /// The number of bytes in an identity.
    public static let byteCount = 32

    init(_ word0: UInt64, _ word1: UInt64, _ word2: UInt64, _ word3: UInt64) {
        self.word0 = word0
        self.word1 = word1
        self.word2 = word2
        self.word3 = word3
    }

    /// Reads an identity from the 32 bytes at `offset`, which must lie inside `bytes`.
    public init(bytes: Span<UInt8>, at offset: Int = 0) {
        precondition(offset >= 0 && offset + Self.byteCount <= bytes.count, "32 bytes are needed")
        func word(_ start: Int) -> UInt64 {
            var value: UInt64 = 0
            for index in start..<start + 8 { value = value << 8 | UInt64(bytes[index]) }
            return value
        }
        self.init(word(offset), word(offset + 8), word(offset + 16), word(offset + 24))
    }

    /// Parses 64 lower-case hexadecimal digits; nil for any other text.
    public init?(hex text: some StringProtocol) {
        self.init(hex: String(text))
    }

    /// Parses 64 lower-case hexadecimal digits; nil for any other text.
    public init?(hex text: String) {
        self.init(hex: text.utf8Span.span)
    }

    /// Parses 64 lower-case hexadecimal digits; nil for any other text.
    public init?(hex text: Span<UInt8>) {
        guard text.count == 64 else { return nil }
        var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
        var count = 0
        while count < 64 {
            guard let digit = Hexadecimal.value(of: text[count]) else { return nil }
            switch count / 16 {
            case 0: words.0 = words.0 << 4 | UInt64(digit)
            case 1: words.1 = words.1 << 4 | UInt64(digit)
            case 2: words.2 = words.2 << 4 | UInt64(digit)
            default: words.3 = words.3 << 4 | UInt64(digit)
            }
            count += 1
        }
        self.init(words.0, words.1, words.2, words.3)
    }

    /// The 32 bytes of the digest.
    public var bytes: [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(Self.byteCount)
        append(to: &result)
        return result
    }

    /// Appends the 32 bytes of the digest.
    public func append(to bytes: inout [UInt8]) {
        for word in [word0, word1, word2, word3] {
            for shift in stride(from: 56, through: 0, by: -8) {
                bytes.append(UInt8(truncatingIfNeeded: word >> UInt64(shift)))
            }
        }
    }

    /// 64 lower-case hexadecimal digits, as `sha256sum` prints them.
    public var hex: String { Hexadecimal.encode(bytes) }

    /// The first 12 digits, for people; never stored.
    public var short: String { String(hex.prefix(12)) }

    /// Same as ``hex``.
    public var description: String { hex }

    /// Compares the bytes.
    public static func < (left: ObjectID, right: ObjectID) -> Bool {
        if left.word0 != right.word0 { return left.word0 < right.word0 }
        if left.word1 != right.word1 { return left.word1 < right.word1 }
        if left.word2 != right.word2 { return left.word2 < right.word2 }
        return left.word3 < right.word3
    }

    /// Hashes only the first word, because identities are uniformly distributed.
    public func hash(into hasher: inout Hasher) { hasher.combine(word0) }
}

/// The first digits of an identity, which people type instead of all 64.
public struct ObjectIDPrefix: Hashable, Sendable, CustomStringConvertible {
    /// The digits, in lower-case hexadecimal.
    public let hex: String
    /// The lowest identity with this prefix.
    public let lowest: ObjectID

    /// The fewest digits in a prefix: fewer would match too many identities.
    public static let minimumDigits = 4

    /// Parses 4 to 62 lower-case hexadecimal digits, or all 64; nil for any other text.
    ///
    /// Refuses 63 digits, which are probably an identity that lost a digit.
    public init?(hex text: some StringProtocol) {
        let count = text.utf8.count
        guard (Self.minimumDigits...64).contains(count), count != 63,
            let lowest = ObjectID(hex: text + String(repeating: "0", count: 64 - count))
        else { return nil }
        hex = String(text)
        self.lowest = lowest
    }

    /// Makes a prefix of all 64 digits.
    public init(_ id: ObjectID) {
        hex = id.hex
        lowest = id
    }

    /// The identity, if the prefix has all 64 digits; nil otherwise.
    public var whole: ObjectID? { hex.utf8.count == 64 ? lowest : nil }

    /// Whether an identity has this prefix.
    public func matches(_ id: ObjectID) -> Bool { id.hex.utf8.starts(with: hex.utf8) }

    /// Same as ``hex``.
    public var description: String { hex }
}

/// Lower-case hexadecimal text.
public enum Hexadecimal {
    private static let digits = Array("0123456789abcdef".utf8)

    /// Encodes each byte as two digits.
    public static func encode(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        text.reserveCapacity(bytes.count * 2)
        for byte in bytes {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// The value of an ASCII digit; nil for any other byte, even for an upper-case digit.
    public static func value(of byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x61...0x66: byte - 0x61 + 10
        default: nil
        }
    }

    /// Decodes an even number of digits; nil for any other text.
    public static func decode(_ text: String) -> [UInt8]? {
        let digits = text.utf8Span.span
        guard digits.count.isMultiple(of: 2) else { return nil }
        var result: [UInt8] = []
        result.reserveCapacity(digits.count / 2)
        for at in stride(from: 0, to: digits.count, by: 2) {
            guard let high = value(of: digits[at]), let low = value(of: digits[at + 1]) else {
                return nil
            }
            result.append(high << 4 | low)
        }
        return result
    }
}
