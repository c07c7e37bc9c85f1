/// A set of rows of a table, which restricts a search.
public struct RowSet: Hashable, Sendable {
    /// The rows as ascending ranges; two ranges never touch.
    public private(set) var ranges: [Range<Int>] = []
    /// The number of rows.
    public private(set) var count = 0

    /// Makes an empty set.
    public init() {}

    /// Makes a set of all rows of a table.
    public init(all rows: Int) { insert(0..<rows) }

    /// Adds a row above all rows so far.
    public mutating func append(_ row: Int) { insert(row..<row + 1) }

    /// Adds the rows of another set, which must lie above all rows so far.
    public mutating func append(_ other: RowSet) { for range in other.ranges { insert(range) } }

    private mutating func insert(_ range: Range<Int>) {
        guard !range.isEmpty else { return }
        count += range.count
        guard let last = ranges.last else {
            ranges.append(range)
            return
        }
        precondition(last.upperBound <= range.lowerBound, "rows are added in ascending order")
        if last.upperBound == range.lowerBound {
            ranges[ranges.count - 1] = last.lowerBound..<range.upperBound
        } else {
            ranges.append(range)
        }
    }

    /// Whether a row is in the set, in O(log n).
    public func contains(_ row: Int) -> Bool {
        let index = firstRange(endingAbove: row)
        return index < ranges.count && ranges[index].lowerBound <= row
    }

    /// The row at an index of the ordered set, in O(ranges).
    public subscript(place: Int) -> Int {
        precondition(place >= 0 && place < count, "a place in the set")
        var rest = place
        for range in ranges {
            if rest < range.count { return range.lowerBound + rest }
            rest -= range.count
        }
        preconditionFailure("the ranges hold as many rows as they count")
    }

    /// The ranges clipped to bounds.
    func ranges(within bounds: Range<Int>) -> [Range<Int>] {
        ranges[firstRange(endingAbove: bounds.lowerBound)...]
            .prefix { $0.lowerBound < bounds.upperBound }
            .map { $0.clamped(to: bounds) }
    }

    private func firstRange(endingAbove row: Int) -> Int {
        var low = 0
        var high = ranges.count
        while low < high {
            let middle = (low + high) / 2
            if ranges[middle].upperBound > row { high = middle } else { low = middle + 1 }
        }
        return low
    }
}

/// Tests ascending rows against ranges, in amortised constant time.
struct RowWalk {
    private let ranges: [Range<Int>]
    private var next = 0

    init(_ ranges: [Range<Int>]) { self.ranges = ranges }

    /// Whether no later row can be in the ranges.
    var isAtEnd: Bool { next == ranges.count }

    /// Whether a row is in the ranges; rows must be tested in ascending order.
    mutating func reaches(_ row: Int) -> Bool {
        while next < ranges.count, ranges[next].upperBound <= row { next += 1 }
        return next < ranges.count && ranges[next].contains(row)
    }
}
