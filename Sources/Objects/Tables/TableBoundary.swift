/// Decides where the nodes of a table end.
///
/// The items of a level (rows in leaves, entries in inner nodes) are taken in order. With `w` the item's
/// weight (its encoded bytes) and `s` the weight since the last cut, this item included:
///
/// - no cut while `s < target / 4`;
/// - always a cut once `s >= 4 * target`;
/// - else a cut when `hash(key, level) / 2^64 < w / target * (s < target ? 1/2 : 4)`, which in whole
///   numbers is `high64(hash * 2 * target) < w * (s < target ? 1 : 8)`.
///
/// `hash(key, level)` is FNV-1a (64 bits) of the key's bytes, plus `(level + 1) * 0x9E3779B97F4A7C15`,
/// through the finaliser of SplitMix64. The level is part of it because the keys that reach an inner
/// level are those whose hash was low on the level below.
///
/// So a cut depends on nothing but the keys and sizes since the cut before it. Equal rows give equal
/// nodes whoever builds them, and a change in one place soon meets an old cut again.
struct TableBoundary: Sendable {
    /// Bytes of a leaf, about, that the rule aims at.
    ///
    /// One changed row rewrites one leaf, and a lookup reads one, so small is good; every leaf costs an
    /// entry, a digest and a read, so large is good. Of 16, 32 and 64 KiB at a million rows, 32 built and
    /// scanned like 64 and rewrote half as much.
    static let leafTarget = 32 << 10

    /// Bytes of an inner node, about, that the rule aims at.
    ///
    /// Every change rewrites a path of them, so they are smaller than leaves; an entry has 50 to 100
    /// bytes, so about a hundred children keep a million rows within three levels.
    static let innerTarget = 8 << 10

    private let target: Int
    private let salt: UInt64
    private var size = 0

    /// Begins a level: 0 for leaves.
    init(level: Int) {
        target = level == 0 ? Self.leafTarget : Self.innerTarget
        salt = Self.salt(level: level)
    }

    /// Takes the next item of the level and says whether a node ends after it.
    mutating func cuts(after key: Span<UInt8>, weight: Int) -> Bool {
        size += weight
        guard size >= target / 4 else { return false }
        return cuts(afterKeyWithHash: Self.hash(key, salt: salt), grownBy: weight)
    }

    /// The same for a row of a leaf whose key's hash is known.
    mutating func cuts(afterKeyWithHash hash: UInt64, weight: Int) -> Bool {
        size += weight
        guard size >= target / 4 else { return false }
        return cuts(afterKeyWithHash: hash, grownBy: weight)
    }

    private mutating func cuts(afterKeyWithHash hash: UInt64, grownBy weight: Int) -> Bool {
        guard size < 4 * target else {
            size = 0
            return true
        }
        let scaled = hash.multipliedFullWidth(by: UInt64(2 * target)).high
        guard scaled < UInt64(weight * (size < target ? 1 : 8)) else { return false }
        size = 0
        return true
    }

    private static func salt(level: Int) -> UInt64 { UInt64(level + 1) &* 0x9E37_79B9_7F4A_7C15 }

    /// The hash of a key at level 0.
    static func hash(ofLeafKey key: Span<UInt8>) -> UInt64 { hash(key, salt: salt(level: 0)) }

    private static func hash(_ key: Span<UInt8>, salt: UInt64) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for index in key.indices { hash = (hash ^ UInt64(key[index])) &* 0x100_0000_01B3 }
        hash = hash &+ salt
        hash = (hash ^ hash >> 30) &* 0xBF58_476D_1CE4_E5B9
        hash = (hash ^ hash >> 27) &* 0x94D0_49BB_1331_11EB
        return hash ^ hash >> 31
    }
}
