/// Some rows of a table: those among which a search looks.
public struct RowSet: Hashable, Sendable {
    /// The rows as ranges, ascending, with rows that are not in the set between them.
    public private(set) var ranges: [Range<Int>] = []
    /// The number of rows.
    public private(set) var count = 0

    /// No rows.
    public init() {}

    /// All rows of a table of so many.
    public init(all rows: Int) { insert(0..<rows) }

    /// Adds rows above all rows so far.
    public mutating func append(_ row: Int) { insert(row..<row + 1) }

    /// Adds the rows of another set, all above the rows so far.
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

    /// Whether a row is in the set: O(log n).
    public func contains(_ row: Int) -> Bool {
        let index = firstRange(endingAbove: row)
        return index < ranges.count && ranges[index].lowerBound <= row
    }

    /// The row at a place among the rows in order: O(ranges).
    public subscript(place: Int) -> Int {
        precondition(place >= 0 && place < count, "a place in the set")
        var rest = place
        for range in ranges {
            if rest < range.count { return range.lowerBound + rest }
            rest -= range.count
        }
        preconditionFailure("the ranges hold as many rows as they count")
    }

    /// The ranges within bounds, cut at them.
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

/// Asks of ascending rows which of them are in some ranges, each step of which is O(1) in the mean.
struct RowWalk {
    private let ranges: [Range<Int>]
    private var next = 0

    init(_ ranges: [Range<Int>]) { self.ranges = ranges }

    /// Whether no further row can be in the ranges.
    var isAtEnd: Bool { next == ranges.count }

    /// Whether a row is in the ranges; it must not lie before one that was asked for.
    mutating func reaches(_ row: Int) -> Bool {
        while next < ranges.count, ranges[next].upperBound <= row { next += 1 }
        return next < ranges.count && ranges[next].contains(row)
    }
}
