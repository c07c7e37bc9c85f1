internal import Objects

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
        let index = ranges.binarySearch { $0.upperBound <= row }
        return index < ranges.count && ranges[index].lowerBound <= row
    }

    /// The row at an index of the ordered set, in O(ranges).
    public subscript(place: Int) -> Int {
        precondition(place >= 0 && place < count, "the index is within the set")
        var rest = place
        for range in ranges {
            if rest < range.count { return range.lowerBound + rest }
            rest -= range.count
        }
        preconditionFailure("the ranges hold `count` rows")
    }

    /// The ranges clipped to bounds.
    func ranges(within bounds: Range<Int>) -> [Range<Int>] {
        ranges[ranges.binarySearch { $0.upperBound <= bounds.lowerBound }...]
            .prefix { $0.lowerBound < bounds.upperBound }
            .map { $0.clamped(to: bounds) }
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
