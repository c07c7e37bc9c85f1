internal import CKernels

#if canImport(Glibc)
    internal import Glibc
#endif

/// The order-0 entropy of a piece's bytes by their position, from a sample: it tells text from numbers
/// and 16-bit numbers from 32-bit ones, whatever a header claims.
struct LaneEntropy {
    /// The width that explains the bytes best: 4 or 2 for numbers, 1 for anything else.
    let width: Int
    /// Bits a byte, at most 8: of each plane when ``width`` is 2 or 4, of all bytes together when it is 1.
    let bits: [Double]

    /// Groups of four bytes in the sample: 4 KiB are enough to classify every piece of the test models.
    private static let samples = 1024
    /// How much lower the mean entropy must be, in bits a byte, for a finer split to be believed.
    private static let margin = 0.25

    init(of bytes: Span<UInt8>) {
        var counts = [UInt32](repeating: 0, count: 1024)
        bytes.withUnsafeBufferPointer {
            fti_lane_histogram($0.baseAddress, $0.count, Self.samples, &counts)
        }
        let lanes = (0..<4).map { Self.entropy(counts, lanes: [$0]) }
        let pairs = [Self.entropy(counts, lanes: [0, 2]), Self.entropy(counts, lanes: [1, 3])]
        let whole = Self.entropy(counts, lanes: [0, 1, 2, 3])
        let lanesMean = lanes.reduce(0, +) / 4
        let pairsMean = pairs.reduce(0, +) / 2
        if lanesMean < pairsMean - Self.margin, lanesMean < whole - Self.margin {
            (width, bits) = (4, lanes)
        } else if pairsMean < whole - Self.margin {
            (width, bits) = (2, pairs)
        } else {
            (width, bits) = (1, [whole])
        }
    }

    /// n log2 n for every count that a sample can have: logarithms took a tenth of the time of storing small files.
    private static let weighted = (0...4 * samples).map { count in
        count == 0 ? 0 : Double(count) * log2(Double(count))
    }

    private static func entropy(_ counts: [UInt32], lanes: [Int]) -> Double {
        let weighted = weighted
        var total = 0
        var sum = 0.0
        for value in 0..<256 {
            var count = 0
            for lane in lanes { count += Int(counts[256 * lane + value]) }
            total += count
            sum += weighted[count]
        }
        return total == 0 ? 0 : (weighted[total] - sum) / Double(total)
    }
}
