extension Timestamp {
    /// Reads a moment as a person writes it: a date of ISO 8601, which is its first moment, or a date and a time of day
    /// to the minute, second or millisecond, with or without `Z`; nil for anything else. Everything is Universal Time.
    public init?(reading text: String) { self.init(reading: Array(text.utf8)) }

    /// The same from bytes, which may be anything.
    public init?(reading bytes: [UInt8]) {
        var rest = bytes[...]
        func digits(_ count: Int) -> Int? {
            guard rest.count >= count else { return nil }
            var value = 0
            for byte in rest.prefix(count) {
                guard case 0x30...0x39 = byte else { return nil }
                value = value * 10 + Int(byte - 0x30)
            }
            rest = rest.dropFirst(count)
            return value
        }
        func take(_ separators: String) -> Bool {
            guard let byte = rest.first, separators.utf8.contains(byte) else { return false }
            rest = rest.dropFirst()
            return true
        }
        guard let year = digits(4), take("-"), let month = digits(2), take("-"),
            let day = digits(2)
        else { return nil }
        if rest.isEmpty {
            self.init(year: year, month: month, day: day)
            return
        }
        guard take("T "), let hour = digits(2), hour < 24, take(":"), let minute = digits(2),
            minute < 60
        else { return nil }
        var milliseconds = (hour * 60 + minute) * 60_000
        if take(":") {
            guard let second = digits(2), second < 60 else { return nil }
            milliseconds += second * 1000
            if take(".") {
                guard let fraction = digits(3) else { return nil }
                milliseconds += fraction
            }
        }
        _ = take("Z")
        guard rest.isEmpty else { return nil }
        self.init(year: year, month: month, day: day, milliseconds: milliseconds)
    }
}
