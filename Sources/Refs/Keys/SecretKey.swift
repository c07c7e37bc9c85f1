internal import Objects

/// The secret half of an Ed25519 key. Nothing prints it: neither interpolation, `dump` nor `debugPrint`.
public struct SecretKey: Sendable, CustomStringConvertible, CustomDebugStringConvertible,
    CustomReflectable
{
    /// What its owner calls it.
    public let name: String
    /// The half that others may know.
    public let publicKey: PublicKey
    private let seed: Seed

    /// The 32 secret bytes, held once.
    private final class Seed: Sendable {
        let bytes: [UInt8]
        init(_ bytes: [UInt8]) { self.bytes = bytes }
    }

    /// Draws a new key.
    ///
    /// - Parameter random: 64 random bits that nobody can guess at each call.
    public init(
        name: String, random: () -> UInt64 = { UInt64.random(in: .min ... .max) }
    ) throws(KeyError) {
        try self.init(
            name: name, seed: RandomBits(from: random).bytes + RandomBits(from: random).bytes)
    }

    init(name: String, seed: [UInt8]) throws(KeyError) {
        guard let bytes = Ed25519.publicKey(seed: seed), let publicKey = PublicKey(bytes: bytes)
        else { throw .unavailable }
        self.name = name
        self.publicKey = publicKey
        self.seed = Seed(seed)
    }

    /// The signature of a message.
    func sign(_ message: [UInt8]) throws(KeyError) -> Signature {
        guard let bytes = Ed25519.sign(message, seed: seed.bytes) else { throw .unavailable }
        return Signature(key: publicKey, bytes: bytes)
    }

    /// The bytes of its file.
    var secretBytes: [UInt8] { seed.bytes }

    /// `***`
    public var description: String { "***" }
    /// `***`
    public var debugDescription: String { "***" }
    /// Nothing.
    public var customMirror: Mirror { Mirror(self, children: []) }
}
