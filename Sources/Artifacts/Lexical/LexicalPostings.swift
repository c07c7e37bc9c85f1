/// The postings of consecutive rows, grouped by term.
///
/// A bucket holds the postings of all terms with the same high bits, in row order; a lookup skips the few postings of
/// other terms. Combining segments therefore takes two passes and no dictionary.
///
/// Pointers are confined to this file: each posting is written once, at a place computed beforehand.
struct LexicalPostings: Sendable {
    /// A posting with only 16 bits of its term: those below the high bits that its bucket implies.
    ///
    /// Postings with fewer than 2^16 buckets drop the lowest bits, so that a few more terms share postings.
    fileprivate struct Posting: Sendable {
        let row: UInt16
        let low: UInt16
        let text: UInt8
        let above: UInt8
    }

    /// Earlier postings, and where their rows are now.
    struct Kept {
        let postings: LexicalPostings
        /// The new index of each row; ``noRow`` for one that is gone. The indices ascend, and those of another source
        /// are all below or all above them.
        let rows: [UInt16]
    }

    /// The most rows; a row's index takes two bytes.
    static let rowLimit = Int(UInt16.max)
    /// What stands for a row that is gone.
    static let noRow = UInt16.max

    fileprivate let shift: UInt32
    fileprivate let starts: [UInt32]
    fileprivate let postings: [Posting]

    /// Combines earlier postings and segments; nil where the earlier ones dropped bits of their terms that are needed
    /// among so many postings, and the segments of all rows must be combined.
    ///
    /// The result does not depend on which rows come from earlier postings.
    ///
    /// - Parameter segments: The segments, in row order, and the index of the first row of each.
    init?(_ kept: [Kept], and segments: [(segment: LexicalSegment, firstRow: Int)]) {
        let counts = kept.map { $0.bucketCounts }
        let total =
            counts.joined().reduce(0) { $0 + Int($1) }
            + segments.reduce(0) { $0 + $1.segment.postings.count }
        // Aims for about 200 postings per bucket.
        let bits = max(8, min(16, Int.bitWidth - (total / 200).leadingZeroBitCount))
        let shift = UInt32(32 - bits)
        guard kept.allSatisfy({ $0.postings.shift <= shift }) else { return nil }
        var starts = [UInt32](repeating: 0, count: (1 << bits) + 1)
        for (kept, counts) in zip(kept, counts) {
            for (bucket, count) in counts.enumerated() {
                starts[kept.postings.bucket(bucket, shift) + 1] += count
            }
        }
        for (segment, _) in segments {
            for posting in segment.postings { starts[Int(posting.term >> shift) + 1] += 1 }
        }
        for bucket in 1..<starts.count { starts[bucket] += starts[bucket - 1] }
        (self.shift, self.starts) = (shift, starts)
        var ends = starts
        postings = Array(unsafeUninitializedCapacity: total) { buffer, initialized in
            ends.withUnsafeMutableBufferPointer { ends in
                for kept in kept { kept.copy(to: buffer, ends, shift: shift) }
            }
            let middles = ends
            ends.withUnsafeMutableBufferPointer { ends in
                for (segment, firstRow) in segments {
                    Self.copy(segment, firstRow, to: buffer, ends, shift: shift)
                }
            }
            initialized = total
            guard !kept.isEmpty else { return }
            let isInOrder = kept.allSatisfy { $0.postings.shift == shift }
            for bucket in 0..<starts.count - 1 {
                let range = Int(starts[bucket])..<Int(starts[bucket + 1])
                if isInOrder {
                    Self.merge(buffer, range, at: Int(middles[bucket]))
                } else {
                    buffer[range].sort { $0.row < $1.row }
                }
            }
        }
    }

    /// Appends the postings of a segment to their buckets, each of which ends at one of `ends`.
    private static func copy(
        _ segment: LexicalSegment, _ firstRow: Int, to buffer: UnsafeMutableBufferPointer<Posting>,
        _ ends: UnsafeMutableBufferPointer<UInt32>, shift: UInt32
    ) {
        segment.postings.withUnsafeBufferPointer { postings in
            var index = 0
            for (offset, entry) in segment.rows.enumerated() {
                let row = UInt16(firstRow + offset)
                while index < entry.end {
                    let posting = postings[index]
                    let bucket = Int(posting.term >> shift)
                    let low = UInt16(truncatingIfNeeded: posting.term >> (shift - 16))
                    buffer.initializeElement(
                        at: Int(ends[bucket]),
                        to: Posting(row: row, low: low, text: posting.text, above: posting.above))
                    ends[bucket] += 1
                    index += 1
                }
            }
        }
    }

    /// Merges the two halves of a bucket, each in row order; the second is short.
    private static func merge(
        _ buffer: UnsafeMutableBufferPointer<Posting>, _ range: Range<Int>, at middle: Int
    ) {
        guard middle > range.lowerBound, middle < range.upperBound else { return }
        var added = Array(buffer[middle..<range.upperBound])
        var (from, to) = (middle - 1, range.upperBound - 1)
        while let last = added.last {
            if from >= range.lowerBound, buffer[from].row > last.row {
                buffer[to] = buffer[from]
                from -= 1
            } else {
                buffer[to] = last
                added.removeLast()
            }
            to -= 1
        }
    }

    /// The bucket that has the terms of one of these buckets where a bucket has more terms.
    fileprivate func bucket(_ bucket: Int, _ shift: UInt32) -> Int {
        Int((UInt32(bucket) << self.shift) >> shift)
    }

    /// Calls `body` with each row that contains a term and the term's frequency there, in row order.
    @inline(__always)
    func forEachRow(of term: UInt32, _ body: (_ row: Int, _ frequency: Float) -> Void) {
        let bucket = Int(term >> shift)
        let low = UInt16(truncatingIfNeeded: term >> (shift - 16))
        for index in Int(starts[bucket])..<Int(starts[bucket + 1]) {
            let posting = postings[index]
            guard posting.low == low else { continue }
            body(Int(posting.row), LexicalScore.frequency(posting.text, above: posting.above))
        }
    }
}

extension LexicalPostings.Kept {
    /// The number of postings of each bucket whose rows are not gone.
    fileprivate var bucketCounts: [UInt32] {
        postings.postings.withUnsafeBufferPointer { old in
            rows.withUnsafeBufferPointer { rows in
                (0..<postings.starts.count - 1).map { bucket in
                    var count: UInt32 = 0
                    for index in Int(postings.starts[bucket])..<Int(postings.starts[bucket + 1]) {
                        count += rows[Int(old[index].row)] == LexicalPostings.noRow ? 0 : 1
                    }
                    return count
                }
            }
        }
    }

    /// Appends the postings whose rows are not gone to their buckets, each of which ends at one of `ends`.
    fileprivate func copy(
        to buffer: UnsafeMutableBufferPointer<LexicalPostings.Posting>,
        _ ends: UnsafeMutableBufferPointer<UInt32>, shift: UInt32
    ) {
        postings.postings.withUnsafeBufferPointer { postings in
            rows.withUnsafeBufferPointer { rows in
                for old in 0..<self.postings.starts.count - 1 {
                    let bucket = self.postings.bucket(old, shift)
                    // The high bits of a term are in the number of its bucket.
                    let high = UInt32(old) << self.postings.shift
                    let range = self.postings.starts[old]..<self.postings.starts[old + 1]
                    var end = Int(ends[bucket])
                    for index in Int(range.lowerBound)..<Int(range.upperBound) {
                        let posting = postings[index]
                        let row = rows[Int(posting.row)]
                        guard row != LexicalPostings.noRow else { continue }
                        let term = high | UInt32(posting.low) << (self.postings.shift - 16)
                        buffer.initializeElement(
                            at: end,
                            to: LexicalPostings.Posting(
                                row: row, low: UInt16(truncatingIfNeeded: term >> (shift - 16)),
                                text: posting.text, above: posting.above))
                        end += 1
                    }
                    ends[bucket] = UInt32(end)
                }
            }
        }
    }
}
