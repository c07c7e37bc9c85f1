/// The markers of the lists that a cleaner is inside of.
struct ListMarkers {
    /// How a list marks its items.
    enum Style: Equatable {
        case bullet, number, letter(isCapital: Bool), roman(isCapital: Bool)
    }

    private var lists: [(style: Style, number: Int, step: Int)] = []
    private var pending: String?

    /// Whether there is a list around.
    var isInside: Bool { !lists.isEmpty }

    /// Enters a list.
    mutating func begin(isOrdered: Bool, start: Int) {
        begin(isOrdered ? .number : .bullet, start: start)
    }

    /// Enters a list whose first item has a number.
    mutating func begin(_ style: Style, start: Int, step: Int = 1) {
        lists.append((style, start, step))
    }

    /// Leaves a list.
    mutating func end() {
        if !lists.isEmpty { lists.removeLast() }
        pending = nil
    }

    /// Enters an item, whose first text gets its marker.
    ///
    /// - Parameters:
    ///   - number: The number that the item itself names; nil for the next.
    ///   - isDone: Whether the item is a task that is done; nil when it is no task.
    mutating func beginItem(number: Int? = nil, isDone: Bool? = nil) {
        defer { if let isDone { pending = (pending ?? "") + (isDone ? "[x] " : "[ ] ") } }
        guard let last = lists.indices.last else { return pending = "- " }
        if let number { lists[last].number = number }
        pending = Self.marker(lists[last].style, lists[last].number)
        lists[last].number &+= lists[last].step
    }

    /// Leaves an item.
    mutating func endItem() { pending = nil }

    /// Takes the marker that the next text of the item begins with.
    mutating func take() -> String? {
        defer { pending = nil }
        return pending
    }

    private static func marker(_ style: Style, _ number: Int) -> String {
        switch style {
        case .bullet: return "- "
        case .letter(let isCapital) where (1...26).contains(number):
            let letter = Unicode.Scalar(UInt8(ascii: "a") + UInt8(number - 1))
            return "\(isCapital ? letter.properties.uppercaseMapping : String(letter)). "
        case .roman(let isCapital) where (1..<4000).contains(number):
            let text = roman(number)
            return "\(isCapital ? text.uppercased() : text). "
        default: return "\(number). "
        }
    }

    /// A Roman number in small letters, of 1 to 3,999.
    static func roman(_ number: Int) -> String {
        let digits = [
            (1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"),
            (40, "xl"), (10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i"),
        ]
        var rest = number
        var result = ""
        for (value, text) in digits {
            while rest >= value {
                result += text
                rest -= value
            }
        }
        return result
    }
}
