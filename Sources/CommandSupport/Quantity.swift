public import Objects

/// How amounts are written for people.
public enum Quantity {
    /// A whole number with thousands separated: `12,345`.
    public static func count(_ value: Int) -> String {
        let digits = String(value.magnitude)
        var result = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index) % 3 == 0 { result.append(",") }
            result.append(digit)
        }
        return value < 0 ? "-\(result)" : result
    }

    /// A number of things with their name: `1 row`, `12,345 rows`.
    public static func count(_ value: Int, _ noun: String, plural: String? = nil) -> String {
        "\(count(value)) \(value == 1 ? noun : plural ?? noun + "s")"
    }

    /// A number of bytes in decimal units: `512 B`, `1.2 kB`, `34.5 MB`, `120 GB`.
    public static func bytes(_ value: Int) -> String {
        guard value.magnitude >= 1000 else { return "\(value) B" }
        var unit = 1000.0
        for name in ["kB", "MB", "GB", "TB", "PB"] {
            let scaled = Double(value.magnitude) / unit
            if scaled < 999.5 || name == "PB" {
                let text = scaled < 99.95 ? decimal(scaled, places: 1) : decimal(scaled, places: 0)
                return "\(value < 0 ? "-" : "")\(text) \(name)"
            }
            unit *= 1000
        }
        return "\(value) B"
    }

    /// A number with a fixed count of decimal places.
    public static func decimal(_ value: Double, places: Int) -> String {
        var scale = 1.0
        for _ in 0..<places { scale *= 10 }
        let scaled = (value.magnitude * scale).rounded()
        guard scaled < 9e15 else { return value.description }
        let digits = String(Int(scaled)).leadingZeros(to: places + 1)
        let sign = value < 0 && scaled > 0 ? "-" : ""
        guard places > 0 else { return sign + digits }
        return "\(sign)\(digits.dropLast(places)).\(digits.suffix(places))"
    }

    /// A measurement, to at most four decimal places or four significant digits.
    public static func measurement(_ value: Double) -> String {
        if let whole = Int(exactly: value) { return count(whole) }
        guard value.magnitude >= 0.001, value.magnitude < 1e9 else { return value.description }
        var text = decimal(value, places: value.magnitude >= 1000 ? 1 : 4)
        while text.last == "0" { text.removeLast() }
        if text.last == "." { text.removeLast() }
        return text
    }

    /// The time between two moments as a person says it: `2 minutes ago`.
    public static func age(of moment: Timestamp, at now: Timestamp) -> String {
        let seconds = (now.milliseconds - moment.milliseconds) / 1000
        guard seconds >= -60 else { return "in the future" }
        guard seconds >= 5 else { return "just now" }
        let units: [(limit: Int, length: Int, noun: String)] = [
            (90, 1, "second"), (90 * 60, 60, "minute"), (36 * 3600, 3600, "hour"),
            (14 * 86_400, 86_400, "day"), (70 * 86_400, 7 * 86_400, "week"),
            (700 * 86_400, 2_629_746, "month"), (.max, 31_556_952, "year"),
        ]
        for unit in units where seconds < unit.limit {
            return "\(count((seconds + unit.length / 2) / unit.length, unit.noun)) ago"
        }
        return "long ago"
    }
}

extension String {
    fileprivate func leadingZeros(to width: Int) -> String {
        String(repeating: "0", count: max(0, width - utf8.count)) + self
    }
}
