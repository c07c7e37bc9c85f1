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

    /// Digits of a measurement up to which all of them are shown.
    private static let exactDigits = 9
    /// The share of a number below which a difference is the noise of binary fractions, as in 0.1 + 0.2.
    private static let noise = 1e-12

    /// A measurement: exactly where few digits tell it, and with four decimal places, or three digits, where it has
    /// many. Rounding never makes it another number with fewer digits: 0.99999 is not shown as 1.
    public static func measurement(_ value: Double) -> String { measurement(value, extra: 0) }

    /// Two measurements that are compared, with as many digits as it takes to tell them apart.
    public static func measurements(_ first: Double, _ second: Double) -> (String, String) {
        for extra in 0..<17 {
            let texts = (measurement(first, extra: extra), measurement(second, extra: extra))
            if first == second || !texts.0.utf8.elementsEqual(texts.1.utf8) { return texts }
        }
        return (first.description, second.description)
    }

    /// How much a measurement rose or fell, with its sign and without the noise of binary fractions: `+0.1`.
    public static func change(from old: Double, to new: Double) -> String {
        let difference = new - old
        guard difference.isFinite, old.isFinite else { return difference.description }
        let all = DecimalDigits(difference)
        // Decimal places that the larger number does not have are noise in the difference.
        let reach = max(DecimalDigits(old).point, DecimalDigits(new).point) - 15
        let text = text(all.rounded(to: all.point - reach), extra: 0, exact: 0)
        return difference > 0 ? "+" + text : text
    }

    private static func measurement(_ value: Double, extra: Int) -> String {
        value.isFinite ? text(DecimalDigits(value), extra: extra) : value.description
    }

    /// - Parameter exact: Digits up to which all of them are shown.
    private static func text(
        _ number: DecimalDigits, extra: Int, exact: Int = exactDigits
    ) -> String {
        if number.isWhole, let whole = Int(number.text) { return count(whole) }
        guard number.digits.count > exact else { return number.text }
        var places = extra + (number.point < 4 ? max(3, number.point + 4) : number.point + 1)
        while places < number.digits.count {
            let rounded = number.rounded(to: places)
            if rounded.digits.count == places || isNoise(rounded, number) { return rounded.text }
            places += 1
        }
        return number.text
    }

    /// Whether two numbers differ by no more than binary fractions do from decimal ones.
    private static func isNoise(_ left: DecimalDigits, _ right: DecimalDigits) -> Bool {
        guard let left = Double(left.text), let right = Double(right.text) else { return false }
        return (left - right).magnitude <= noise * right.magnitude
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
