/// The identity of an object: the SHA-256 of its bytes and of nothing else.
public struct ObjectID: Hashable, Comparable, Sendable, CustomStringConvertible {
    // Four big-endian words: comparing them compares the digest's bytes.
    let word0, word1, word2, word3: UInt64

    /// The number of bytes in an identity.
    public static let byteCount = 32

    init(_ word0: UInt64, _ word1: UInt64, _ word2: UInt64, _ word3: UInt64) {
        self.word0 = word0
        self.word1 = word1
        self.word2 = word2
        self.word3 = word3
    }

    /// Reads an identity from 32 bytes that start at `offset`.
    ///
    /// The range must lie inside `bytes`; it traps otherwise.
    public init(bytes: Span<UInt8>, at offset: Int = 0) {
        precondition(offset >= 0 && offset + Self.byteCount <= bytes.count, "32 bytes are needed")
        func word(_ start: Int) -> UInt64 {
            var value: UInt64 = 0
            for index in start..<start + 8 { value = value << 8 | UInt64(bytes[index]) }
            return value
        }
        self.init(word(offset), word(offset + 8), word(offset + 16), word(offset + 24))
    }

    /// Reads 64 lower-case hexadecimal digits, or gives nil: no other spelling is accepted.
    public init?(hex text: some StringProtocol) {
        self.init(hex: String(text))
    }

    /// Reads 64 lower-case hexadecimal digits, or gives nil.
    public init?(hex text: String) {
        self.init(hex: text.utf8Span.span)
    }

    /// Reads 64 lower-case hexadecimal digits, or gives nil.
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

    /// The first 12 digits, for people to read; never stored.
    public var short: String { String(hex.prefix(12)) }

    /// Same as ``hex``.
    public var description: String { hex }

    /// Orders identities as their bytes.
    public static func < (left: ObjectID, right: ObjectID) -> Bool {
        if left.word0 != right.word0 { return left.word0 < right.word0 }
        if left.word1 != right.word1 { return left.word1 < right.word1 }
        if left.word2 != right.word2 { return left.word2 < right.word2 }
        return left.word3 < right.word3
    }

    /// Hashes the first word: an identity is uniform already.
    public func hash(into hasher: inout Hasher) { hasher.combine(word0) }
}

/// The first digits of an identity, as people shorten it.
public struct ObjectIDPrefix: Hashable, Sendable, CustomStringConvertible {
    /// The digits, lower-case hexadecimal.
    public let hex: String
    /// The least identity that begins so.
    public let lowest: ObjectID

    /// The fewest digits that name anything: fewer match too much to be meant.
    public static let minimumDigits = 4

    /// Reads 4 to 62 lower-case hexadecimal digits, or all 64; gives nil for anything else.
    ///
    /// 63 digits are an identity that lost one.
    public init?(hex text: some StringProtocol) {
        let count = text.utf8.count
        guard (Self.minimumDigits...64).contains(count), count != 63,
            let lowest = ObjectID(hex: text + String(repeating: "0", count: 64 - count))
        else { return nil }
        hex = String(text)
        self.lowest = lowest
    }

    /// A whole identity.
    public init(_ id: ObjectID) {
        hex = id.hex
        lowest = id
    }

    /// The identity, when all of it is given.
    public var whole: ObjectID? { hex.utf8.count == 64 ? lowest : nil }

    /// Whether an identity begins so.
    public func matches(_ id: ObjectID) -> Bool { id.hex.utf8.starts(with: hex.utf8) }

    /// Same as ``hex``.
    public var description: String { hex }
}

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
