/// A value that a number stands for, so that many of them are compared without branches that surprise the processor.
protocol RankCoded: Sendable {
    /// The number: greater for a greater value, and 0 for one that has no rank, such as NaN.
    var rankCode: UInt64 { get }
    /// The value that a number stands for.
    init(rankCode: UInt64)
}

/// The greatest of many elements, in a heap with the least of them at its root. Ignores elements without a rank.
struct Greatest<Element: RankCoded>: Sendable {
    /// How many elements to keep.
    let count: Int
    private var heap: [UInt64] = []

    init(count: Int) {
        precondition(count > 0, "at least one is kept")
        self.count = count
        heap.reserveCapacity(count)
    }

    /// The kept elements, in no particular order.
    var elements: [Element] { heap.map { Element(rankCode: $0) } }

    /// The least of the kept elements; nil until there are ``count`` of them.
    var least: Element? { heap.count < count ? nil : Element(rankCode: heap[0]) }

    /// Adds an element, and drops the least when there are more than ``count``.
    mutating func add(_ element: Element) {
        let code = element.rankCode
        if heap.count < count {
            guard code > 0 else { return }
            heap.append(code)
            rise(code, from: heap.count - 1)
        } else if heap[0] < code {
            sink(code)
        }
    }

    /// The kept elements, greatest first.
    func sorted() -> [Element] { heap.sorted(by: >).map { Element(rankCode: $0) } }

    /// Puts a code where it belongs, instead of the least.
    ///
    /// Moves the lesser child up all the way, and then lets the code rise from the bottom, where most codes belong: this
    /// takes fewer comparisons than to look for the place on the way down (Wegener, 1993).
    private mutating func sink(_ code: UInt64) {
        var place = 0
        do {
            var heap = heap.mutableSpan
            while 2 * place + 2 < heap.count {
                let left = 2 * place + 1
                let child = left + (heap[left + 1] < heap[left] ? 1 : 0)
                heap[place] = heap[child]
                place = child
            }
            if 2 * place + 1 < heap.count {
                heap[place] = heap[2 * place + 1]
                place = 2 * place + 1
            }
        }
        rise(code, from: place)
    }

    /// Puts a code at a free place, or above it.
    private mutating func rise(_ code: UInt64, from free: Int) {
        var heap = heap.mutableSpan
        var place = free
        while place > 0, code < heap[(place - 1) / 2] {
            heap[place] = heap[(place - 1) / 2]
            place = (place - 1) / 2
        }
        heap[place] = code
    }
}

extension Double: RankCoded {
    var rankCode: UInt64 {
        if isNaN { return 0 }
        // The bits of IEEE 754 numbers are in order, except that those of negative numbers are in reverse.
        let bits = (self + 0).bitPattern
        return bits >> 63 == 0 ? bits | 1 << 63 : ~bits
    }

    init(rankCode code: UInt64) {
        self.init(bitPattern: code >> 63 == 1 ? code & ~(1 << 63) : ~code)
    }
}

extension VectorMatch: RankCoded {
    var rankCode: UInt64 {
        let bits = (similarity + 0).bitPattern
        let code = bits >> 31 == 0 ? bits | 1 << 31 : ~bits
        return UInt64(code) << 32 | UInt64(~UInt32(row))
    }

    init(rankCode code: UInt64) {
        let (high, low) = (UInt32(code >> 32), UInt32(truncatingIfNeeded: code))
        let bits = high >> 31 == 1 ? high & ~(1 << 31) : ~high
        self.init(row: Int(~low), similarity: Float(bitPattern: bits))
    }
}
