internal import Objects

/// The public half of an Ed25519 key: who may have signed something.
public struct PublicKey: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The 32 bytes, as RFC 8032 encodes them.
    public let bytes: [UInt8]

    /// Reads 64 lower-case hexadecimal digits; nil for anything else, and for the few values that would pass for the
    /// signer of every message.
    public init?(hex text: some StringProtocol) {
        guard let bytes = Hexadecimal.decode(String(text)) else { return nil }
        self.init(bytes: bytes)
    }

    init?(bytes: [UInt8]) {
        guard Ed25519.isAcceptable(point: bytes) else { return nil }
        self.bytes = bytes
    }

    /// 64 lower-case hexadecimal digits.
    public var hex: String { Hexadecimal.encode(bytes) }

    /// The first 12 digits, for people to read; never stored.
    public var short: String { String(hex.prefix(12)) }

    /// Same as ``hex``.
    public var description: String { hex }

    /// Orders keys as their bytes.
    public static func < (left: PublicKey, right: PublicKey) -> Bool {
        left.bytes.lexicographicallyPrecedes(right.bytes)
    }
}
