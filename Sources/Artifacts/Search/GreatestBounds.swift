/// The greatest of many numbers, as a heap with the least of them at its root.
struct GreatestBounds: Sendable {
    /// How many are kept.
    let count: Int
    private(set) var values: [Double] = []

    init(count: Int) {
        precondition(count > 0, "at least one is kept")
        self.count = count
        values.reserveCapacity(count)
    }

    /// So many numbers, as many as are kept, are not below this.
    var least: Double { values.count < count ? -.infinity : values[0] }

    /// Takes a number into account; what is no number is none.
    mutating func add(_ value: Double) {
        if values.count < count {
            guard !value.isNaN else { return }
            values.append(value)
            var place = values.count - 1
            while place > 0, values[place] < values[(place - 1) / 2] {
                values.swapAt(place, (place - 1) / 2)
                place = (place - 1) / 2
            }
        } else if value > values[0] {
            values[0] = value
            sink()
        }
    }

    private mutating func sink() {
        var place = 0
        while true {
            var least = place
            for child in [2 * place + 1, 2 * place + 2]
            where child < count && values[child] < values[least] {
                least = child
            }
            if least == place { return }
            values.swapAt(place, least)
            place = least
        }
    }
}
