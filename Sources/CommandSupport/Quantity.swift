public import Objects

/// Formats numbers, sizes and ages for people.
public enum Quantity {
    /// A whole number with thousands separators: `12,345`.
    public static func count(_ value: Int) -> String {
        let digits = String(value.magnitude)
        var result = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index) % 3 == 0 { result.append(",") }
            result.append(digit)
        }
        return value < 0 ? "-\(result)" : result
    }

    /// A number with a noun: `1 row`, `12,345 rows`.
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

    /// A number with a fixed number of decimal places; with all its digits if it is too large to round.
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

    /// The number of digits up to which a measurement is shown exactly.
    private static let exactDigits = 9
    /// The relative difference below which two numbers differ only by binary rounding, as in 0.1 + 0.2.
    private static let noise = 1e-12

    /// A measurement: exact if it is whole or has at most nine digits. Otherwise rounded to one decimal place from
    /// 1,000 on, and below to four decimal places or three digits, whichever is more.
    ///
    /// Rounding leaves fewer digits only where they come from binary rounding: 0.1 + 0.2 becomes 0.3, but 0.9999999999
    /// does not become 1.
    public static func measurement(_ value: Double) -> String { measurement(value, extra: 0) }

    /// Two measurements to compare, each with enough digits to tell them apart.
    public static func measurements(_ first: Double, _ second: Double) -> (String, String) {
        for extra in 0..<17 {
            let texts = (measurement(first, extra: extra), measurement(second, extra: extra))
            if first == second || !texts.0.utf8.elementsEqual(texts.1.utf8) { return texts }
        }
        return (first.description, second.description)
    }

    /// The change of a measurement, with its sign and without binary rounding errors: `+0.1`.
    public static func change(from old: Double, to new: Double) -> String {
        let difference = new - old
        guard difference.isFinite, old.isFinite else { return difference.description }
        let all = DecimalDigits(difference)
        // Decimal places beyond the precision of the larger number are rounding errors in the difference.
        let reach = max(DecimalDigits(old).point, DecimalDigits(new).point) - 15
        let text = text(all.rounded(to: all.point - reach), extra: 0, exact: 0)
        return difference > 0 ? "+" + text : text
    }

    private static func measurement(_ value: Double, extra: Int) -> String {
        value.isFinite ? text(DecimalDigits(value), extra: extra) : value.description
    }

    /// - Parameter exact: The number of digits up to which the number is shown exactly.
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

    /// Whether two numbers differ only by binary rounding.
    private static func isNoise(_ left: DecimalDigits, _ right: DecimalDigits) -> Bool {
        guard let left = Double(left.text), let right = Double(right.text) else { return false }
        return (left - right).magnitude <= noise * right.magnitude
    }

    /// The time between two moments in words: `2 minutes ago`, `just now` or `in the future`.
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

/// The shortest decimal digits that read back as the same number: `0.d1d2d3... * 10^point`.
struct DecimalDigits: Equatable {
    /// The digits, without leading and trailing zeros; empty for 0.
    private(set) var digits: [UInt8]
    /// The number of digits before the decimal point; negative for leading zeros after it.
    private(set) var point: Int
    /// Whether the number is below 0.
    let isNegative: Bool

    /// The most leading zeros, counting the one before the point, that are written out rather than as a power of ten.
    private static let longestFraction = 6
    /// The maximum number of digits before the point that are written out.
    private static let longestWhole = 16

    /// The digits of a finite number.
    init(_ value: Double) {
        var digits: [UInt8] = []
        var point = 0
        var exponent = 0
        var hasPoint = false
        let text = Array(value.magnitude.description.utf8)
        for (index, byte) in text.enumerated() {
            switch byte {
            case 0x30...0x39:
                digits.append(byte - 0x30)
                if !hasPoint { point += 1 }
            case UInt8(ascii: "."): hasPoint = true
            default:
                exponent = Int(String(decoding: text[(index + 1)...], as: UTF8.self)) ?? 0
            }
            if byte == UInt8(ascii: "e") { break }
        }
        isNegative = value < 0
        self.digits = digits
        self.point = point + exponent
        normalize()
    }

    private mutating func normalize() {
        while digits.last == 0 { digits.removeLast() }
        let zeros = digits.prefix { $0 == 0 }.count
        digits.removeFirst(zeros)
        point = digits.isEmpty ? 0 : point - zeros
    }

    /// Whether the number is an integer.
    var isWhole: Bool { digits.count <= point || digits.isEmpty }

    /// The number rounded to a number of digits, half away from zero. Rounding to no digits gives 0 or the next power
    /// of ten.
    func rounded(to count: Int) -> DecimalDigits {
        guard count < digits.count else { return self }
        var result = self
        guard count >= 0 else {
            result.digits = []
            result.point = 0
            return result
        }
        result.digits = Array(digits.prefix(count))
        if digits[count] >= 5 {
            var index = count - 1
            while index >= 0, result.digits[index] == 9 {
                result.digits[index] = 0
                index -= 1
            }
            if index >= 0 {
                result.digits[index] += 1
            } else {
                result.digits.insert(1, at: 0)
                result.point += 1
            }
        }
        result.normalize()
        return result
    }

    /// The number as text.
    var text: String {
        guard !digits.isEmpty else { return "0" }
        let sign = isNegative ? "-" : ""
        func written(_ digits: some Sequence<UInt8>) -> String {
            digits.map { String($0) }.joined()
        }
        if point > Self.longestWhole || point <= -Self.longestFraction {
            let rest = digits.count > 1 ? "." + written(digits.dropFirst()) : ""
            return "\(sign)\(digits[0])\(rest)e\(point - 1)"
        }
        if point <= 0 {
            return "\(sign)0." + String(repeating: "0", count: -point) + written(digits)
        }
        let whole =
            written(digits.prefix(point))
            + String(repeating: "0", count: max(0, point - digits.count))
        return sign + whole + (isWhole ? "" : "." + written(digits.dropFirst(point)))
    }
}
