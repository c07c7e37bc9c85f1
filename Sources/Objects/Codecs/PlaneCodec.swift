internal import CKernels
internal import Glibc

/// Splits fixed-width numbers into byte planes and codes each plane separately.
///
/// Stored form: the width `w` (2 or 4), a bit set of the planes stored uncompressed, two zero bytes,
/// the stored length of each plane as a little-endian u32, the planes in order of significance (lowest
/// first), then the remaining bytes if the size is not a multiple of `w`. A plane outside the bit set is one zstd
/// frame.
enum PlaneCodec {
    /// A plane with more bits per byte is stored uncompressed: coding would save less than 5 %.
    private static let codableBits = 7.6

    private static func headerSize(width: Int) -> Int { 4 + 4 * width }

    /// Appends the stored form; appends nothing and returns false if it would not be shorter.
    static func encode(
        _ bytes: Span<UInt8>, width: Int, bits: [Double], zstd: Zstd, to output: inout [UInt8]
    ) -> Bool {
        let count = bytes.count / width
        let start = output.count
        guard count > 0, bits.contains(where: { $0 < codableBits }) else { return false }
        let planes = split(bytes, count: count, width: width)
        output.append(UInt8(width))
        output.append(0)
        output.append(contentsOf: repeatElement(0, count: 2 + 4 * width))
        var storedPlanes: UInt8 = 0
        for plane in 0..<width {
            let span = planes.span.extracting(plane * count..<(plane + 1) * count)
            var length = count
            if bits[plane] < codableBits,
                let coded = zstd.compress(span, profile: .entropy, limit: count - 1, to: &output)
            {
                length = coded
            } else {
                storedPlanes |= 1 << UInt8(plane)
                output.append(contentsOf: planes[plane * count..<(plane + 1) * count])
            }
            LittleEndian.set(UInt32(length), at: start + 4 + 4 * plane, in: &output)
        }
        output[start + 1] = storedPlanes
        LittleEndian.append(bytes.extracting(count * width..<bytes.count), to: &output)
        guard output.count - start < bytes.count else {
            output.removeLast(output.count - start)
            return false
        }
        return true
    }

    /// Decodes a stored form, which fills `stored`, to exactly `size` bytes.
    static func decode(
        _ stored: Span<UInt8>, size: Int, zstd: Zstd
    ) throws(CodecError) -> [UInt8] {
        guard stored.count >= 4, stored[0] == 2 || stored[0] == 4, stored[2] == 0, stored[3] == 0
        else { throw CodecError("it has no valid plane header") }
        let width = Int(stored[0])
        let storedPlanes = stored[1]
        let count = size / width
        guard storedPlanes >> UInt8(width) == 0, stored.count >= headerSize(width: width) else {
            throw CodecError("it has no valid plane header")
        }
        var planes: [Range<Int>] = []
        var offset = headerSize(width: width)
        for plane in 0..<width {
            let length = Int(LittleEndian.uint32(stored, at: 4 + 4 * plane))
            guard length <= stored.count - offset else { throw CodecError("a plane is truncated") }
            guard storedPlanes >> UInt8(plane) & 1 == 0 || length == count else {
                throw CodecError("a plane has the wrong length")
            }
            planes.append(offset..<offset + length)
            offset += length
        }
        guard stored.count - offset == size - count * width else {
            throw CodecError("the planes do not fill the piece")
        }
        var bytes = try join(
            planes, of: stored, areStored: storedPlanes, count: count, size: size, zstd: zstd)
        LittleEndian.append(stored.extracting(offset..<stored.count), to: &bytes)
        return bytes
    }

    private static func split(_ bytes: Span<UInt8>, count: Int, width: Int) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: count * width) { buffer, initialized in
            if let planes = buffer.baseAddress {
                bytes.withUnsafeBufferPointer {
                    guard let numbers = $0.baseAddress else { return }
                    fti_split_planes(numbers, count, Int32(width), planes)
                }
            }
            initialized = count * width
        }
    }

    /// Joins planes into numbers, in an array with capacity for `size` bytes; `planes` are the ranges of the planes in
    /// `stored`.
    ///
    /// Reads uncompressed planes in place and the others from the buffer into which they are decoded, so that only the
    /// join copies bytes.
    private static func join(
        _ planes: [Range<Int>], of stored: Span<UInt8>, areStored: UInt8, count: Int, size: Int,
        zstd: Zstd
    ) throws(CodecError) -> [UInt8] {
        let coded = planes.count - areStored.nonzeroBitCount
        var isSound = true
        let numbers = [UInt8](unsafeUninitializedCapacity: size) { numbers, initialized in
            guard count > 0, let target = numbers.baseAddress else { return }
            withUnsafeTemporaryAllocation(of: UInt8.self, capacity: coded * count) { scratch in
                stored.withUnsafeBufferPointer { source in
                    var pointers: [UnsafePointer<UInt8>?] = []
                    var used = 0
                    for (index, plane) in planes.enumerated() {
                        if areStored >> UInt8(index) & 1 == 1 {
                            pointers.append(source.baseAddress.map { $0 + plane.lowerBound })
                            continue
                        }
                        let buffer = UnsafeMutableBufferPointer(
                            rebasing: scratch[used..<used + count])
                        isSound =
                            isSound && zstd.decompress(stored.extracting(plane), into: buffer)
                        pointers.append(UnsafePointer(buffer.baseAddress))
                        used += count
                    }
                    guard isSound else { return }
                    fti_join_planes(pointers, count, Int32(planes.count), target)
                    initialized = count * planes.count
                }
            }
        }
        guard isSound else { throw CodecError("a plane is not a zstd frame of \(count) bytes") }
        return numbers
    }
}

/// The order-0 entropy of a piece's bytes by position, from a sample: it distinguishes text from numbers, and 16-bit
/// from 32-bit numbers, without trusting a header.
struct LaneEntropy {
    /// The width of the numbers that fits the bytes best: 4 or 2; 1 if they are not numbers.
    let width: Int
    /// The entropy in bits per byte, at most 8: of each plane if ``width`` is 2 or 4, of all bytes if it is 1.
    let bits: [Double]

    /// The number of groups of four bytes in the sample: 4 KiB are enough to classify every piece of the test models.
    private static let samples = 1024
    /// A finer split is chosen only if it lowers the mean entropy by more than this, in bits per byte.
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

    /// A table of n log2 n for every possible count n: without it, logarithms took a tenth of the time of storing small
    /// files.
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
