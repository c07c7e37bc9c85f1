/// The 64-bit hash that names a word, a stem, a pair of words or a run of characters: FNV-1a
/// (Fowler, Noll and Vo), finished with the mixer of SplitMix64 (Steele, Lea and Flood, 2014).
///
/// For bytes or other numbers s1...sn and a seed: h = seed; for each s: h = (h xor s) x
/// 0x100000001B3 (mod 2^64); the hash is mix(h). A text is hashed as its UTF-8.
public struct FeatureHash: Sendable {
    @usableFromInline var state: UInt64

    /// Begins with a seed: features of different kinds have different seeds.
    @inlinable
    public init(seed: UInt64 = 0xCBF2_9CE4_8422_2325) { state = seed }

    /// Adds a byte, or any other number.
    @inlinable
    public mutating func add(_ value: UInt64) { state = (state ^ value) &* 0x100_0000_01B3 }

    /// The hash of what was added so far; more can be added afterwards.
    @inlinable
    public var value: UInt64 {
        var mixed = state &+ 0x9E37_79B9_7F4A_7C15
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// The hash of bytes.
    @inlinable
    public static func of(
        _ bytes: some Sequence<UInt8>, seed: UInt64 = 0xCBF2_9CE4_8422_2325
    ) -> UInt64 {
        var hash = FeatureHash(seed: seed)
        for byte in bytes { hash.add(UInt64(byte)) }
        return hash.value
    }

    /// The hash of a text's UTF-8.
    @inlinable
    public static func of(_ text: String, seed: UInt64 = 0xCBF2_9CE4_8422_2325) -> UInt64 {
        of(text.utf8, seed: seed)
    }
}
