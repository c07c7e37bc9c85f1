internal import Objects

/// 128 random bits, written as 32 lower-case hexadecimal digits: the identity of a repository, and
/// what makes each entry of its log unlike every other.
public struct RandomBits: Hashable, Sendable, CustomStringConvertible {
    /// The number of bytes.
    static let byteCount = 16

    /// 32 lower-case hexadecimal digits.
    public let hex: String

    /// Reads 32 lower-case hexadecimal digits, or gives nil.
    public init?(hex text: some StringProtocol) {
        guard Hexadecimal.decode(String(text))?.count == Self.byteCount else { return nil }
        hex = String(text)
    }

    /// Draws bits from a source of randomness.
    public init(from random: () -> UInt64) {
        var bytes: [UInt8] = []
        for word in [random(), random()] {
            for shift in stride(from: 56, through: 0, by: -8) {
                bytes.append(UInt8(truncatingIfNeeded: word >> UInt64(shift)))
            }
        }
        hex = Hexadecimal.encode(bytes)
    }

    /// The 16 bytes.
    var bytes: [UInt8] { Hexadecimal.decode(hex) ?? [] }

    /// Same as ``hex``.
    public var description: String { hex }
}
