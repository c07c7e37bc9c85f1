/// A span of time as people write it: `90s`, `30m`, `12h`, `7d`, `2w`.
public struct TimeSpan: Hashable, Sendable {
    /// Milliseconds.
    public let milliseconds: Int

    /// The longest span: a hundred years.
    private static let limit = 36_525 * 86_400

    /// Reads a whole number and a unit; nil for anything else, and for nothing and for more than a hundred years.
    public init?(_ text: String) {
        let bytes = Array(text.utf8)
        guard let unit = bytes.last, bytes.count > 1, bytes.count < 12 else { return nil }
        let seconds: Int
        switch unit {
        case UInt8(ascii: "s"): seconds = 1
        case UInt8(ascii: "m"): seconds = 60
        case UInt8(ascii: "h"): seconds = 3600
        case UInt8(ascii: "d"): seconds = 86_400
        case UInt8(ascii: "w"): seconds = 604_800
        default: return nil
        }
        var count = 0
        for digit in bytes.dropLast() {
            guard case 0x30...0x39 = digit else { return nil }
            count = count * 10 + Int(digit - 0x30)
        }
        let (product, overflow) = count.multipliedReportingOverflow(by: seconds)
        guard !overflow, product > 0, product <= Self.limit else { return nil }
        milliseconds = product * 1000
    }
}
