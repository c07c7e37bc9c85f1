/// The markers of the lists that a cleaner is inside of.
struct ListMarkers {
    private var lists: [(isOrdered: Bool, number: Int)] = []
    private var pending: String?

    /// Whether there is a list around.
    var isInside: Bool { !lists.isEmpty }

    /// Enters a list.
    mutating func begin(isOrdered: Bool, start: Int) { lists.append((isOrdered, start)) }

    /// Leaves a list.
    mutating func end() {
        if !lists.isEmpty { lists.removeLast() }
        pending = nil
    }

    /// Enters an item, whose first text gets its marker.
    mutating func beginItem() {
        guard let last = lists.indices.last else { return pending = "- " }
        pending = lists[last].isOrdered ? "\(lists[last].number). " : "- "
        lists[last].number &+= 1
    }

    /// Leaves an item.
    mutating func endItem() { pending = nil }

    /// Takes the marker that the next text of the item begins with.
    mutating func take() -> String? {
        defer { pending = nil }
        return pending
    }
}
