/// The greatest of many elements, in a heap with the least of them at its root.
///
/// Ignores elements that are not equal to themselves, such as NaN.
struct Greatest<Element: Comparable & Sendable>: Sendable {
    /// How many elements to keep.
    let count: Int
    /// The elements that are kept, in no particular order.
    private(set) var elements: [Element] = []

    init(count: Int) {
        precondition(count > 0, "at least one is kept")
        self.count = count
        elements.reserveCapacity(count)
    }

    /// The least of the kept elements; nil until there are ``count`` of them.
    var least: Element? { elements.count < count ? nil : elements[0] }

    /// Adds an element, and drops the least when there are more than ``count``.
    mutating func add(_ element: Element) {
        if elements.count < count {
            guard element == element else { return }
            elements.append(element)
            rise(element)
        } else if elements[0] < element {
            sink(element)
        }
    }

    /// The kept elements, greatest first.
    func sorted() -> [Element] { elements.sorted { $1 < $0 } }

    /// Moves the last element, which is `element`, to its place.
    private mutating func rise(_ element: Element) {
        var heap = elements.mutableSpan
        var place = heap.count - 1
        while place > 0, element < heap[(place - 1) / 2] {
            heap[place] = heap[(place - 1) / 2]
            place = (place - 1) / 2
        }
        heap[place] = element
    }

    /// Puts an element where it belongs, instead of the least.
    private mutating func sink(_ element: Element) {
        var heap = elements.mutableSpan
        var place = 0
        while 2 * place + 1 < heap.count {
            var child = 2 * place + 1
            if child + 1 < heap.count, heap[child + 1] < heap[child] { child += 1 }
            guard heap[child] < element else { break }
            heap[place] = heap[child]
            place = child
        }
        heap[place] = element
    }
}
