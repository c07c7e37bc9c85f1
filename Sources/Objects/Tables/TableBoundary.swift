/// Decides where the nodes of a table end.
///
/// The rule takes the items of a level (rows in leaves, entries in inner nodes) in order. Let `w` be the item's
/// weight (its encoded bytes) and `s` the weight since the last cut, including this item:
///
/// - there is no cut while `s < target / 4`;
/// - there is always a cut once `s >= 4 * target`;
/// - otherwise there is a cut when `hash(key, level) / 2^64 < w / target * (s < target ? 1/2 : 4)`, in whole numbers
///   `high64(hash * 2 * target) < w * (s < target ? 1 : 8)`.
///
/// `hash(key, level)` is the 64-bit FNV-1a hash of the key's bytes, plus `(level + 1) * 0x9E3779B97F4A7C15`, put
/// through the finaliser of SplitMix64. It depends on the level because a key that ends a node has a low hash on that
/// level; with the same hash, the level above would cut after nearly every entry.
///
/// So a cut depends only on the keys and sizes since the cut before it. Equal rows give equal nodes on every machine,
/// and after a change the old cuts soon recur.
struct TableBoundary: Sendable {
    /// The approximate size of a leaf in bytes.
    ///
    /// A changed row rewrites one leaf and a lookup reads one, which favours small leaves. Each leaf costs an entry,
    /// a digest and a read, which favours large ones. Measured with 16, 32 and 64 KiB at a million rows, 32 KiB built
    /// and scanned as fast as 64 KiB and rewrote half as much.
    static let leafTarget = 32 << 10

    /// The approximate size of an inner node in bytes.
    ///
    /// Inner nodes are smaller than leaves because each change rewrites a path of them. An entry has 50 to 100 bytes,
    /// so a node has about a hundred children, and three levels hold a million rows.
    static let innerTarget = 8 << 10

    private let target: Int
    private let salt: UInt64
    private var size = 0

    /// Begins a level; leaves are level 0.
    init(level: Int) {
        target = level == 0 ? Self.leafTarget : Self.innerTarget
        salt = Self.salt(level: level)
    }

    /// Takes the next item of the level; returns whether a node ends after it.
    mutating func cuts(after key: Span<UInt8>, weight: Int) -> Bool {
        size += weight
        guard size >= target / 4 else { return false }
        return cuts(afterKeyWithHash: Self.hash(key, salt: salt), grownBy: weight)
    }

    /// Takes the next row of a leaf, given the hash of its key; returns whether the leaf ends after it.
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
