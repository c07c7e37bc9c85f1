/// The 64-bit hash that names a word, a pair of words or a run of characters: FNV-1a taken over Unicode
/// scalars instead of bytes (Fowler, Noll and Vo), finished with the mixer of SplitMix64 (Steele, Lea and
/// Flood, 2014).
///
/// For scalars s1...sn and a seed: h = seed; for each s: h = (h xor s) x 0x100000001B3 (mod 2^64);
/// the hash is mix(h).
public struct FeatureHash: Sendable {
    private var state: UInt64

    /// Begins with a seed: features of different sorts have different seeds.
    @inline(__always)
    public init(seed: UInt64 = 0xCBF2_9CE4_8422_2325) { state = seed }

    /// Adds a scalar, or any other number.
    @inline(__always)
    public mutating func add(_ value: UInt64) { state = (state ^ value) &* 0x100_0000_01B3 }

    /// The hash of what was added so far; more can be added afterwards.
    @inline(__always)
    public var value: UInt64 {
        var mixed = state &+ 0x9E37_79B9_7F4A_7C15
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// The hash of text, scalar by scalar.
    public static func of(_ text: String, seed: UInt64 = 0xCBF2_9CE4_8422_2325) -> UInt64 {
        var hash = FeatureHash(seed: seed)
        for scalar in text.unicodeScalars { hash.add(UInt64(scalar.value)) }
        return hash.value
    }
}
