/// Counts hashed features of one text and keeps them in the order of their first occurrence, so that sums
/// over them have one order.
struct FeatureCounts {
    struct Feature {
        let hash: UInt64
        let weight: Float
        var count: Int
    }

    private(set) var features: [Feature] = []
    // Indices into `features` plus one, by open addressing; at most half full.
    private var slots: [UInt32]
    private let mask: Int

    /// Makes room for `capacity` different features; more must not be added.
    init(capacity: Int) {
        var size = 64
        while size < capacity * 2 { size *= 2 }
        slots = [UInt32](repeating: 0, count: size)
        mask = size - 1
        features.reserveCapacity(capacity)
    }

    @inline(__always)
    mutating func add(_ hash: UInt64, weight: Float) {
        var slot = Int(truncatingIfNeeded: hash) & mask
        while true {
            let index = slots[slot]
            if index == 0 {
                features.append(Feature(hash: hash, weight: weight, count: 1))
                slots[slot] = UInt32(features.count)
                return
            }
            if features[Int(index) - 1].hash == hash {
                features[Int(index) - 1].count += 1
                return
            }
            slot = (slot + 1) & mask
        }
    }
}
