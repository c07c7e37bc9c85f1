/// The shortest decimal digits that read as a number: `0.d1d2d3... * 10^point`.
struct DecimalDigits: Equatable {
    /// The digits, the first and the last of which are not 0; empty for 0.
    private(set) var digits: [UInt8]
    /// How many of the digits stand before the decimal point; negative for zeros behind it.
    private(set) var point: Int
    /// Whether the number is below 0.
    let isNegative: Bool

    /// Digits behind the point that are still written out, rather than as a power of ten.
    private static let longestFraction = 6
    /// Digits before the point that are still written out.
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

    /// Whether nothing stands behind the decimal point.
    var isWhole: Bool { digits.count <= point || digits.isEmpty }

    /// The number with at most so many digits, rounded half away from zero; none of them gives 0 or the next power of
    /// ten.
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

    /// The number as it is written.
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
